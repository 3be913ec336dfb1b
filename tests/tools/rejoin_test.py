#!/usr/bin/env python3
"""A voter whose journal is corrupt comes back under another storage, as real processes, and never votes under the old one."""

import json
import os
import pathlib
import unittest

from journal_test import current, records
from processes import Cluster, ProcessTest, wait_for

CANNOT_START = 3


class Rejoin(ProcessTest):
    def setUp(self):
        super().setUp()
        self.cluster = Cluster(self)
        self.cluster.start()
        self.cluster.leader()
        for value in range(20):
            self.put(1, value)
        wait_for("the log at node 2", lambda: self.inspect(2)["replica"]["last_index"] > 20)
        self.assertEqual(self.cluster.stop(2), 0)
        self.storage = self.inspect(2)["storage"]

    def journal(self, suffix=""):
        return self.path("node2.journal" + suffix)

    def inspect(self, node):
        return json.loads(self.run_dunlin("journal", "inspect", "--json", self.path(f"node{node}.journal")).stdout)

    def put(self, node, value):
        wait_for("a put", lambda: self.run_dunlin("key", "put", "--socket", self.cluster.socket(node), "k", str(value)).returncode == 0)

    def corrupt(self):
        """One bit of a record in the middle, which was synced long before the last."""
        _, bank = current(self.inspect(2))
        content = bytearray(pathlib.Path(self.journal()).read_bytes())
        at, _, length = list(records(content, bank))[-12]
        content[at + length // 2] ^= 4
        pathlib.Path(self.journal()).write_bytes(content)
        return bytes(content)

    def allow(self):
        with open(self.path("node2.toml"), "a", encoding="utf-8") as file:
            file.write(f'rejoin = "{self.cluster.address[2]}"\n')

    def standing(self, at=1):
        """Of node 2, as another knows it: its storage and what it is."""
        result = self.run_dunlin("member", "list", "--json", "--socket", self.cluster.socket(at))
        rows = json.loads(result.stdout)["members"] if result.returncode == 0 else []
        return next(((row["storage"], row["standing"]) for row in rows if row["id"] == 2), None)

    def votes_anew(self):
        found = self.standing()
        return found is not None and found[0] != self.storage and found[1] == "voter"

    def test_a_voter_with_a_corrupt_journal_gets_another_and_votes_again_with_what_the_others_have(self):
        damaged = self.corrupt()
        self.allow()
        self.cluster.start(2)
        wait_for("node 2 as a voter", self.votes_anew)
        self.assertEqual(pathlib.Path(self.journal(".corrupt")).read_bytes(), damaged)
        self.assertEqual(self.inspect(2)["storage"], self.standing()[0])
        wait_for("its last phase", lambda: not list(self.folder.glob("*.rejoin-*")))
        gone = next(node for node in (1, 3) if node != self.cluster.leader())
        self.cluster.processes[gone].kill()
        self.put(2, "again")    # of the three voters, two are left, and it is one of them

    def test_it_goes_on_where_it_was_killed_on_the_way(self):
        self.corrupt()
        self.allow()
        self.cluster.start(2)
        for phase in ("remove", "add", "promote"):
            wait_for(phase, lambda: os.path.exists(self.journal(".rejoin-" + phase)) or self.votes_anew())
            self.cluster.processes[2].kill()
            self.cluster.processes[2].wait()
            self.cluster.start(2)
        wait_for("node 2 as a voter", self.votes_anew)
        self.assertEqual(self.inspect(2)["storage"], self.standing()[0])

    def test_without_a_quorum_it_waits_and_has_no_vote(self):
        self.corrupt()
        self.allow()
        self.cluster.processes[3].kill()
        self.cluster.processes[3].wait()
        self.cluster.start(2)
        wait_for("the first phase", lambda: os.path.exists(self.journal(".rejoin-remove")))
        wait_for("the end of the term", lambda: self.cluster.status(1)["leader"] == 0)
        self.assertNotEqual(self.run_dunlin("key", "put", "--socket", self.cluster.socket(1), "k", "v").returncode, 0)
        self.assertEqual(self.standing(), (self.storage, "voter"))
        self.cluster.start(3)
        wait_for("node 2 as a voter", self.votes_anew)

    def test_who_was_removed_meanwhile_stays_out(self):
        self.corrupt()
        self.allow()
        self.assertEqual(self.run_dunlin("member", "remove", "--socket", self.cluster.socket(1), 2).returncode, 0)
        result = self.run_dunlin("node", "-c", self.path("node2.toml"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("node 2 is no member of its cluster any more", result.stderr)
        self.assertEqual(self.standing(), None)
        self.assertEqual(list(self.folder.glob("*.rejoin-*")), [])

    def test_another_nodes_journal_is_left_alone(self):
        damaged = self.corrupt()
        with open(self.path("other.toml"), "w", encoding="utf-8") as file:
            file.write(f'id = 4\ncluster = "test"\nlisten = "127.0.0.1:0"\njournal = "node2.journal"\nseeds = ["{self.cluster.address[1]}"]\n'
                       f'rejoin = "{self.cluster.address[2]}"\n')
        result = self.run_dunlin("node", "-c", self.path("other.toml"))
        self.assertEqual(result.returncode, CANNOT_START)
        self.assertIn("is another node's", result.stderr)
        self.assertEqual(pathlib.Path(self.journal()).read_bytes(), damaged)

    def test_a_second_time_somebody_must_look_first(self):
        pathlib.Path(self.journal(".corrupt")).write_bytes(b"from before")
        damaged = self.corrupt()
        self.allow()
        result = self.run_dunlin("node", "-c", self.path("node2.toml"))
        self.assertEqual(result.returncode, CANNOT_START)
        self.assertIn("and so was one before it", result.stderr)
        self.assertEqual(pathlib.Path(self.journal()).read_bytes(), damaged)

    def test_unless_it_is_told_to_it_stops(self):
        damaged = self.corrupt()
        self.assertEqual(self.run_dunlin("node", "-c", self.path("node2.toml")).returncode, CANNOT_START)
        self.assertEqual(pathlib.Path(self.journal()).read_bytes(), damaged)


if __name__ == "__main__":
    unittest.main()
