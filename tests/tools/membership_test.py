#!/usr/bin/env python3
"""Voters come and go, each a process, while the cluster works."""

import json
import pathlib
import subprocess
import threading
import time
import unittest

from processes import DUNLIN, Cluster, ProcessTest, free_addresses, wait_for

HELD_TWICE = 77


class MembershipTest(ProcessTest):
    def member(self, verb, *arguments, at=1):
        return self.run_dunlin("member", verb, "--socket", self.cluster.socket(at), *arguments)

    def standings(self, at):
        """Who is what, as that node knows it: {1: "voter", ...}; nothing where it is not up."""
        result = self.member("list", "--json", at=at)
        return {each["id"]: each["standing"] for each in json.loads(result.stdout)["members"]} if result.returncode == 0 else {}


class Members(MembershipTest):
    def setUp(self):
        super().setUp()
        self.cluster = Cluster(self)
        self.cluster.start()
        self.cluster.leader()

    def test_are_listed_added_promoted_and_removed(self):
        entry = self.cluster.join(4)
        added = self.member("add", entry)
        self.assertEqual((added.returncode, added.stderr), (0, ""))
        self.assertRegex(added.stdout, r"^node 4 is a learner now; log index \d+\n$")
        self.assertEqual(self.member("promote", 4, at=2).returncode, 0)
        self.assertEqual(wait_for("the news at the new voter", lambda: self.standings(4).get(4) == "voter" and self.standings(4)),
                         dict.fromkeys((1, 2, 3, 4), "voter"))
        listed = json.loads(self.member("list", "--json", at=4).stdout)
        self.assertEqual([f"{each['id']}:{each['storage']}@{each['address']}" for each in listed["members"]][3], entry)
        self.assertGreater(listed["index"], 1)
        told = self.member("list", at=4).stdout
        self.assertRegex(told, rf"^members since log index {listed['index']}, as node 4 knows them:\n")
        self.assertRegex(told, rf"(?m)^  node 4     voter   {self.cluster.address[4]} +storage [0-9a-f]{{16}}$")
        self.assertRegex(self.run_dunlin("status", "--socket", self.cluster.socket(4)).stdout, r"(?m)^member node 4: voter, 127\.0\.0\.1:")
        self.assertEqual(self.member("transfer", 4).stdout, "node 4 leads\n")
        self.assertEqual(self.cluster.leader(), 4)
        self.assertEqual(self.member("demote", 1).returncode, 0)
        wait_for("the demotion", lambda: self.standings(2).get(1) == "learner")
        self.assertEqual(self.member("remove", 1, at=2).stdout.split(";")[0], "node 1 is no member any more")
        self.assertEqual(self.cluster.stop(1), 0)
        self.assertEqual(self.run_dunlin("key", "put", "--socket", self.cluster.socket(2), "k", "v").returncode, 0)

    def test_that_cannot_be_are_refused_in_a_sentence(self):
        storage = self.cluster.status(2)["storage"]
        self.assert_refused(self.member("add", f"2:{storage}@{self.cluster.address[2]}"), 1, "node 2 is a member already")
        self.assert_refused(self.member("promote", 9), 1, "node 9 is no member")
        self.assert_refused(self.member("promote", 2), 1, "node 2 is a voter already")
        self.assert_refused(self.member("remove", 9), 1, "node 9 is no member")
        self.assert_refused(self.member("transfer", 9), 1, "node 9 is no voter")
        for node in range(4, 8):
            self.assertEqual(self.member("add", f"{node}:{node:016x}@127.0.0.1:{node}").returncode, 0)
        self.assert_refused(self.member("add", "8:8@127.0.0.1:8"), 1, "as many members as its ledger holds")
        self.assert_refused(self.member("promote", 7), 1, "node 7 has not caught up")
        address, = free_addresses(1)
        self.start_dunlin("sub", "a", "--cluster", "test", "--listen", address, "--socket", self.path("sub.socket"))
        wait_for("the subscriber", lambda: self.run_dunlin("status", "--socket", self.path("sub.socket")).returncode == 0)
        self.assert_refused(self.run_dunlin("member", "list", "--socket", self.path("sub.socket")), 1, "knows no members")


class Grown(MembershipTest):
    LINE_PAUSE_S = 0.01

    def setUp(self):
        super().setUp()
        self.cluster = Cluster(self, loss=0.01)
        self.cluster.start()
        self.cluster.leader()
        self.over = threading.Event()
        self.addCleanup(self.over.set)

    def feed(self, pipe, counted):
        """Lines for pub, until the cluster has had its changes."""
        while not self.over.is_set():
            counted.append(len(counted) + 1)
            pipe.write(f"{counted[-1]}\n".encode())
            pipe.flush()
            time.sleep(self.LINE_PAUSE_S)
        pipe.close()

    def hold_again_and_again(self, holder, statuses):
        """A lease over a command that finds out whether another one runs, and notes its token."""
        peers = [word for node in (1, 2, 3) for word in ("--peer", self.cluster.address[node])]
        command = f'echo "$DUNLIN_LEASE_TOKEN" >>{self.path("tokens")}; sleep 0.2'
        while not self.over.is_set():
            result = subprocess.run([DUNLIN, "lease", "acquire", "crane", "--ttl", "2s", "--wait", "20s", "--cluster", "test", "--id", str(holder), *peers, "--",
                                     "flock", "-n", "-E", str(HELD_TWICE), self.path("lock"), "sh", "-c", command],
                                    stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            statuses.append(result.returncode)

    def alive(self):
        return [node for node in self.cluster.nodes if self.cluster.processes[node].poll() is None]

    def until(self, verb, argument, node, standing):
        """Asks for a change, at one voter after the other, until all agree on it; what timed out may have been done all the same."""
        asked = 0

        def done():
            nonlocal asked
            voters = [each for each in self.alive() if each != node]
            if all(known and known.get(node) == standing for known in map(self.standings, voters)):
                return True
            self.member(verb, argument, at=voters[asked % len(voters)])
            asked += 1
            return False
        wait_for(f"member {verb} {argument}", done)

    def kill_leader(self):
        leader = self.cluster.leader()
        self.cluster.processes[leader].kill()
        self.cluster.processes[leader].wait()
        self.cluster.leader(but_not=leader)
        return leader

    def grow(self, node):
        entry = self.cluster.join(node)
        self.until("add", entry, node, "learner")
        killed = self.kill_leader()
        self.until("promote", node, node, "voter")
        self.cluster.nodes.append(node)
        self.cluster.start(killed)

    def shrink(self):
        """Without the one that leads."""
        gone = self.cluster.leader()
        self.until("remove", gone, gone, None)
        self.cluster.nodes.remove(gone)
        self.cluster.leader(but_not=gone)
        self.assertEqual(self.cluster.stop(gone), 0)
        self.cluster.start(self.kill_leader())

    def test_from_three_to_five_and_back_with_each_leader_killed(self):
        address, = free_addresses(1)
        with open(self.path("out"), "wb") as out:
            sub = self.start_dunlin("sub", "numbers", "--cluster", "test", "--id", 21, "--listen", address, "--loss", "0.05", stdout=out)
        pub = self.start_dunlin("pub", "numbers", "--cluster", "test", "--id", 20, "--peer", address, "--loss", "0.05", stdin=subprocess.PIPE)
        counted, statuses = [], []
        threads = [threading.Thread(target=self.feed, args=(pub.stdin, counted))]
        threads += [threading.Thread(target=self.hold_again_and_again, args=(holder, statuses)) for holder in (30, 31)]
        for thread in threads:
            thread.start()
        try:
            self.grow(4)
            self.grow(5)
            five = dict.fromkeys(range(1, 6), "voter")
            wait_for("node 5 to know that it votes", lambda: self.standings(5) == five)  # the others knew it before
            self.shrink()
            self.shrink()
            self.assertEqual(self.standings(self.cluster.leader()), dict.fromkeys(self.cluster.nodes, "voter"))
            self.assertEqual(len(self.cluster.nodes), 3)
            wait_for("holders of the lease", lambda: statuses.count(0) > 10)
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(self.finish(pub, "pub"), 0)
        expected = "".join(f"{number}\n" for number in counted)
        wait_for("every line", lambda: pathlib.Path(self.path("out")).read_text() == expected)
        sub.terminate()
        self.assertEqual(self.finish(sub, "sub"), 0)
        self.assertEqual(pathlib.Path(self.path("out")).read_text(), expected)
        tokens = [int(line) for line in pathlib.Path(self.path("tokens")).read_text().split()]
        self.assertNotIn(HELD_TWICE, statuses)
        self.assertEqual(tokens, sorted(set(tokens)))
        print(f"{len(counted)} lines, {len(tokens)} holders of the lease, {statuses.count(0)} to their end")


if __name__ == "__main__":
    unittest.main()
