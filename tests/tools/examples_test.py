#!/usr/bin/env python3
"""The examples sensor, actuator and voter as processes on this machine: the same sources are images on boards.

The build folder is named by the environment variable DUNLIN_BUILD.
"""

import os
import pathlib
import re
import signal
import subprocess
import unittest

from processes import PATIENCE_S, Cluster, ProcessTest, free_addresses, wait_for

DONE, FAILED, USAGE, CANNOT_START = 0, 1, 2, 3
VOTER, FIRST, ACTUATOR, SECOND = 3, 12, 13, 14    # ids


class Line(dict):
    """One printed line: its words, numbers as such."""

    def __init__(self, text):
        words = (word.split("=", 1) for word in text.split())
        super().__init__((key, int(value) if value.isdigit() else value) for key, value in words)

    def message(self, sensor):
        return sensor, self["sequence"], self["token"]


class Plant(ProcessTest):
    """Two voters that are the command, one that is the example, and sensors and an actuator. Each has a log of all its lives."""

    def setUp(self):
        super().setUp()
        addresses = free_addresses(4)
        self.address = dict(zip((VOTER, FIRST, ACTUATOR, SECOND), addresses))
        self.processes = {}
        self.seeds = []

    def start(self, name, node, *words, seeds=()):
        """Starts a node of the examples, with a journal of its own unless told otherwise."""
        if not any(word.startswith("journal=") for word in words):
            words = (*words, f"journal={self.path(f'{node}.journal')}")
        if self.seeds or seeds:
            words = (*words, "seeds=" + ",".join([*self.seeds, *seeds]))
        program = pathlib.Path(os.environ["DUNLIN_BUILD"], "examples", name, f"example_{name}")
        with open(self.path(f"{node}.log"), "a", encoding="ascii") as log:
            process = subprocess.Popen([program, f"id={node}", "cluster=test", f"address={self.address[node]}", *words],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        self.processes[node] = process

    def start_sensor(self, node, *words):
        self.start("sensor", node, *words, seeds=[self.address[ACTUATOR]])

    def start_plant(self, *sensors):
        """The cluster, the actuator and these sensors, in which one measures and the actuator hears it."""
        self.start("voter", VOTER)
        entry = wait_for("the voter's entry", lambda: self.lines(VOTER, "started"))[0]["entry"]
        self.cluster = Cluster(self, voters=2, loss=0.05, ledger="voter_min", others=[entry])
        self.seeds = list(self.cluster.address.values())
        self.kill(VOTER)
        self.start("voter", VOTER)
        self.cluster.start()
        self.start("actuator", ACTUATOR)
        for sensor in sensors:
            self.start_sensor(sensor, "loss_ppm=50000")
        wait_for("a message", lambda: self.lines(ACTUATOR, "handled"))

    def lines(self, of, event, **having):
        """What a node has printed so far of one kind; the last line may still be under way."""
        try:
            text = pathlib.Path(self.path(f"{of}.log")).read_text(encoding="ascii")
        except FileNotFoundError:
            return []
        every = (Line(each) for each in text.split("\n")[:-1])
        return [line for line in every if line["event"] == event and having.items() <= line.items()]

    def more(self, count, of, event, **having):
        """Waits until a node has printed so many more lines of a kind than it has now; all of them."""
        enough = len(self.lines(of, event, **having)) + count
        wait_for(f"{count} more {event} of node {of}", lambda: len(self.lines(of, event, **having)) >= enough)
        return self.lines(of, event, **having)

    def kill(self, node):
        self.processes[node].kill()
        self.processes[node].wait()

    def stop(self, node):
        self.processes[node].send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(self.processes[node], f"node {node}"), DONE)

    def holder(self):
        """(who measures, who stands by)"""
        held = {node: self.lines(node, "lease_held") for node in (FIRST, SECOND)}
        first = FIRST if held[FIRST] else SECOND
        return first, FIRST + SECOND - first

    def published(self, sensor):
        return [line.message(sensor) for line in self.lines(sensor, "published")]

    def handled(self):
        return [line.message(line["node"]) for line in self.lines(ACTUATOR, "handled")]

    def assert_tokens_grow(self):
        """One sensor at a time: whoever measures under a token does so after everybody under a lower one."""
        every = sorted((line["t_us"], line["token"]) for sensor in (FIRST, SECOND) for line in self.lines(sensor, "published"))
        tokens = [token for _, token in every]
        self.assertEqual(tokens, sorted(tokens))
        seen = [token for _, _, token in self.handled()]
        self.assertEqual(seen, sorted(seen))


class Members(Plant):
    def test_who_stands_by_takes_over_and_nothing_is_lost(self):
        self.start_plant(FIRST, SECOND)
        first, second = self.holder()
        self.more(10, first, "published")
        self.assertEqual(self.published(second), [])
        self.stop(first)
        self.more(10, second, "published")
        self.start_sensor(first)
        self.more(5, second, "published")
        self.kill(second)
        *kept, _ = self.lines(second, "published")    # the last one may not have reached the journal
        self.more(10, first, "published")
        self.start_sensor(second)
        wait_for("all outcomes", lambda: {line["id"] for line in self.lines(second, "outcome")} >= {line["id"] for line in kept})
        self.stop(first)
        handled = self.handled()
        self.assertEqual(len(handled), len(set(handled)))
        self.assertLessEqual(set(self.published(first)), set(handled))
        # What the killed one still had bears an old token, and was refused or handled in time.
        fenced = {line["id"] for line in self.lines(second, "outcome", outcome="fenced")}
        self.assertEqual([line for line in kept if line["id"] not in fenced and line.message(second) not in handled], [])
        self.assert_tokens_grow()

    def test_a_stale_token_is_refused(self):
        self.start_plant(FIRST, SECOND)
        first, second = self.holder()
        self.kill(ACTUATOR)
        stale = self.more(3, first, "published")[-1]["token"]    # which wait for the actuator's durable subscription
        self.processes[first].send_signal(signal.SIGSTOP)
        self.more(3, second, "published")
        self.start("actuator", ACTUATOR)
        self.more(3, ACTUATOR, "handled", node=second)
        self.processes[first].send_signal(signal.SIGCONT)
        fenced = self.more(3, ACTUATOR, "fenced", node=first)
        self.assertTrue(all(line["token"] == stale < line["floor"] for line in fenced), fenced)
        self.assertGreaterEqual(self.lines(ACTUATOR, "refused")[-1]["count"], 3)
        wait_for("the sensor to hear of it", lambda: len(self.lines(first, "outcome", outcome="fenced")) >= 3)
        # It knows: only under a new token may it go on.
        self.kill(second)
        self.more(3, ACTUATOR, "handled", node=first)
        self.assert_tokens_grow()

    def test_with_journals_both_go_on_after_they_were_killed(self):
        self.start_plant(FIRST)
        for _ in range(3):
            self.more(5, FIRST, "published")
            self.kill(FIRST)
            self.start_sensor(FIRST)
            self.more(5, FIRST, "published")
            self.kill(ACTUATOR)
            self.more(3, FIRST, "published")
            self.start("actuator", ACTUATOR)
            self.more(5, ACTUATOR, "handled")
        self.stop(FIRST)
        self.stop(ACTUATOR)
        # A line that was printed just before a kill may be of a message that was not in the journal yet: then its number is given again.
        last = max(sequence for _, sequence, _ in self.published(FIRST))
        self.assertEqual({sequence for _, sequence, _ in self.handled()}, set(range(1, last + 1)))
        self.assertEqual(self.lines(ACTUATOR, "fenced"), [])
        seen = set()
        for line in self.lines(ACTUATOR, "handled"):
            self.assertTrue(line["repeated"] or line["sequence"] not in seen, line)
            seen.add(line["sequence"])

    def test_without_a_journal_they_start_anew(self):
        self.start_plant(FIRST)
        self.kill(FIRST)
        self.kill(ACTUATOR)
        self.start("actuator", ACTUATOR, "journal=none")
        self.start_sensor(FIRST, "journal=none")
        again = self.more(5, ACTUATOR, "handled")[-1]
        self.assertEqual([line["epoch"] for line in self.lines(FIRST, "started")], [2, 1])
        self.assertLess(again["sequence"], 100)


class Voter(Plant):
    def put(self):
        return self.run_dunlin("key", "put", "--socket", self.cluster.socket(1), "mode", "auto")

    def test_votes_with_the_journal_that_the_cluster_knows_and_with_no_other(self):
        self.start_plant(FIRST)
        self.cluster.processes[2].kill()
        self.cluster.processes[2].wait()
        wait_for("a majority with the example's voter", lambda: self.put().returncode == DONE)
        known = self.lines(VOTER, "started")
        self.assertEqual(len({line["entry"] for line in known}), 1)
        self.assertRegex(known[0]["entry"], rf"^{VOTER}:[0-9a-f]{{16}}@{self.address[VOTER]}$")
        self.kill(VOTER)
        journal = pathlib.Path(self.path(f"{VOTER}.journal"))
        journal.write_bytes(bytes(journal.stat().st_size))
        self.start("voter", VOTER)
        anew = self.more(1, VOTER, "started")[-1]
        self.assertNotEqual(anew["entry"], known[0]["entry"])
        wait_for("the others to turn it away", lambda: self.lines(VOTER, "conflict", node=1))
        self.assert_refused(self.put(), FAILED, "no quorum: ")
        # The one that was killed makes it two of three, who take the new one in.
        self.cluster.start(2)
        wait_for("a majority of the command's voters", lambda: self.put().returncode == DONE)
        for verb, argument in (("remove", VOTER), ("add", anew["entry"]), ("promote", VOTER)):
            result = self.run_dunlin("member", verb, "--socket", self.cluster.socket(1), argument)
            self.assertEqual(result.returncode, DONE, result.stderr)
        self.cluster.processes[2].kill()
        wait_for("a majority with the example's voter again", lambda: self.put().returncode == DONE)

    def test_leaves_a_corrupt_journal_as_it_is(self):
        self.start("voter", VOTER)
        wait_for("the voter", lambda: self.lines(VOTER, "started"))
        self.kill(VOTER)
        journal = pathlib.Path(self.path(f"{VOTER}.journal"))
        broken = bytearray(journal.read_bytes())
        for bank in (0, len(broken) // 2):
            for place in range(bank, bank + 512):
                broken[place] ^= 0x5a
        journal.write_bytes(broken)
        self.start("voter", VOTER)
        self.assertEqual(self.finish(self.processes[VOTER], "the voter"), CANNOT_START)
        self.assertRegex(self.processes[VOTER].stderr.read(), r"^error: the journal is corrupt.*\(corrupt\)\.\n$")
        self.assertEqual(self.lines(VOTER, "failed")[-1]["reason"], "corrupt")
        self.assertEqual(journal.read_bytes(), broken)

    def test_needs_a_journal(self):
        self.start("voter", VOTER, "journal=none")
        self.assertEqual(self.finish(self.processes[VOTER], "the voter"), CANNOT_START)
        self.assertIn("a voter needs a journal", self.processes[VOTER].stderr.read())

    def test_says_which_setting_is_wrong(self):
        self.start("voter", VOTER, "journal=none", "loss_ppm=1e6")
        self.assertEqual(self.finish(self.processes[VOTER], "the voter"), USAGE)
        self.assertEqual(self.processes[VOTER].stderr.read(), "error: 'loss_ppm=1e6' must be a number, 0..1000000.\n")

    def test_says_that_its_address_is_taken(self):
        self.start("voter", VOTER)
        wait_for("the voter", lambda: self.lines(VOTER, "started"))
        self.start("voter", VOTER, f"journal={self.path('other.journal')}")
        self.assertEqual(self.finish(self.processes[VOTER], "the second voter"), CANNOT_START)
        self.assertRegex(self.processes[VOTER].stderr.read(), rf"^error: .*{re.escape(self.address[VOTER])}.*\n$")


if __name__ == "__main__":
    unittest.main()
