#!/usr/bin/env python3
"""The demo shows what it says, and its checker notices each mechanism that is missing.

The build folder is named by the environment variable DUNLIN_BUILD.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

from processes import PATIENCE_S, wait_for

DEMO = pathlib.Path(__file__).parents[2] / "examples/demo/demo.py"
FIGURES = ("published", "acknowledged", "lost", "duplicates_delivered", "dead_letters", "failovers", "failover_ms", "lease_holders_max", "fenced",
           "datagrams_dropped_percent", "max_delivery_gap_ms")


def alive_in_group(group):
    """The command lines of its processes; not of those that ended and that init has not waited for yet."""
    alive = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            state, _, its_group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                alive.append((process / "cmdline").read_bytes())
        except OSError:    # it ended meanwhile
            pass
    return alive


class Demo(unittest.TestCase):
    def run_demo(self, *arguments):
        """Exit status, the figures of the last line, and everything that was told."""
        result = subprocess.run([sys.executable, "-B", DEMO, "--build", os.environ["DUNLIN_BUILD"], *arguments], capture_output=True, text=True,
                                check=False)
        told = result.stdout + result.stderr
        last = result.stdout.rstrip("\n").rsplit("\n", 1)[-1]
        match = re.fullmatch("demo: " + " ".join(rf"{name}=(\d+)" for name in FIGURES), last)
        self.assertIsNotNone(match, told)
        return result.returncode, dict(zip(FIGURES, map(int, match.groups()))), told

    def test_every_promise_is_kept(self):
        status, figures, told = self.run_demo()
        self.assertEqual(status, 0, told)
        self.assertGreaterEqual(figures["published"], 2500)
        self.assertEqual(figures["acknowledged"], figures["published"])
        self.assertEqual([figures[name] for name in ("lost", "duplicates_delivered", "dead_letters", "lease_holders_max")], [0, 0, 0, 1])
        self.assertGreaterEqual(figures["failovers"], 1)
        self.assertGreaterEqual(figures["fenced"], 1)
        self.assertGreaterEqual(figures["datagrams_dropped_percent"], 4)

    def test_ctrl_c_ends_every_process_without_a_word_too_many(self):
        """Ctrl-C reaches the demo and its children at once, as one process group."""
        with subprocess.Popen([sys.executable, "-B", DEMO, "--build", os.environ["DUNLIN_BUILD"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, start_new_session=True) as demo:
            while "elected" not in demo.stdout.readline():
                self.assertIsNone(demo.poll())
            os.killpg(demo.pid, signal.SIGINT)
            _, told = demo.communicate(timeout=PATIENCE_S)
        self.assertEqual((demo.returncode, told), (128 + signal.SIGINT, "\ndemo: interrupted\n"))
        wait_for("the end of them all", lambda: not alive_in_group(demo.pid))    # a process's own children end with it, a moment later

    def test_without_fencing_a_stale_order_is_obeyed(self):
        status, figures, told = self.run_demo("--break", "fencing")
        self.assertEqual((status, figures["fenced"]), (1, 0), told)
        self.assertIn("VIOLATED fencing:", told)

    def test_without_settlement_messages_are_lost(self):
        status, figures, told = self.run_demo("--break", "settlement")
        self.assertEqual(status, 1, told)
        self.assertGreater(figures["lost"], 0)
        self.assertIn("VIOLATED at least once:", told)

    def test_without_the_lease_guard_there_are_two_holders(self):
        status, figures, told = self.run_demo("--break", "lease-guard")
        self.assertEqual((status, figures["lease_holders_max"]), (1, 2), told)
        self.assertIn("VIOLATED one holder:", told)


if __name__ == "__main__":
    unittest.main()
