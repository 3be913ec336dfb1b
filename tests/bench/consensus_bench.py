#!/usr/bin/env python3
"""What a commit costs: three voters of Dunlin on loopback beside three of etcd, and beside this machine's fdatasync and round trip, in one run.

    consensus_bench.py BUILD [--quick] [--rounds N] [--seconds S] [--only WORD[,WORD...]] [--disk FOLDER] [--memory FOLDER] [--json FILE]

A put is 64 bytes: a key of 32 and a value of 32, each client its own key. Each cluster is three processes of its own, as a user starts
them (`dunlin node`; `etcd`), with journals in a folder on disk, where they are synced, or in one in memory. One process is all clients;
each puts again when its last put is done. Dunlin's are member nodes, a UDP socket each; etcd's speak gRPC to its leader, over a
connection `each`, or all over a `shared` one. Contenders take turns in each round; printed are medians over rounds.

  cpu          processor microseconds that a put takes of all three voters together, by the kernel's clock of each process; `clients`: of
               the process that puts
  resident     of the largest of the three, at the end
  fdatasync    a write of 512 bytes over what a file has, and fdatasync; as a voter's journal does it
  round trip   two processes, a datagram of 64 bytes each way
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import voters
from figures import Rows, aims_json, median, number, positive, print_aims, print_load, ratio
from link_bench import Bench, Contender, broker_path, figures_of_latency

CLIENTS = (1, 64)
ETCD_VARIANTS = ("each", "shared")  # the first is the like of Dunlin's clients, which could be on as many machines
NAMES = ("p50_us", "p99_us", "puts_per_s", "cpu_us", "clients_cpu_us", "resident_kib")


def percentile(values, share):
    return sorted(values)[int(share * (len(values) - 1))]


def fdatasync(folder, count=400):
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        os.write(file.fileno(), bytes(1 << 20))
        os.fsync(file.fileno())
        took = []
        for i in range(count):
            data = bytes([i % 256]) * 512
            begin = time.perf_counter()
            os.pwrite(file.fileno(), data, i * 512 % (1 << 20))
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - begin) * 1e6)
    return {"p50_us": percentile(took, 0.5), "p99_us": percentile(took, 0.99)}


def round_trip(build, folder, seconds):
    result = Bench(build / "link", folder, seconds).pair(Contender("raw udp", "raw_udp"), mode="roundtrip", payload=64)
    return figures_of_latency(result) if result else None


def contenders(bench, build):
    yield voters.Dunlin, ({},)
    if os.access(build / "consensus" / voters.Etcd.program, os.X_OK) and broker_path("etcd"):
        yield voters.Etcd, tuple({"variant": variant} for variant in ETCD_VARIANTS)
    else:
        print(f"{bench}: etcd is skipped: etcd-server and libnghttp2-dev could not be had")


def figures_of(result):
    puts = result["messages"]
    if not puts:
        return None
    return {"p50_us": result["p50_us"], "p99_us": result["p99_us"], "puts_per_s": puts / result["seconds"],
            "cpu_us": result["voters_cpu_s"] / puts * 1e6, "clients_cpu_us": result["cpu_s"] / puts * 1e6}


def measure(build, kind, variants, folder, seconds):
    """Figures by (variant, clients) of one cluster, from its start to its end."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="dunlin-consensus-", dir=folder) as home:
        cluster = kind(home)
        try:
            cluster.start()
            cluster.whole()
            leader = cluster.leader()
            for count in CLIENTS:
                for words in variants if count > 1 else variants[:1]:
                    clients = voters.Clients(build / "consensus", cluster, leader, mode="closed", clients=count, **words)
                    try:
                        result = clients.measure(seconds, cluster)
                    finally:
                        clients.end()
                    figures = figures_of(result) if result else None
                    if figures:
                        found[words.get("variant", ""), count] = {**figures, "resident_kib": cluster.resident_kib()}
        except (RuntimeError, OSError, AssertionError) as error:
            print(f"consensus: {cluster.name}: {error}", file=sys.stderr)
        finally:
            cluster.end()
    return found


class Report(Rows):
    def beside_etcd(self, figure, medium, clients, variant):
        return ratio(*(self.value(figure, contender=contender, variant=words, medium=medium, clients=clients)
                       for contender, words in (("dunlin", ""), ("etcd", variant))))

    def floor_us(self, medium):
        """One round trip and one fdatasync."""
        parts = [self.value("p50_us", kind="fdatasync", medium=medium), self.value("p50_us", kind="round trip")]
        return None if None in parts else sum(parts)

    def aims(self):
        """(what, measured, aim, whether more is better)"""
        yield "disk: p50 / (round trip + fdatasync)", ratio(self.value("p50_us", contender="dunlin", medium="disk", clients=1), self.floor_us("disk")), 1.5, False
        for medium in ("disk", "memory"):
            for variant in ETCD_VARIANTS:
                yield f"{medium}: puts/s at {max(CLIENTS)} / etcd {variant}", self.beside_etcd("puts_per_s", medium, max(CLIENTS), variant), 5.0, True
                yield f"{medium}: cpu a put at {max(CLIENTS)} / etcd {variant}", self.beside_etcd("cpu_us", medium, max(CLIENTS), variant), 0.1, False

    def print(self):
        print(f"\nconsensus: this machine, µs\n{'':24}{'p50':>9}{'p99':>9}")
        for row in self.rows:
            if row["kind"] in ("fdatasync", "round trip"):
                print(f"{row['kind']:12}{row.get('medium', ''):12}{number(row['p50_us']):>9}{number(row['p99_us']):>9}")
        for medium in ("disk", "memory"):
            print(f"\nconsensus: puts of 64 bytes, journals {'on disk' if medium == 'disk' else 'in memory'}\n{'':16}{'clients':>8}{'p50 µs':>9}{'p99 µs':>9}"
                  f"{'/ floor':>9}{'puts/s':>10}{'/ etcd':>8}{'cpu µs':>9}{'/ etcd':>8}{'clients':>9}{'resident MiB':>14}")
            for row in self.rows:
                if row["kind"] != "put" or row["medium"] != medium:
                    continue
                floor = ratio(row["p50_us"], self.floor_us(medium)) if row["clients"] == 1 else None
                rate, cpu = (self.beside_etcd(figure, medium, row["clients"], ETCD_VARIANTS[0]) if row["contender"] == "dunlin" else None
                             for figure in ("puts_per_s", "cpu_us"))
                print(f"{row['contender'] + ' ' + row['variant']:16}{row['clients']:>8}{number(row['p50_us']):>9}{number(row['p99_us']):>9}{number(floor):>9}"
                      f"{number(row['puts_per_s']):>10}{number(rate):>8}{number(row['cpu_us']):>9}{number(cpu):>8}{number(row['clients_cpu_us']):>9}"
                      f"{number(ratio(row['resident_kib'], 1024)):>14}")
        print("\nconsensus: floor = one round trip and one fdatasync. A commit takes at least two round trips: its client's and a follower's.")
        print_aims("consensus", self.aims())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it works")
    parser.add_argument("--rounds", type=int, choices=range(1, 21), metavar="N", default=3)
    parser.add_argument("--seconds", type=positive, default=2.0, help="of each measurement")
    parser.add_argument("--only", default="", help="clusters whose contender or medium has one of these words")
    parser.add_argument("--disk", default="", help="a folder on the disk to measure; the build's by default")
    parser.add_argument("--memory", default="/dev/shm", help="a folder in memory")
    parser.add_argument("--json", help="write all rows and aims to this file")
    arguments = parser.parse_args()
    rounds, seconds = (1, 0.5) if arguments.quick else (arguments.rounds, arguments.seconds)
    if os.cpu_count() < 2:
        sys.exit("consensus bench: two cores are needed")

    build = pathlib.Path(arguments.build).resolve()
    voters.of_build(build)
    media = {"disk": arguments.disk or build, "memory": arguments.memory}
    words = [word for word in arguments.only.split(",") if word]
    present = list(contenders("consensus", build))
    cases = [(kind, variants, medium) for medium in media for kind, variants in present
             if not words or any(word in (kind.name, medium) for word in words)]
    print(f"consensus: {len(cases)} clusters a round, {rounds} rounds; load average {os.getloadavg()[0]:.1f}", flush=True)
    print_load("consensus")
    found = {}
    for each in range(rounds):
        begin = time.monotonic()
        for kind, variants, medium in cases:
            found.setdefault(("round trip", "raw udp", "", "", None), []).append(round_trip(build, media["memory"], min(seconds, 0.5)))
            found.setdefault(("fdatasync", "machine", "", medium, None), []).append(fdatasync(media[medium]))
            for (variant, clients), figures in measure(build, kind, variants, media[medium], seconds).items():
                found.setdefault(("put", kind.name, variant, medium, clients), []).append(figures)
        print(f"consensus: round {each + 1} took {time.monotonic() - begin:.0f} s", flush=True)
    rows = [{**dict(zip(("kind", "contender", "variant", "medium", "clients"), case)),
             **{name: median([figures.get(name) for figures in each if figures]) for name in NAMES}} for case, each in found.items()]
    report = Report(rows)
    report.print()
    if arguments.json:
        pathlib.Path(arguments.json).write_text(
            json.dumps({"rounds": rounds, "seconds": seconds, "rows": rows, "aims": aims_json(report.aims())}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
