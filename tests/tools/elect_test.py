#!/usr/bin/env python3
"""An application that runs on one node at a time: electors of one name, each a process, their commands, and what ends them."""

import pathlib
import signal
import subprocess
import unittest

from processes import Cluster, ProcessTest, group_alive, wait_for

FOUND_ANOTHER, NO_SUCH_COMMAND = 77, 127


class Elect(ProcessTest):
    def setUp(self):
        super().setUp()
        self.cluster = Cluster(self)
        self.cluster.start()
        self.cluster.leader()
        self.electors = {}

    def elect(self, *command, name="crane", ttl="2s"):
        peers = [word for address in self.cluster.address.values() for word in ("--peer", address)]
        return ["elect", name, "--ttl", ttl, "--cluster", "test", *peers, "--", *command]

    def stand(self, elector, script="exec sleep 1000"):
        """An elector whose command notes who runs, under which token and in which process group, or finds that another one runs."""
        alone = f'exec 9>>{self.path("lock")}; flock -n 9 || exit {FOUND_ANOTHER}'
        noted = f'echo "{elector} $DUNLIN_LEASE_TOKEN $$" >>{self.path("runs")}'
        self.electors[elector] = self.start_dunlin(*self.elect("sh", "-c", f"{alone}; {noted}; {script}"), stderr=subprocess.PIPE)
        return self.electors[elector]

    def stands_again(self, elector):
        """Waits until it says so."""
        lines = iter(elector.stderr.readline, b"")
        self.assertIn(b"dunlin: the command has ended: standing for the lease 'crane' again.\n", lines)

    def run_of(self, number):
        """The elector, the token and the group of the run with that number, counted from 1, once it has begun."""
        def begun():
            lines = pathlib.Path(self.path("runs")).read_text().splitlines() if pathlib.Path(self.path("runs")).exists() else []
            return lines[number - 1].split() if len(lines) >= number else None
        elector, token, group = wait_for(f"run {number}", begun)
        return elector, int(token), int(group)

    def end_all(self, statuses):
        """Nothing ran beside another, and each run had a higher token than the one before."""
        for elector in self.electors.values():
            elector.terminate()
        ended = {name: self.finish(elector, name) for name, elector in self.electors.items()}
        self.assertEqual(ended, statuses)
        tokens = [int(line.split()[1]) for line in pathlib.Path(self.path("runs")).read_text().splitlines()]
        self.assertEqual(tokens, sorted(set(tokens)))

    def test_another_takes_over_from_one_that_is_killed_and_leaves_no_command_behind(self):
        first = self.stand("first")
        self.assertEqual(self.run_of(1)[0], "first")
        self.stand("second")
        first.kill()
        first.wait()
        elector, _, group = self.run_of(2)
        self.assertEqual(elector, "second")
        self.assertFalse(group_alive(self.run_of(1)[2]))
        self.assertTrue(group_alive(group))
        self.end_all({"first": -signal.SIGKILL, "second": 128 + signal.SIGTERM})

    def test_who_stood_still_for_longer_than_its_lease_stands_again(self):
        first = self.stand("first", "trap '' TERM; while true; do sleep 0.05; done")
        first_group = self.run_of(1)[2]
        second = self.stand("second")
        first.send_signal(signal.SIGSTOP)
        self.assertEqual(self.run_of(2)[0], "second")
        self.assertFalse(group_alive(first_group))
        first.send_signal(signal.SIGCONT)
        self.stands_again(first)
        second.terminate()
        self.assertEqual(self.run_of(3)[0], "first")
        wait_for("the second wish", lambda: first.poll() is not None or first.terminate())  # its command does not listen to the first
        self.end_all({"first": 128 + signal.SIGKILL, "second": 128 + signal.SIGTERM})

    def test_the_command_runs_again_once_there_is_a_majority_again(self):
        elector = self.stand("first")
        group = self.run_of(1)[2]
        for voter in self.cluster.processes.values():
            voter.kill()
            voter.wait()
        self.assertIn(b"in jeopardy", elector.stderr.readline())
        self.stands_again(elector)
        self.assertFalse(group_alive(group))
        self.cluster.start()
        self.run_of(2)
        self.end_all({"first": 128 + signal.SIGTERM})

    def test_the_commands_status_is_passed_on_and_the_lease_given_back_at_once(self):
        for _ in range(2):
            told = self.run_dunlin(*self.elect("sh", "-c", "echo $DUNLIN_LEASE_NAME; exit 7", ttl="1h"))
            self.assertEqual((told.returncode, told.stdout, told.stderr), (7, "crane\n", ""))
        missing = self.run_dunlin(*self.elect("/no/such/command", ttl="1h"))
        self.assertEqual((missing.returncode, missing.stderr), (NO_SUCH_COMMAND, "dunlin: the command cannot be run.\n"))
        self.assertEqual(self.run_dunlin(*self.elect("true")).returncode, 0)

    def test_signals_are_passed_on(self):
        out = self.path("out")
        traps = "".join(f"trap 'echo {name} >>{out}' {name}; " for name in ("HUP", "USR1", "USR2"))
        elector = self.stand("first", f"{traps} trap 'exit 5' TERM; echo ready >>{out}; while true; do sleep 0.05; done")
        for number, name in enumerate(("ready", "HUP", "USR1", "USR2"), 1):
            if name != "ready":
                elector.send_signal(getattr(signal, f"SIG{name}"))
            wait_for(name, lambda: pathlib.Path(out).exists() and pathlib.Path(out).read_text().split()[number - 1:] == [name])
        self.end_all({"first": 5})


if __name__ == "__main__":
    unittest.main()
