"""Three voters of Dunlin or of etcd, each a process on loopback, and the process whose clients put into them."""

import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import processes  # noqa: E402

from link_bench import free_port  # noqa: E402

PATIENCE_S = 30


def process_s(pid):
    """Processor seconds of all threads of a process so far, by the kernel's clock of that process."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_kib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def of_build(build):
    """The command whose nodes are to vote."""
    processes.DUNLIN = str(pathlib.Path(build).parent.parent / "tools" / "dunlin")


class Home(processes.ProcessTest):
    """No test: the folder that a processes.Cluster works in, and what it started."""

    def __init__(self, folder):
        super().__init__("run")
        self.folder = pathlib.Path(folder)


class Voters:
    """What both have: processes by number, of which one leads."""

    processes = {}

    def cpu_s(self):
        return sum(process_s(process.pid) for process in self.processes.values())

    def resident_kib(self):
        return max(resident_kib(process.pid) for process in self.processes.values())

    def leader(self):
        """The leader, once all that run say the same."""
        def agreed():
            views = [self.view(node) for node, process in self.processes.items() if process.poll() is None]
            leaders = {view and view["leader"] for view in views}
            return leaders.pop() if len(leaders) == 1 and all(views) else None
        return processes.wait_for("a leader", lambda: agreed() or None)

    def whole(self, clients=0):
        """Waits until every voter runs, has applied what the first of them has, and has so many clients (Dunlin)."""
        def caught_up():
            views = [self.view(node) for node in self.processes]
            if not all(view and view["leader"] for view in views):
                return False
            connected = all(view.get("sessions", clients) >= clients for view in views)
            return connected and all(view["applied"] >= views[0]["applied"] for view in views[1:])
        processes.wait_for("all voters", caught_up)

    def kill(self, node):
        self.processes[node].kill()
        self.processes[node].wait()


class Dunlin(Voters):
    name, program = "dunlin", "dunlin_clients"

    def __init__(self, folder, heartbeat_ms=100, election_ms=500):
        self.election_ms = election_ms
        self.home = Home(folder)
        self.cluster = processes.Cluster(self.home, settings=f'[timing]\nraft_heartbeat = "{heartbeat_ms}ms"\n'
                                         f'election_timeout_min = "{election_ms}ms"\nelection_timeout_max = "{2 * election_ms}ms"\n')
        self.processes = self.cluster.processes

    def start(self, *nodes):
        self.cluster.start(*nodes)

    def end(self):
        self.home.doCleanups()

    def view(self, node):
        status = self.cluster.status(node)
        if not status:
            return None
        others = len(self.processes) - 1
        return {"leader": status["leader"], "applied": status["applied"], "sessions": status["sessions_open"] - others}

    def clients_words(self, _leader):
        return {"servers": ",".join(self.cluster.address.values()), "variant": "test", "election_ms": self.election_ms}

    def commits_as_leader_us(self):
        """When voters that came to lead had committed something in their term, on CLOCK_BOOTTIME."""
        for node in self.cluster.nodes:
            for line in pathlib.Path(self.home.path(f"node{node}.jsonl")).read_text(encoding="utf-8").splitlines():
                event = json.loads(line) if line.endswith("}") else {}
                if event.get("event") == "committed":
                    yield event["time_us"]


class Etcd(Voters):
    name, program = "etcd", "etcd_clients"

    def __init__(self, folder, heartbeat_ms=100, election_ms=500):
        self.folder = pathlib.Path(folder)
        self.nodes = (1, 2, 3)
        self.client_port = {node: free_port(socket.SOCK_STREAM) for node in self.nodes}
        peers = {node: f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}" for node in self.nodes}
        self.commands = {
            node: ["etcd", "--name", f"n{node}", "--data-dir", str(self.folder / f"etcd{node}"),
                   "--listen-peer-urls", peers[node], "--initial-advertise-peer-urls", peers[node],
                   "--listen-client-urls", self.url(node), "--advertise-client-urls", self.url(node),
                   "--initial-cluster", ",".join(f"n{each}={url}" for each, url in peers.items()), "--initial-cluster-token", "bench",
                   "--heartbeat-interval", str(heartbeat_ms), "--election-timeout", str(election_ms), "--logger", "zap", "--log-level", "fatal"]
            for node in self.nodes}
        self.processes = {}
        self.ids = {}

    def url(self, node):
        return f"http://127.0.0.1:{self.client_port[node]}"

    def start(self, *nodes):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD")}
        for node in nodes or self.nodes:
            self.processes[node] = subprocess.Popen(self.commands[node], env=environment, stdin=subprocess.DEVNULL,
                                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()

    def view(self, node):
        request = urllib.request.Request(f"{self.url(node)}/v3/maintenance/status", data=b"{}")
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                status = json.load(answer)
        except (OSError, ValueError):
            return None
        self.ids[status["header"]["member_id"]] = node
        leader = status.get("leader", "0")
        # Not known by its number before it was asked itself.
        return {"leader": self.ids.get(leader, 0), "applied": int(status.get("raftAppliedIndex", 0))}

    def clients_words(self, leader):
        """With a leader: to that alone, which saves etcd a hop."""
        return {"servers": ",".join(f"127.0.0.1:{self.client_port[node]}" for node in ([leader] if leader else self.nodes))}


class Clients:
    """A process whose clients have all put once."""

    def __init__(self, build, voters, leader=0, **words):
        words = {**voters.clients_words(leader), **words}
        command = [str(pathlib.Path(build) / voters.program), *[f"{name}={value}" for name, value in words.items()]]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        try:
            self.expect_ready()
        except BaseException:
            self.end()
            raise

    def expect_ready(self):
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        if not ready or self.process.stdout.readline().strip() != "ready":
            raise RuntimeError("the clients could not put")

    def measure(self, seconds, voters):
        """Figures of the clients in a window of so long, and the processor seconds that the voters took in it; None where a put failed."""
        begin = time.monotonic_ns() + 50_000_000
        end = begin + int(seconds * 1e9)
        self.process.stdin.write(f"{begin} {end}\n")
        self.process.stdin.flush()
        time.sleep((begin - time.monotonic_ns()) / 1e9)
        before = voters.cpu_s()
        time.sleep((end - time.monotonic_ns()) / 1e9)
        voters_s = voters.cpu_s() - before
        try:
            figures = json.loads(self.process.communicate(timeout=PATIENCE_S)[0])
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None
        return {**figures, "voters_cpu_s": voters_s}

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
