#!/usr/bin/env python3
"""A cluster that lost the majority of its voters goes on from one journal, as real processes."""

import json
import os
import pathlib
import re
import subprocess
import unittest

from processes import Cluster, ProcessTest, free_addresses, wait_for

DONE, USAGE, CANNOT_START = 0, 2, 3
FLOOR = 1_000_000
NOT_ACQUIRED = 122


class RecoveryTest(ProcessTest):
    def setUp(self):
        super().setUp()
        self.cluster = Cluster(self)

    def inspect(self, name):
        return json.loads(self.run_dunlin("journal", "inspect", "--json", self.path(name)).stdout)

    def recover(self, old, new, *options):
        return self.run_dunlin("journal", "recover", self.path(old), self.path(new), *options)

    def key(self, node, verb, *arguments):
        return self.run_dunlin("key", verb, "--socket", self.cluster.socket(node), *arguments)

    def put(self, node, name, value):
        wait_for(f"the value {value}", lambda: self.key(node, "put", name, value).returncode == 0)

    def hold(self, node, name, *options):
        """Runs a command under a lease, asked for at one node."""
        return self.run_dunlin("lease", "acquire", name, "--ttl", "2s", "--cluster", "test", "--id", 30, "--peer", self.cluster.address[node], *options,
                               "--", "sh", "-c", "echo $DUNLIN_LEASE_TOKEN")

    def kill(self, *nodes):
        for node in nodes:
            self.cluster.processes[node].kill()
            self.cluster.processes[node].wait()

    def lose_the_majority(self):
        """Node 1 is left, with what was committed; its journal is of a cluster that can do nothing any more."""
        self.cluster.start()
        self.cluster.leader()
        holder = self.start_dunlin("lease", "acquire", "winch", "--ttl", "12s", "--cluster", "test", "--id", 31, "--peer", self.cluster.address[1],
                                   "--", "sh", "-c", f"touch {self.path('held')}; exec sleep 600")
        wait_for("the lease that is held on", lambda: os.path.exists(self.path("held")))
        self.put(1, "valve", "open")
        token = int(self.hold(1, "crane").stdout)
        wait_for("the log at node 1", lambda: self.cluster.status(1)["applied"] >= token)
        self.kill(2, 3)
        self.assertEqual(self.cluster.stop(1), 0)
        holder.kill()
        holder.wait()
        return token

    def take_over(self, node, incarnation):
        """The node's journal becomes one of the recovered cluster; the entry that names it."""
        os.rename(self.path(f"node{node}.journal"), self.path(f"node{node}.old"))
        rebound = self.run_dunlin("journal", "rebind", self.path(f"node{node}.old"), self.path(f"node{node}.journal"), "--incarnation", incarnation)
        self.assertEqual((rebound.returncode, rebound.stderr), (DONE, ""))
        return rebound.stdout.strip()


class Recovered(RecoveryTest):
    def test_a_voter_that_is_left_alone_leads_again_with_what_it_has_and_two_others_join_it(self):
        token = self.lose_the_majority()
        os.remove(self.path("node3.journal"))
        os.rename(self.path("node1.journal"), self.path("node1.old"))
        before = pathlib.Path(self.path("node1.old")).read_bytes()
        self.assert_refused(self.recover("node1.old", "node1.journal", "--floor", FLOOR, "--longest-ttl", "11s"), USAGE, "less than the 12000 ms of a lease")
        done = self.recover("node1.old", "node1.journal", "--floor", FLOOR, "--longest-ttl", "15s")
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.assertEqual(pathlib.Path(self.path("node1.old")).read_bytes(), before)
        incarnation = re.search(r"incarnation ([0-9a-f]{16}), behind log index 1000000, with node 1 as its only voter", done.stdout)[1]
        old, new = self.inspect("node1.old"), self.inspect("node1.journal")
        self.assertEqual((new["integrity"], new["cluster"], new["epoch"], new["stream"]), ("whole", incarnation, old["epoch"], old["stream"]))
        self.assertNotEqual(new["storage"], old["storage"])
        self.assertGreater(new["replica"]["term"], old["replica"]["term"])
        self.assertEqual([(each["id"], each["standing"], each["storage"]) for each in new["replica"]["members"]], [(1, "voter", new["storage"])])
        self.assertEqual(new["replica"]["snapshot"]["index"], FLOOR)
        # A fence that is started now and asks for its floor admits nobody of before.
        self.assertEqual([(each["name"], each["token"]) for each in new["replica"]["snapshot"]["leases"]], [("winch", FLOOR)])

        self.cluster.start(1)
        wait_for("node 1 as leader", lambda: (self.cluster.status(1) or {}).get("role") == "leader")
        self.assertEqual(self.key(1, "get", "valve").stdout, "open\n")
        self.put(1, "valve", "shut")
        refused = self.hold(1, "crane", "--wait", "1s")
        if self.cluster.status(1)["cluster_time_us"] < new["replica"]["snapshot"]["grants_after_s"] * 1_000_000:    # as on any but a very slow machine
            self.assertEqual(refused.returncode, NOT_ACQUIRED, refused.stderr)
        granted = self.hold(1, "crane", "--wait", "60s")
        self.assertEqual(granted.returncode, DONE, granted.stderr)
        self.assertGreater(int(granted.stdout), FLOOR)
        self.assertLess(token, FLOOR)
        since = self.cluster.status(1)["cluster_time_us"]
        self.assertGreaterEqual(since, new["replica"]["snapshot"]["grants_after_s"] * 1_000_000)
        self.assertGreaterEqual(new["replica"]["snapshot"]["grants_after_s"] * 1_000_000,
                                new["replica"]["snapshot"]["cluster_time_us"] + 15_000_000)

        entry = {2: self.take_over(2, incarnation), 3: self.cluster.format("join", 3).strip()}
        self.assertRegex(entry[2], rf"^2:[0-9a-f]{{16}}@{self.cluster.address[2]}$")
        for node in (2, 3):
            self.cluster.start(node)
            for verb, argument in (("add", entry[node]), ("promote", node)):
                result = self.run_dunlin("member", verb, "--socket", self.cluster.socket(1), argument)
                self.assertEqual(result.returncode, DONE, result.stderr)
        self.kill(1)
        self.cluster.leader(but_not=1)
        self.assertEqual(self.key(2, "get", "valve").stdout, "shut\n")
        self.put(3, "valve", "open")

    def test_a_voter_with_its_old_journal_and_one_that_was_recovered_never_meet(self):
        self.lose_the_majority()
        os.rename(self.path("node1.journal"), self.path("node1.old"))
        self.assertEqual(self.recover("node1.old", "node1.journal", "--floor", FLOOR).returncode, DONE)
        self.cluster.start()
        wait_for("node 1 as leader", lambda: (self.cluster.status(1) or {}).get("role") == "leader")
        self.put(1, "valve", "one")
        self.put(2, "valve", "two")    # the other two are a majority of the cluster of before
        self.assertEqual(self.key(1, "get", "valve").stdout, "one\n")
        self.assertEqual(self.cluster.status(1)["leader"], 1)

    def test_a_publisher_goes_on_with_its_rebound_journal_where_it_was(self):
        address, = free_addresses(1)
        self.lose_the_majority()
        os.rename(self.path("node1.journal"), self.path("node1.old"))
        done = self.recover("node1.old", "node1.journal", "--floor", FLOOR)
        incarnation = re.search(r"incarnation ([0-9a-f]{16})", done.stdout)[1]
        peers = ["--cluster", "test", "--peer", self.cluster.address[1]]

        def run(lines):
            pathlib.Path(self.path("in")).write_text("".join(f"{number}\n" for number in range(lines)))
            sub = self.start_dunlin("sub", "tide", "--id", 41, "--listen", address, "--count", lines, *peers, "--journal", self.path("sub.journal"), "--file",
                                    self.path("out"), stderr=subprocess.DEVNULL)
            pub = self.start_dunlin("pub", "tide", "--id", 40, "--peer", address, *peers, "--journal", self.path("pub.journal"), "--file", self.path("in"),
                                    stderr=subprocess.DEVNULL)
            return [self.finish(each, "a process") for each in (pub, sub)]

        self.cluster.start(2, 3)
        self.cluster.leader()
        peers[3] = self.cluster.address[2]
        self.assertEqual(run(100), [DONE, DONE])
        self.kill(2, 3)
        self.assertNotEqual(self.inspect("pub.journal").get("cluster"), None)
        self.assertNotEqual(self.inspect("pub.journal")["cluster"], incarnation)
        for name in ("pub.journal", "sub.journal"):
            os.rename(self.path(name), self.path("old"))
            rebound = self.run_dunlin("journal", "rebind", self.path("old"), self.path(name), "--incarnation", incarnation)
            self.assertEqual((rebound.returncode, rebound.stdout, rebound.stderr), (DONE, "", ""))
            os.remove(self.path("old"))
            self.assertEqual(self.inspect(name)["cluster"], incarnation)
        peers[3] = self.cluster.address[1]
        self.cluster.start(1)
        self.assertEqual(run(200), [DONE, DONE])
        self.assertEqual(pathlib.Path(self.path("out")).read_text(), pathlib.Path(self.path("in")).read_text())


class Refused(RecoveryTest):
    def test_what_cannot_be_recovered_is_refused_and_nothing_is_made(self):
        def refused(code, old, *options, words):
            self.assert_refused(self.recover(old, "new", *options), code, *words)
            self.assertFalse(os.path.exists(self.path("new")))

        joined = "joined.journal"
        self.assertEqual(self.run_dunlin("join", "--id", 9, "--journal", self.path(joined), "--address", "127.0.0.1:7009").returncode, DONE)
        refused(CANNOT_START, joined, "--floor", FLOOR, words=["has no copy of its cluster's log"])
        refused(USAGE, "node1.journal", "--floor", 1, words=["--floor 1 is not above 1,", "node1.journal"])
        refused(USAGE, "node1.journal", "--floor", 9, "--longest-ttl", "2h", words=["--longest-ttl"])
        refused(CANNOT_START, "none", "--floor", 9, words=["none"])
        result = self.recover("node1.journal", joined, "--floor", 9)
        self.assert_refused(result, CANNOT_START, "joined.journal", "exists already")
        rebind = ["journal", "rebind", self.path("node1.journal"), self.path("new"), "--incarnation"]
        for wrong in ("12", "0" * 16, "g" * 16):
            self.assert_refused(self.run_dunlin(*rebind, wrong), USAGE, f"'{wrong}'")
        content = bytearray(pathlib.Path(self.path("node1.journal")).read_bytes())
        content[512 + 40] ^= 1
        pathlib.Path(self.path("bad")).write_bytes(content)
        refused(CANNOT_START, "bad", "--floor", 9, words=["is not whole"])
        self.cluster.start(1)
        wait_for("node 1", lambda: self.cluster.status(1))
        refused(CANNOT_START, "node1.journal", "--floor", FLOOR, words=["is in use"])


if __name__ == "__main__":
    unittest.main()
