#!/usr/bin/env python3
"""`dunlin journal inspect`: what journals hold that the commands made, and what it says of damaged ones. It never changes a byte."""

import fcntl
import hashlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import threading
import unittest

from processes import Cluster, ProcessTest, free_addresses, wait_for

DONE, FAILED, CANNOT_START = 0, 1, 3
SECTOR = 512    # of a bank, for its header
SLOT = 64       # of the header, for each state of the bank: building, active, retired
HEAD = 32       # of a record


def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def records(content, bank):
    """(offset, kind, length with head) of each record from the start of the bank at byte `bank` on."""
    at = bank + SECTOR
    expected = struct.unpack_from("<Q", content, bank + 32)[0]
    while True:
        sequence, _, length = struct.unpack_from("<QQL", content, at)
        if sequence != expected:
            return
        total = HEAD + (length + 7) // 8 * 8
        yield at, content[at + 28], total
        at, expected = at + total, expected + 1


def current(journal):
    """The number of the bank that counts, and where it begins."""
    return next((number, bank["offset"]) for number, bank in enumerate(journal["banks"]) if bank["current"])


class JournalTest(ProcessTest):
    @staticmethod
    def trace(path):
        found = os.stat(path)
        digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() if pathlib.Path(path).is_file() else ""
        return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode, digest

    def run_inspect(self, name, *options):
        """The command's result, once it is sure that the file is as it was."""
        before = self.trace(self.path(name))
        result = self.run_dunlin("journal", "inspect", self.path(name), *options)
        self.assertEqual(self.trace(self.path(name)), before)
        return result

    def inspect(self, name, code=DONE):
        result = self.run_inspect(name, "--json")
        self.assertEqual((result.returncode, result.stderr), (code, ""))
        return json.loads(result.stdout)

    def tell(self, name, code=DONE):
        """The same for people; its first line, and all of it."""
        result = self.run_inspect(name)
        self.assertEqual((result.returncode, result.stderr), (code, ""))
        return result.stdout.splitlines()[0], result.stdout

    def refused(self, name, *words):
        self.assert_refused(self.run_inspect(name), CANNOT_START, self.path(name), *words)
        self.assert_refused(self.run_inspect(name, "--json"), CANNOT_START, self.path(name), *words)

    def init(self, name="n1.journal", *options):
        made = self.run_dunlin("init", "--id", 1, "--cluster", "plant", "--journal", self.path(name), "--address", "127.0.0.1:7001", *options)
        self.assertEqual(made.returncode, 0, made.stderr)

    def content(self, name):
        return bytearray(pathlib.Path(self.path(name)).read_bytes())

    def write(self, name, content):
        pathlib.Path(self.path(name)).write_bytes(content)

    def publish(self, lines, *options):
        """Both sides of a pipe, each with a journal."""
        address, = free_addresses(1)
        self.write("in", "".join(f"{number}\n" for number in range(lines)).encode())
        sub = self.start_dunlin("sub", "harbour/#", "--id", 2, "--listen", address, "--count", lines, "--journal", self.path("sub.journal"), "--file",
                                self.path("out"))
        pub = self.start_dunlin("pub", "harbour/tide", "--id", 3, "--peer", address, "--journal", self.path("pub.journal"), "--file", self.path("in"),
                                *options)
        self.assertEqual([self.finish(each, "a process") for each in (pub, sub)], [0, 0])


class Holds(JournalTest):
    def test_of_a_voter_that_was_never_started(self):
        two = self.run_dunlin("join", "--id", 2, "--cluster", "plant", "--journal", self.path("n2.journal"), "--address", "127.0.0.1:7002").stdout.strip()
        self.init("n1.journal", "--voter", two)
        journal = self.inspect("n1.journal")
        self.assertEqual((journal["integrity"], journal["in_use"], journal["bytes"]), ("whole", False, os.path.getsize(self.path("n1.journal"))))
        self.assertEqual((journal["id"], journal["cluster_name"], journal["role"], journal["epoch"]), (1, "plant", "voter", 0))
        self.assertRegex(journal["cluster"], r"^[0-9a-f]{16}$")
        self.assertEqual(journal["records"], {"format": 1, "bind": 1, "hard_state": 1, "log_entry": 1})
        self.assertEqual([(bank["state"], bank["current"]) for bank in journal["banks"]], [("active", True), ("blank", False)])
        replica = journal["replica"]
        self.assertEqual([replica[key] for key in ("term", "voted_for", "first_index", "last_index", "last_term")], [1, 0, 1, 1, 1])
        self.assertEqual([(voter["id"], voter["address"]) for voter in replica["members"]], [(1, "127.0.0.1:7001"), (2, "127.0.0.1:7002")])
        self.assertEqual(two, f"2:{replica['members'][1]['storage']}@127.0.0.1:7002")
        self.assertNotIn("snapshot", replica)
        end = max(at + length for at, _, length in records(self.content("n1.journal"), 0))
        self.assertEqual(journal["used_bytes"], end - SECTOR)
        first, told = self.tell("n1.journal")
        self.assertEqual(first, self.path("n1.journal") + ": whole")
        self.assertIn("node 1 of cluster 'plant', voter", told)
        self.assertIn(f"incarnation {journal['cluster']}", told)
        joined = self.inspect("n2.journal")
        self.assertEqual((joined["id"], joined["storage"], joined["records"]), (2, replica["members"][1]["storage"], {"format": 1}))
        self.assertNotIn("cluster", joined)
        self.assertIn("not yet met its cluster", self.tell("n2.journal")[1])

    def test_of_a_publisher_and_a_subscriber(self):
        self.publish(500, "--keyed", "tides of May", "--lifetime", "10min")
        pub, sub = self.inspect("pub.journal"), self.inspect("sub.journal")
        self.assertEqual((pub["id"], pub["role"], sub["id"]), (3, "member", 2))
        self.assertGreater(pub["epoch"], 0)
        outbox = pub["outbox"]
        self.assertEqual([outbox[key] for key in ("messages", "deliveries_to_be_sent", "outcomes_to_be_told")], [0, 0, 0])
        self.assertEqual(outbox["position_bytes"], os.path.getsize(self.path("in")))
        self.assertEqual(pub["records"]["outbox_put"], 500)
        self.assertEqual([(each["node"], each["filter"]) for each in pub["subscriptions"]], [(2, "harbour/#")])
        normal, *others = sub["inbox"]["watermarks"]
        self.assertEqual((normal["publisher"], normal["lane"], normal["stream"]), (3, 0, pub["stream"]))
        self.assertEqual([normal["settled_through"] - each["settled_through"] for each in others], [500, 500])    # of lanes that nothing went through
        self.assertEqual(sub["inbox"]["position_bytes"], os.path.getsize(self.path("out")))
        self.assertEqual((sub["idempotency_keys"]["count"], sub["idempotency_keys"]["not_counting_yet"]), (500, 0))
        self.assertTrue(600_000 < sub["idempotency_keys"]["first_expires_ms"] <= sub["idempotency_keys"]["last_expires_ms"] < 700_000)
        told = self.tell("sub.journal")[1]
        self.assertIn(f"from node 3, lane 0: settled up to {normal['settled_through']}\n", told)
        self.assertRegex(told, r"idempotency keys: 500, with \d+ to \d+ ms to live")

    def test_of_a_publisher_whose_subscriber_stands_still(self):
        """What was accepted and has no outcome."""
        address, = free_addresses(1)
        sub = self.start_dunlin("sub", "a", "--id", 2, "--listen", address, stdout=subprocess.PIPE)
        pub = self.start_dunlin("pub", "a", "--id", 3, "--peer", address, "--journal", self.path("pub.journal"), stdin=subprocess.PIPE)
        pub.stdin.write(b"first\n")
        pub.stdin.flush()
        self.assertEqual(sub.stdout.readline(), b"first\n")
        sub.send_signal(signal.SIGSTOP)
        pub.stdin.write(b"another\n" * 20)
        pub.stdin.flush()

        def held():
            journal = json.loads(self.run_dunlin("journal", "inspect", self.path("pub.journal"), "--json").stdout)
            return journal["outbox"]["deliveries_to_be_sent"] >= 20    # perhaps the first too: it may stand still before it has told
        wait_for("its messages", held)
        pub.kill()
        pub.wait()
        outbox = self.inspect("pub.journal")["outbox"]
        self.assertIn(outbox["messages"], (20, 21))
        self.assertIn(f"outbox: {outbox['messages']} messages, {outbox['deliveries_to_be_sent']} deliveries to be sent", self.tell("pub.journal")[1])

    def test_of_running_voters_and_of_their_snapshots(self):
        cluster = Cluster(self)
        cluster.start()
        leader = cluster.leader()
        for number in range(8):
            put = self.run_dunlin("key", "put", "--socket", cluster.socket(leader), f"key {number}", "value")
            self.assertEqual(put.returncode, 0, put.stderr)
        status = cluster.status(leader)
        seen = json.loads(self.run_dunlin("journal", "inspect", self.path(f"node{leader}.journal"), "--json").stdout)
        self.assertEqual((seen["integrity"], seen["in_use"], seen["replica"]["voted_for"]), ("whole", True, leader))
        self.assertIn("a node has it open", self.run_dunlin("journal", "inspect", self.path(f"node{leader}.journal")).stdout)
        for key in ("id", "epoch", "cluster", "storage"):
            self.assertEqual(seen[key], status[key], key)
        self.assertEqual((seen["replica"]["term"], seen["replica"]["last_index"]), (status["term"], status["last_index"]))
        self.assertIsNone(cluster.processes[leader].poll())
        with open(self.path(f"node{leader}.journal"), "rb") as file, self.assertRaises(BlockingIOError):    # its lock is still its own
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

        other = next(node for node in cluster.nodes if node != leader)
        cluster.processes[other].kill()
        cluster.processes[other].wait()
        name = f"node{other}.journal"
        killed = self.inspect(name)
        self.assertFalse(killed["in_use"])
        number, bank = current(killed)
        content = self.content(name)
        at = list(records(content, bank))[-1][0]
        content[at + HEAD] ^= 1
        self.write(name, content)
        torn = self.inspect(name)
        self.assertEqual((torn["integrity"], torn["torn"]["offset"]), ("torn_tail", at))
        self.assertIn("whole, but for ", self.tell(name)[0])
        cluster.start(other)    # it cuts the tail off, so it writes all it holds to the other bank
        wait_for("the other bank", lambda: current(json.loads(self.run_dunlin("journal", "inspect", self.path(name), "--json").stdout))[0] != number)
        self.assertEqual(cluster.stop(other), 0)
        after = self.inspect(name)
        self.assertEqual((after["integrity"], current(after)[0], after["banks"][number]["state"]), ("whole", 1 - number, "retired"))
        snapshot = after["replica"]["snapshot"]
        self.assertTrue(1 <= snapshot["index"] <= after["replica"]["last_index"])
        self.assertEqual(len(after["replica"]["members"]), 3)
        self.assertIn(f"snapshot: index {snapshot['index']}, ", self.tell(name)[1])

    def test_while_it_is_written_nothing_is_taken_for_damage(self):
        address, = free_addresses(1)
        self.write("in", b"x" * 99 + b"\n" * 40_000)
        sub = self.start_dunlin("sub", "a", "--id", 2, "--listen", address, "--count", 40_000, "--journal", self.path("sub.journal"), "--file",
                                self.path("out"))
        pub = self.start_dunlin("pub", "a", "--id", 3, "--peer", address, "--journal", self.path("pub.journal"), "--file", self.path("in"))
        wait_for("the journals", lambda: all(os.path.exists(self.path(f"{side}.journal")) and os.path.getsize(self.path(f"{side}.journal"))
                                             for side in ("pub", "sub")))
        looks = 0
        while pub.poll() is None or looks < 2:
            for side in ("pub", "sub"):
                result = self.run_dunlin("journal", "inspect", self.path(f"{side}.journal"), "--json")
                if result.returncode == CANNOT_START:
                    self.assertRegex(result.stderr, "is blank|never stood still|has 0 bytes")
                    continue
                self.assertEqual(result.returncode, DONE, result.stdout + result.stderr)
                looks += 1
        self.assertEqual([self.finish(each, "a process") for each in (pub, sub)], [0, 0])


class Damaged(JournalTest):
    def test_a_flipped_byte_is_found_wherever_a_record_lies(self):
        """In the checkpoint, which the header vouches for, nothing can be read; behind it, all that lies in front of the damage can."""
        self.init()
        whole = self.content("n1.journal")
        chain = list(records(whole, 0))
        for number, (at, _, length) in enumerate(chain, 1):
            for into in (0, 8, 16, 20, 24, 28, HEAD, length // 2):
                content = bytearray(whole)
                content[at + into] ^= 0x10
                self.write("n1.journal", content)
                journal = self.inspect("n1.journal", FAILED)
                self.assertEqual((journal["integrity"], journal["damage"]),
                                 ("corrupt", {"offset": at, "bank": 0, "where": "record", "record": number}), into)
                self.assertNotIn("id", journal)
        self.assertRegex(self.tell("n1.journal", FAILED)[0], rf": corrupt: record {len(chain)} at byte {chain[-1][0]}, in bank 0, cannot be read$")

    def test_a_flipped_byte_behind_the_checkpoint_leaves_what_is_in_front_of_it(self):
        self.publish(300)
        for side in ("sub", "pub"):
            name = f"{side}.journal"
            whole = self.content(name)
            before = self.inspect(name)
            bank, offset = current(before)
            chain = list(records(whole, offset))
            first = before["last_record"] - len(chain) + 1
            synced = max(struct.unpack_from("<Q", whole, at + 8)[0] for at, _, _ in chain)
            sealed = struct.unpack_from("<Q", whole, offset + SLOT + 40)[0]
            self.assertGreater(synced, sealed)
            for number in sorted(random.Random(7).sample(range(sealed + 1, synced + 1), min(12, synced - sealed))):
                at, _, length = chain[number - first]
                content = bytearray(whole)
                content[at + HEAD + (length - HEAD) // 3] ^= 0x80
                self.write(name, content)
                journal = self.inspect(name, FAILED)
                self.assertEqual(journal["damage"], {"offset": at, "bank": bank, "where": "record", "record": number})
                self.assertEqual((journal["id"], journal["storage"]), (before["id"], before["storage"]))
                self.assertTrue(0 < journal["last_record"] < number)
            self.assertIn("in front of the damage:", self.tell(name, FAILED)[1])
            as_before = {"sub": ("harbour/#", "--file", self.path("out")), "pub": ("harbour/tide",)}[side]
            refused = self.run_dunlin(side, *as_before, "--id", before["id"], "--peer", "127.0.0.1:9", "--journal", self.path(name))
            self.assertEqual(refused.returncode, CANNOT_START, refused.stderr)    # the node agrees
            self.assertIn("is corrupt", refused.stderr)

    def test_a_flipped_byte_of_a_header(self):
        self.init()
        whole = self.content("n1.journal")
        for at in range(8):    # nothing says any more that it was one
            content = bytearray(whole)
            content[at] ^= 4
            content[SLOT + at] ^= 4
            self.write("n1.journal", content)
            self.refused("n1.journal", "is none, or the headers of both its banks are lost")
        for at in range(SLOT, 2 * SLOT):
            content = bytearray(whole)
            content[at] ^= 4
            self.write("n1.journal", content)
            journal = self.inspect("n1.journal", FAILED)
            self.assertEqual((journal["integrity"], journal["banks"][0]["state"]), ("corrupt", "unreadable"))
            self.assertNotIn("damage", journal)
        self.assertIn("neither bank has a header that counts", self.tell("n1.journal", FAILED)[0])

    def test_a_flipped_byte_of_the_older_bank_or_behind_the_end_does_no_harm(self):
        self.init()
        whole = self.content("n1.journal")
        end = max(at + length for at, _, length in records(whole, 0))
        for at in (3, 3 * SLOT, SECTOR - 1, end + 100, len(whole) // 2 - 1, len(whole) // 2 + 3, len(whole) // 2 + SECTOR, len(whole) - 1):
            content = bytearray(whole)
            content[at] ^= 0xff
            self.write("n1.journal", content)
            self.assertEqual(self.inspect("n1.journal")["integrity"], "whole", at)

    def test_a_header_that_contradicts_the_other_one(self):
        """Both are sound, but the other bank was retired in favour of a later one than this."""
        self.init()
        content = self.content("n1.journal")
        header = bytearray(content[:64])
        header[14] = 3    # retired
        header[24:32] = struct.pack("<Q", 5)
        self.seal(header)
        content[len(content) // 2:len(content) // 2 + 64] = header
        self.write("n1.journal", content)
        journal = self.inspect("n1.journal", FAILED)
        self.assertEqual(journal["damage"], {"offset": 0, "bank": 0, "where": "header"})
        self.assertIn("the header at byte 0, in bank 0", self.tell("n1.journal", FAILED)[0])

    def test_a_record_that_is_sound_but_says_nothing(self):
        self.init()
        content = self.content("n1.journal")
        at, kind, length = list(records(content, 0))[1]
        self.assertEqual(kind, 2)
        payload = struct.unpack_from("<L", content, at + 16)[0]
        content[at + 28] = 3    # an epoch, of the length of a bind: its checksum is made right, and it reads as an epoch
        self.seal_record(content, at, payload)
        self.write("n1.journal", content)
        self.assertEqual(self.inspect("n1.journal")["integrity"], "whole")
        content[at + 28] = 4    # a hard state is longer
        self.seal_record(content, at, payload)
        self.write("n1.journal", content)
        journal = self.inspect("n1.journal", FAILED)
        self.assertEqual(journal["damage"], {"offset": at, "bank": 0, "where": "record", "record": 2, "malformed": True})
        self.assertIn("is not what its kind says", self.tell("n1.journal", FAILED)[0])

    @staticmethod
    def seal(header):
        header[8:12] = bytes(4)
        header[8:12] = struct.pack("<L", crc32c(header))

    @staticmethod
    def seal_record(content, at, payload):
        seed = crc32c(content[16:32])    # storage and generation of the bank's header
        content[at + 20:at + 24] = bytes(4)
        content[at + 20:at + 24] = struct.pack("<L", crc32c(content[at:at + HEAD + payload], seed))

    def test_damage_is_believed_only_where_a_second_look_finds_the_same(self):
        """A bank that is another one at each look, and whose records are never its own: as of a file that is written meanwhile."""
        self.init()
        path, header = self.path("n1.journal"), self.content("n1.journal")[:64]
        headers = []
        for generation in range(2, 202):
            header[24:32] = struct.pack("<Q", generation)
            self.seal(header)
            headers.append(bytes(header))
        stop = threading.Event()

        def write():
            with open(path, "r+b", buffering=0) as file:
                while not stop.is_set():
                    for each in headers:
                        os.pwrite(file.fileno(), each, 0)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            def restless():
                result = self.run_dunlin("journal", "inspect", path)
                return result if result.returncode == CANNOT_START else None
            self.assert_refused(wait_for("looks that differ", restless), CANNOT_START, path, "never stood still")
        finally:
            stop.set()
            writer.join()
        self.assertEqual(self.inspect("n1.journal", FAILED)["integrity"], "corrupt")

    def test_a_file_that_was_cut_short_or_grew(self):
        self.init()
        whole = self.content("n1.journal")
        for size in (len(whole) - 1024, len(whole) // 2, len(whole) + 4096, 4096):
            self.write("n1.journal", bytes(whole[:size]).ljust(size, b"\0"))
            journal = self.inspect("n1.journal", FAILED)
            self.assertEqual((journal["integrity"], journal["bytes"]), ("another_size", size))
            self.assertIn(f"has {size} bytes", self.tell("n1.journal", FAILED)[0])
        for size in (0, 1, 64, 2047):
            self.write("n1.journal", whole[:size])
            self.refused("n1.journal", f"has {size} bytes")

    def test_a_newer_format(self):
        self.init()
        content = self.content("n1.journal")
        header = content[:64]
        header[12:14] = struct.pack("<H", 77)
        self.seal(header)
        content[:64] = header
        self.write("n1.journal", content)
        self.refused("n1.journal", "another version of dunlin", "format 77")

    def test_what_is_no_journal(self):
        self.write("blank", bytes(1 << 20))
        self.refused("blank", "is blank")
        self.write("erased", b"\xff" * (1 << 20))
        self.refused("erased", "is blank")
        for seed in range(4):
            self.write("noise", random.Random(seed).randbytes(1 << 16))
            self.refused("noise", "is none, or")
        self.write("text", b"id = 1\n" * 1000)
        self.refused("text", "is none, or")
        os.mkdir(self.path("folder"))
        self.refused("folder", "is not a regular file")
        os.mkfifo(self.path("pipe"))
        self.refused("pipe", "is not a regular file")
        missing = self.run_dunlin("journal", "inspect", self.path("missing"))
        self.assert_refused(missing, CANNOT_START, self.path("missing"), "No such file")
        self.assertFalse(os.path.exists(self.path("missing")))


if __name__ == "__main__":
    unittest.main()
