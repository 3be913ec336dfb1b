#!/usr/bin/env python3
"""A command that waits says why, once for each reason; and how it ended where it was interrupted."""

import json
import pathlib
import signal
import subprocess
import threading
import time
import unittest

from processes import PATIENCE_S, ProcessTest, free_addresses, wait_for

FAILED, USAGE, NOT_ACQUIRED = 1, 2, 122
GOING_ON = "dunlin: going on.\n"


class WaitingTest(ProcessTest):
    def start_waiting(self, *arguments, **options):
        return self.start_dunlin(*arguments, **{"stderr": subprocess.PIPE, "text": True, **options})

    @staticmethod
    def next_line(process):
        """What it says next on its standard error; nothing where it stays silent."""
        patience = threading.Timer(PATIENCE_S / 2, process.kill)    # below what ctest waits
        patience.start()
        try:
            return process.stderr.readline()
        finally:
            patience.cancel()

    def start_pair(self):
        """A publisher and its subscriber, which has id 7, once a first line has come."""
        address, = free_addresses(1)
        with open(self.path("out"), "wb") as out:
            sub = self.start_dunlin("sub", "a", "--id", 7, "--listen", address, stdout=out)
        pub = self.start_waiting("pub", "a", "--peer", address, "--socket", self.path("socket"), stdin=subprocess.PIPE)
        self.feed(pub, "first\n")
        wait_for("the first line", lambda: pathlib.Path(self.path("out")).read_bytes() == b"first\n")
        return pub, sub

    @staticmethod
    def feed(pub, text):
        pub.stdin.write(text)
        pub.stdin.flush()


class Waiting(WaitingTest):
    def assert_says(self, process, *words):
        """The next line on its standard error has these words."""
        line = self.next_line(process)
        self.assertTrue(line.startswith("dunlin: waiting: ") and line.endswith(".\n"), line)
        for word in words:
            self.assertIn(word, line)

    def test_pub_says_each_reason_once(self):
        own, other = free_addresses(2)
        pub = self.start_waiting("pub", "a", "--listen", own, "--peer", other, "--subscribers", 2)
        self.assert_says(pub, f"no answer from the peer {other} yet")
        self.start_dunlin("sub", "b", "--listen", other)
        self.assert_says(pub, "connected, but nobody subscribes to 'a' (0 of 2 subscribers)")
        self.start_dunlin("sub", "a", "--peer", own)
        self.assert_says(pub, "connected, but not enough subscribe to 'a' (1 of 2 subscribers)")
        self.start_dunlin("sub", "a", "--peer", own)
        self.assertEqual(self.finish(pub, "pub"), 0)
        self.assertIn(pub.stderr.read(), ("", GOING_ON))    # it may end before it looks again

    def assert_says_that_it_is_gone(self, pub, what):
        told = self.next_line(pub)
        if "not taking" in told:    # until the session ends
            told = self.next_line(pub)
        self.assertEqual(told, f"dunlin: waiting: {what}; no session with node 7.\n")

    def test_pub_says_who_stands_still_and_that_it_goes_on(self):
        pub, sub = self.start_pair()
        sub.send_signal(signal.SIGSTOP)
        self.feed(pub, "x\n" * 6000)    # more than the outbox has room for
        self.assert_says_that_it_is_gone(pub, "the outbox is full, and nothing was settled lately")
        sub.send_signal(signal.SIGCONT)
        self.assertEqual(self.next_line(pub), GOING_ON)
        pub.stdin.close()
        self.assertEqual((self.finish(pub, "pub"), pub.stderr.read()), (0, ""))

    def test_pub_says_who_is_gone(self):
        pub, sub = self.start_pair()
        sub.kill()
        sub.wait()
        self.feed(pub, "last\n")
        self.assert_says_that_it_is_gone(pub, "not all is settled")

    def test_pub_says_who_takes_nothing(self):
        address, = free_addresses(1)
        pathlib.Path(self.path("in")).write_bytes((b"x" * 999 + b"\n") * 10_000)    # more than both keep
        self.start_dunlin("sub", "a", "--id", 7, "--listen", address, stdout=subprocess.PIPE)    # which nobody reads
        pub = self.start_waiting("pub", "a", "--peer", address, "--file", self.path("in"))
        self.assert_says(pub, "the outbox is full, and nothing was settled lately; connected, but not taking what was sent: node 7")

    def test_status_tells_what_pub_and_sub_count(self):
        address, = free_addresses(1)
        commands = {"sub": ("--listen", address), "pub": ("--peer", address)}
        for verb, where in commands.items():
            self.start_dunlin(verb, "a", *where, "--socket", self.path(verb), stdin=subprocess.PIPE)

        def counters(verb):
            result = self.run_dunlin("status", "--json", "--counters", "--socket", self.path(verb))
            status = json.loads(result.stdout) if result.returncode == 0 else None
            return status["counters"] if status and status["sessions_open"] == 1 else None
        for verb in commands:
            self.assertIn("credit_waits", wait_for(f"the session of {verb}", lambda: counters(verb)))

    def test_sub_says_that_nobody_has_come(self):
        address, silent = free_addresses(2)
        self.assert_says(self.start_waiting("sub", "a", "--listen", address), f"no publisher has connected to {address} yet")
        self.assert_says(self.start_waiting("sub", "a", "--peer", silent), f"no answer from the peer {silent} yet")

    def test_lease_says_one_reason_once_and_again_when_it_gives_up(self):
        silent = free_addresses(2)
        result = self.run_dunlin("lease", "acquire", "crane", "--wait", "8s", "--peer", silent[0], "--peer", silent[1], "--", "true")
        reason = f"no answer from any of the peers {silent[0]}, {silent[1]} yet (no session)"
        self.assertEqual(result.returncode, NOT_ACQUIRED)
        self.assertEqual(result.stderr, f"dunlin: waiting: {reason}.\ndunlin: the lease 'crane' was not acquired before --wait 8s passed: {reason}.\n")

    def test_who_can_never_meet_anybody_is_refused(self):
        for command in (["pub", "a"], ["sub", "a"], ["lease", "acquire", "crane", "--", "true"]):
            self.assert_refused(self.run_dunlin(*command), USAGE, "--peer", "--listen")


class Interrupted(WaitingTest):
    def interrupt(self, process, number):
        """Its exit status after that signal, sent when it says that it waits."""
        self.assertTrue(self.next_line(process).startswith("dunlin: waiting: "))
        process.send_signal(number)
        return self.finish(process, "the command")

    def test_sub_below_its_count_tells_the_signal(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            address, = free_addresses(1)
            sub = self.start_waiting("sub", "a", "--listen", address, "--count", 5)
            self.assertEqual(self.interrupt(sub, number), 128 + number)
            self.assertEqual(sub.stderr.read(), "dunlin: stopped by a signal after 0 of 5 lines.\n")

    def test_sub_without_a_count_is_done(self):
        address, = free_addresses(1)
        self.assertEqual(self.interrupt(self.start_waiting("sub", "a", "--listen", address), signal.SIGINT), 0)

    def test_signals_that_come_together_are_one_wish(self):
        """As those of timeout(1), to the process and to its group: what was published is still settled."""
        pub, sub = self.start_pair()
        sub.send_signal(signal.SIGSTOP)
        pub.stdin.write("last\n")
        pub.stdin.close()

        def published():
            return json.loads(self.run_dunlin("status", "--json", "--socket", self.path("socket")).stdout)["outbox_messages"] == 1
        wait_for("the last line in the outbox", published)
        for _ in range(5):
            pub.send_signal(signal.SIGTERM)
            time.sleep(0.01)    # signals that wait together are one already
        sub.send_signal(signal.SIGCONT)
        self.assertEqual((self.finish(pub, "pub"), pub.stderr.read()), (0, ""))
        self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), b"first\nlast\n")

    def test_a_lease_that_was_not_acquired_tells_the_signal(self):
        address, = free_addresses(1)
        lease = self.start_waiting("lease", "acquire", "crane", "--peer", address, "--", "true")
        self.assertEqual(self.interrupt(lease, signal.SIGINT), 128 + signal.SIGINT)
        self.assertIn("'crane' was not acquired before a signal came: no answer", lease.stderr.read())


class Identity(ProcessTest):
    def test_a_second_process_of_one_id_ends_and_its_lines_stay_in_its_journal(self):
        address, = free_addresses(1)
        with open(self.path("out"), "wb") as out:
            self.start_dunlin("sub", "a", "--id", 2, "--listen", address, stdout=out)
        pub = ("pub", "a", "--id", 7, "--peer", address, "--journal")
        for _ in range(3):    # a later epoch than that of the other journal, or the second would be taken for this one's restart
            self.assertEqual(self.run_dunlin(*pub, self.path("first.journal")).returncode, 0)
        first = self.start_dunlin(*pub, self.path("first.journal"), stdin=subprocess.PIPE)
        first.stdin.write(b"first\n")
        first.stdin.flush()
        wait_for("its line", lambda: pathlib.Path(self.path("out")).read_bytes() == b"first\n")
        pathlib.Path(self.path("in")).write_bytes(b"second\n")
        again = (*pub, self.path("second.journal"), "--file", self.path("in"))
        result = self.run_dunlin(*again)
        self.assertEqual(result.returncode, FAILED, result.stderr)
        self.assertIn("dunlin: another live process uses node id 7 (or it is a voter's), says node 2; choose another --id.\n", result.stderr)
        first.kill()
        first.wait()
        self.assertEqual(self.run_dunlin(*again).returncode, 0)
        self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), b"first\nsecond\n")


if __name__ == "__main__":
    unittest.main()
