"""Runs the dunlin command for tests: whole processes, real sockets, real signals. Waits for conditions, never for time.

The command to test is named by the environment variable DUNLIN.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

DUNLIN = os.environ.get("DUNLIN", "dunlin")
PATIENCE_S = 120    # only a broken program, or a machine that stands still, reaches it


def wait_for(what, condition):
    """The first true result of `condition`; it is asked again and again."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S} s in vain for {what}")
        time.sleep(0.01)


def free_addresses(count):
    """Loopback addresses with UDP ports that nobody uses now."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses


def group_alive(group):
    """Whether a process of the group runs (one that is dead but was not reaped does not)."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, member_of = stat.read_text().rsplit(")", 1)[1].split()[:3]
        except OSError:
            continue
        if int(member_of) == group and state not in "ZX":
            return True
    return False


class ProcessTest(unittest.TestCase):
    """A test with a folder of its own; whatever it starts is gone when it ends."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dunlin-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return str(self.folder / name)

    def run_dunlin(self, *arguments):
        """Runs the command to its end."""
        return subprocess.run([DUNLIN, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                              stdin=subprocess.DEVNULL)

    def start_dunlin(self, *arguments, **options):
        process = subprocess.Popen([DUNLIN, *map(str, arguments)], **{"stdin": subprocess.DEVNULL, **options})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def finish(self, process, what):
        """Its exit status, once it ended by itself."""
        try:
            return process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.fail(f"{what} did not end in {PATIENCE_S} s")

    def assert_refused(self, result, code, *words):
        """One sentence on standard error that has these words, nothing on standard output, and this exit code."""
        self.assertEqual((result.returncode, result.stdout), (code, ""), result.stderr)
        lines = result.stderr.strip().split("\n")
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("dunlin: ") and lines[0].endswith("."), lines[0])
        for word in words:
            self.assertIn(word, lines[0])


class Cluster:
    """Voters of one cluster, each a process of its own. `settings`: more lines of their configuration, in TOML. `others`: entries of voters that
    are no process of the command."""

    def __init__(self, test, voters=3, loss=0.0, settings="", ledger="small", others=()):
        self.test = test
        self.loss = loss
        self.nodes = list(range(1, voters + 1))
        self.address = dict(zip(self.nodes, free_addresses(voters)))
        self.processes = {}
        entries = [*(self.format("join", node).strip() for node in self.nodes[1:]), *others]
        self.format("init", self.nodes[0], "--ledger", ledger, *(word for entry in entries for word in ("--voter", entry)))
        self.settings = f'ledger = "{ledger}"\n{settings}'
        for node in self.nodes:
            self.configure(node)

    def configure(self, node):
        seeds = ", ".join(f'"{self.address[other]}"' for other in self.nodes if other != node)
        pathlib.Path(self.test.path(f"node{node}.toml")).write_text(
            f'id = {node}\ncluster = "test"\nlisten = "{self.address[node]}"\nseeds = [{seeds}]\njournal = "node{node}.journal"\n'
            f'socket = "node{node}.socket"\nevents = "node{node}.jsonl"\nloss = {self.loss}\n{self.settings}', encoding="utf-8")

    def join(self, node):
        """Starts a node with a journal of its own that the cluster does not know yet; its entry."""
        self.address[node], = free_addresses(1)
        entry = self.format("join", node).strip()
        self.configure(node)
        self.start(node)
        return entry

    def format(self, verb, node, *more):
        result = self.test.run_dunlin(verb, "--id", node, "--cluster", "test", "--journal", self.test.path(f"node{node}.journal"),
                                      "--address", self.address[node], *more)
        self.test.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def start(self, *nodes):
        for node in nodes or self.nodes:
            self.processes[node] = self.test.start_dunlin("node", "-c", self.test.path(f"node{node}.toml"), stderr=subprocess.DEVNULL)

    def socket(self, node):
        return self.test.path(f"node{node}.socket")

    def status(self, node):
        """What the node says of itself, or nothing where it is not up."""
        result = self.test.run_dunlin("status", "--json", "--counters", "--socket", self.socket(node))
        return json.loads(result.stdout) if result.returncode == 0 else None

    def leader(self, but_not=None):
        """The leader, once a majority of all says the same (and it is not `but_not`)."""
        def agreed():
            views = [self.status(node) for node in self.nodes if self.processes[node].poll() is None]
            leaders = [view["leader"] for view in views if view and view["leader"] not in (0, but_not)]
            return next((each for each in set(leaders) if leaders.count(each) > len(self.nodes) // 2), None)
        return wait_for("a leader", agreed)

    def stop(self, node):
        """Its exit status after SIGTERM."""
        self.processes[node].send_signal(signal.SIGTERM)
        return self.test.finish(self.processes[node], f"node {node}")
