#!/usr/bin/env python3
"""Three voters, each a process: they lead, remember, hold leases and stop well."""

import os
import pathlib
import signal
import subprocess
import unittest

from processes import DUNLIN, Cluster, ProcessTest, group_alive, wait_for

NO_SUCH_KEY, IN_TIME, KILLED, NOT_ACQUIRED = 4, 120, 121, 122


class Voters(ProcessTest):
    def test_a_value_outlives_the_leader_that_took_it(self):
        cluster = Cluster(self, loss=0.05)
        cluster.start()
        leader = cluster.leader()
        first, second = (node for node in cluster.nodes if node != leader)
        put = self.run_dunlin("key", "put", "--socket", cluster.socket(first), "tide", "high")
        self.assertEqual(put.returncode, 0, put.stderr)
        self.assertRegex(put.stdout, r"^revision [1-9]\d*\n$")
        cluster.processes[leader].kill()
        cluster.processes[leader].wait()
        cluster.leader(but_not=leader)

        def value(node):
            result = self.run_dunlin("key", "get", "--socket", cluster.socket(node), "tide")
            return result.stdout if result.returncode == 0 else None
        self.assertEqual(wait_for("the value", lambda: value(second)), "high\n")
        cluster.start(leader)
        self.assertEqual(wait_for("the value at the voter that was killed", lambda: value(leader)), "high\n")
        missing = self.run_dunlin("key", "get", "--socket", cluster.socket(first), "never")
        self.assert_refused(missing, NO_SUCH_KEY, "no key 'never'")

    def test_without_a_majority_there_is_a_clear_answer(self):
        cluster = Cluster(self)
        cluster.start()
        leader = cluster.leader()
        survivor = next(node for node in cluster.nodes if node != leader)
        for node in cluster.nodes:
            if node != survivor:
                cluster.processes[node].kill()
                cluster.processes[node].wait()
        self.assert_refused(self.run_dunlin("key", "put", "--socket", cluster.socket(survivor), "k", "v"), 1, "no quorum: ")

    def test_sigterm_hands_leadership_on_and_exits_zero(self):
        cluster = Cluster(self)
        cluster.start()
        leader = cluster.leader()
        self.assertEqual(cluster.stop(leader), 0)
        cluster.leader(but_not=leader)
        for node in cluster.nodes:
            if node != leader:
                self.assertEqual(cluster.stop(node), 0)

    def test_a_member_cannot_take_the_id_of_the_leader(self):
        cluster = Cluster(self)
        cluster.start()
        leader = cluster.leader()
        term = cluster.status(leader)["term"]
        peers = [argument for node in cluster.nodes for argument in ("--peer", cluster.address[node])]
        rival = self.run_dunlin("lease", "acquire", "crane", "--cluster", "test", "--id", leader, *peers, "--", "true")
        self.assertEqual(rival.returncode, 1, rival.stderr)
        self.assertIn(f"another live process uses node id {leader} (or it is a voter's), says node ", rival.stderr)
        after = cluster.status(leader)
        self.assertEqual((after["leader"], after["term"]), (leader, term))

    def test_status_tells_people_and_programs_the_same(self):
        cluster = Cluster(self)
        cluster.start()
        leader = cluster.leader()
        wait_for("all sessions", lambda: all(cluster.status(node)["sessions_open"] == 2 for node in cluster.nodes))
        status = cluster.status(leader)
        self.assertEqual((status["id"], status["role"], status["leader"]), (leader, "leader", leader))
        self.assertEqual({peer["id"] for peer in status["peers"]}, set(cluster.nodes) - {leader})
        self.assertGreater(status["counters"]["packets_sent"], 0)
        told = self.run_dunlin("status", "--socket", cluster.socket(leader)).stdout
        self.assertIn(f"node {leader}: ready, leader; leader: node {leader}, term {status['term']}", told)

    def test_status_knows_who_never_answered_and_who_left(self):
        cluster = Cluster(self, voters=2)
        cluster.start(1)
        member = self.start_dunlin("sub", "a", "--id", 9, "--cluster", "test", "--peer", cluster.address[1])

        def of_member(*expected):
            peers = (cluster.status(1) or {"peers": []})["peers"]
            return any((peer["id"], peer["role"], peer["session_open"], peer["left"], peer["health"]) == (9, "member", *expected) for peer in peers)
        wait_for("the member", lambda: of_member(True, False, "alive"))
        member.terminate()
        self.assertEqual(self.finish(member, "the member"), 0)
        wait_for("its goodbye", lambda: of_member(False, True, "unknown"))
        silent = next(peer for peer in cluster.status(1)["peers"] if peer["id"] != 9)
        self.assertEqual((silent["role"], silent["health"]), ("unknown", "unknown"))
        told = self.run_dunlin("status", "--socket", cluster.socket(1)).stdout
        self.assertRegex(told, r"(?m)^  node 9 +left +no session member ")
        self.assertRegex(told, r"(?m)^  (node 2|seed) +unknown +no session unknown ")

    def test_a_subscriber_that_only_voters_hear_is_told_so(self):
        cluster = Cluster(self, voters=1)
        cluster.start()
        sub = self.start_dunlin("sub", "a", "--cluster", "test", "--peer", cluster.address[1], stderr=subprocess.PIPE)
        self.assertEqual(sub.stderr.readline(), b"dunlin: waiting: no publisher has connected yet, only voters, and these forward nothing.\n")

    def test_a_socket_in_use_cannot_start_a_second_node(self):
        cluster = Cluster(self, voters=1)
        cluster.start()
        cluster.leader()
        other = pathlib.Path(self.path("other.toml"))
        other.write_text(f'id = 9\nrole = "member"\nlisten = "127.0.0.1:0"\nsocket = "node1.socket"\n', encoding="utf-8")
        result = self.run_dunlin("node", "-c", other)
        self.assertEqual(result.returncode, 3)
        self.assertIn("in use by another process", result.stderr)


class Lease(ProcessTest):
    def setUp(self):
        super().setUp()
        self.cluster = Cluster(self)
        self.cluster.start()
        self.cluster.leader()
        self.peers = [word for address in self.cluster.address.values() for word in ("--peer", address)]

    def lease(self, *arguments, name="crane", ttl="2s"):
        return ["lease", "acquire", name, "--ttl", ttl, "--cluster", "test", *self.peers, *arguments]

    def start_holder(self, script, **options):
        """A lease over a shell script that first writes its process group's number to the file `held`."""
        process = self.start_dunlin(*self.lease("--", "sh", "-c", f"echo $$ >{self.path('held')}.new; mv {self.path('held')}.new {self.path('held')}; {script}"),
                                    **options)
        group = int(wait_for("the command", lambda: os.path.exists(self.path("held")) and pathlib.Path(self.path("held")).read_text()))
        return process, group

    def kill_voters(self):
        for process in self.cluster.processes.values():
            process.kill()
            process.wait()

    def test_the_command_gets_a_token_that_grows_and_its_status_is_passed_on(self):
        def once():
            result = self.run_dunlin(*self.lease("--", "sh", "-c", "echo $DUNLIN_LEASE_NAME $DUNLIN_LEASE_TOKEN; exit 7"))
            self.assertEqual(result.returncode, 7, result.stderr)
            name, token = result.stdout.split()
            self.assertEqual(name, "crane")
            return int(token)
        self.assertLess(once(), once())
        self.assertEqual(self.run_dunlin(*self.lease("--", "sh", "-c", "kill -9 $$")).returncode, 128 + signal.SIGKILL)
        self.assertEqual(self.run_dunlin(*self.lease("--", "/no/such/command")).returncode, 127)

    def test_one_holds_and_the_other_waits(self):
        first, _ = self.start_holder("exec sleep 1000")
        refused = self.run_dunlin(*self.lease("--wait", "1s", "--", "true"))
        self.assertEqual(refused.returncode, NOT_ACQUIRED)
        self.assertEqual(refused.stderr, "dunlin: the lease 'crane' was not acquired before --wait 1s passed: the lease 'crane' is held by another.\n")
        second = self.start_dunlin(*self.lease("--", "true"))
        first.terminate()
        self.assertEqual(self.finish(first, "the holder"), 128 + signal.SIGTERM)
        self.assertEqual(self.finish(second, "the next holder"), 0)

    def test_a_command_is_asked_to_end_when_its_lease_is_in_jeopardy(self):
        process, group = self.start_holder("trap 'exit 0' TERM; while true; do sleep 0.05; done", stderr=subprocess.PIPE)
        self.kill_voters()
        self.assertEqual(self.finish(process, "the holder"), IN_TIME)
        self.assertIn(b"in jeopardy", process.stderr.read())
        self.assertFalse(group_alive(group))

    def test_a_command_that_does_not_listen_is_killed_before_the_lease_ends(self):
        process, group = self.start_holder("trap '' TERM; while true; do sleep 0.05; done", stderr=subprocess.PIPE)
        self.kill_voters()
        self.assertEqual(self.finish(process, "the holder"), KILLED)
        self.assertFalse(group_alive(group))

    def test_a_command_never_outlives_dunlin(self):
        process, group = self.start_holder("sleep 1000 & sleep 1000 & wait")
        process.kill()
        process.wait()
        wait_for("the whole group to be gone", lambda: not group_alive(group))

    def test_a_command_ends_in_time_though_dunlin_stands_still(self):
        process, group = self.start_holder("trap '' TERM; while true; do sleep 0.05; done")
        process.send_signal(signal.SIGSTOP)
        wait_for("the whole group to be gone", lambda: not group_alive(group))
        process.send_signal(signal.SIGCONT)
        self.assertEqual(self.finish(process, "the holder"), KILLED)

    def test_what_the_command_leaves_behind_ends_with_it(self):
        process, group = self.start_holder("sleep 1000 & exit 0")
        self.assertEqual(self.finish(process, "the holder"), 0)
        self.assertFalse(group_alive(group))


if __name__ == "__main__":
    unittest.main()
