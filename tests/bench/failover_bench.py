#!/usr/bin/env python3
"""How long a cluster of three commits nothing when its leader is killed: Dunlin beside etcd, at the same settings, on loopback, journals on disk.

    failover_bench.py BUILD [--quick] [--kills N] [--only WORD[,WORD...]] [--disk FOLDER] [--json FILE]

Each kill is SIGKILL to the process that leads; it is started again, and the next follows when all three have caught up and Dunlin's clients
have a session with each again (who was connected to a voter that died finds out after session_idle_timeout, 3 s: whoever kills faster
measures that). Time counts from just before the signal. All the while clients put, each at its own pace; no put that was made before the
kill counts.

  commit  until a new leader has committed an entry of its own term, as it says itself in its event file (Dunlin)
  put     until the first put of any client is acknowledged. Dunlin's clients are 8 member nodes, each putting every 20 ms, or when its last
          one ended; etcd's send a put every 10 ms to each voter over gRPC, whatever became of the one before
  client  the same for the median of the 8 (Dunlin): what a member sees that waits, backs off and finds the leader

etcd's --election-timeout is the lower end of its range, as Dunlin's election_timeout_min; both draw from there to twice that.
"""

import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import threading
import time

import voters
from consensus_bench import contenders, fdatasync
from figures import Rows, aims_json, median, number, print_aims, print_load, ratio

SETTINGS = {"default": {"heartbeat_ms": 100, "election_ms": 500}, "fast": {"heartbeat_ms": 10, "election_ms": 50}}
CLIENTS = {"dunlin": {"clients": 8, "pause_us": 20_000}, "etcd": {"clients": 3, "pause_us": 10_000}}
NAMES = ("commit", "put", "client")


class PacedClients(voters.Clients):
    """Clients that put until they are ended, and what became of it: (issued, done, client), CLOCK_MONOTONIC in ns."""

    def __init__(self, build, cluster):
        super().__init__(build, cluster, mode="paced", **CLIENTS[cluster.name])
        self.puts = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            parts = line.split()
            if len(parts) == 3:
                self.puts.append(tuple(int(part) for part in parts))

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        if hasattr(self, "reader"):
            self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def first_after(self, at_ns):
        """For each client, when its first put that was made after `at_ns` was done; sorted."""
        first = {}
        for issued, done, client in list(self.puts):
            if issued > at_ns:
                first[client] = min(done, first.get(client, done))
        return sorted(first.values())


def kill_leader(cluster, clients):
    """Milliseconds by name."""
    leader = cluster.leader()
    time.sleep(random.uniform(0.2, 0.4))  # not in step with heartbeats
    at_us, at_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000, time.monotonic_ns()
    cluster.kill(leader)
    expected = CLIENTS[cluster.name]["clients"] if cluster.name == "dunlin" else 1
    voters.processes.wait_for("puts to go on", lambda: len(clients.first_after(at_ns)) >= expected)
    done = clients.first_after(at_ns)
    figures = {"put": (done[0] - at_ns) / 1e6}
    if cluster.name == "dunlin":
        commits = [each for each in cluster.commits_as_leader_us() if each > at_us]
        figures["commit"] = (min(commits) - at_us) / 1e3 if commits else None
        figures["client"] = (median(done) - at_ns) / 1e6
    cluster.start(leader)
    cluster.whole(CLIENTS[cluster.name]["clients"])
    return figures


def measure(build, kind, settings, folder, kills):
    found = []
    with tempfile.TemporaryDirectory(prefix="dunlin-failover-", dir=folder) as home:
        cluster = kind(home, **settings)
        clients = None
        try:
            cluster.start()
            cluster.whole()
            clients = PacedClients(build / "consensus", cluster)
            for _ in range(kills):
                found.append(kill_leader(cluster, clients))
        except (RuntimeError, OSError, AssertionError) as error:
            print(f"failover: {cluster.name}: {error}", file=sys.stderr)
        finally:
            if clients:
                clients.end()
            cluster.end()
    return found


class Report(Rows):
    def aims(self):
        """(what, measured, aim, whether more is better)"""
        for name, settings in SETTINGS.items():
            commit = self.value("p50_ms", contender="dunlin", settings=name, until="commit")
            yield f"{name}: p50 until commit / {settings['election_ms']} ms", ratio(commit, settings["election_ms"]), 1.5, False

    def print(self):
        print(f"\nfailover: leader killed, ms\n{'settings':10}{'heartbeat':>10}{'election':>12}   {'contender':10}{'until':8}{'kills':>6}{'p50':>9}{'max':>9}{'/ etcd':>8}")
        for row in self.rows:
            settings = SETTINGS[row["settings"]]
            etcd = self.value("p50_ms", contender="etcd", settings=row["settings"], until="put")
            share = ratio(row["p50_ms"], etcd) if row["contender"] == "dunlin" else None
            election = f"{settings['election_ms']}-{2 * settings['election_ms']}"
            print(f"{row['settings']:10}{settings['heartbeat_ms']:>10}{election:>12}   {row['contender']:10}{row['until']:8}{row['kills']:>6}"
                  f"{number(row['p50_ms']):>9}{number(row['max_ms']):>9}{number(share):>8}")
        print_aims("failover", self.aims())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true", help="three kills: to see that it works")
    parser.add_argument("--kills", type=int, choices=range(1, 1001), metavar="N", default=30, help="of each cluster")
    parser.add_argument("--only", default="", help="clusters whose contender or settings have one of these words")
    parser.add_argument("--disk", default="", help="a folder on the disk to use; the build's by default")
    parser.add_argument("--json", help="write all rows and aims to this file")
    arguments = parser.parse_args()
    kills = 3 if arguments.quick else arguments.kills

    build = pathlib.Path(arguments.build).resolve()
    voters.of_build(build)
    folder = arguments.disk or build
    words = [word for word in arguments.only.split(",") if word]
    kinds = [kind for kind, _ in contenders("failover", build)]
    print(f"failover: load average {os.getloadavg()[0]:.1f}; fdatasync {fdatasync(folder)['p50_us']:.0f} µs", flush=True)
    print_load("failover")
    rows = []
    for name, settings in SETTINGS.items():
        for kind in kinds:
            if words and not any(word in (kind.name, name) for word in words):
                continue
            begin = time.monotonic()
            found = measure(build, kind, settings, folder, kills)
            print(f"failover: {kind.name}, {name}: {len(found)} kills took {time.monotonic() - begin:.0f} s", flush=True)
            for until in NAMES:
                values = [figures[until] for figures in found if figures.get(until) is not None]
                if values:
                    rows.append({"settings": name, "contender": kind.name, "until": until, "kills": len(values), "p50_ms": median(values),
                                 "max_ms": max(values)})
    report = Report(rows)
    report.print()
    if arguments.json:
        pathlib.Path(arguments.json).write_text(
            json.dumps({"kills": kills, "settings": SETTINGS, "rows": rows, "aims": aims_json(report.aims())}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
