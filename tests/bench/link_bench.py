#!/usr/bin/env python3
"""Dunlin's link beside raw UDP and beside what a user would pick instead, on loopback, in one run.

    link_bench.py BUILD [--quick] [--rounds N] [--seconds S] [--only WORD[,WORD...]] [--json FILE]

BUILD holds the contenders' programs. Each measurement is two processes, publisher and subscriber, pinned to a core each; a broker shares
the subscriber's core, and `unpinned` beside it is the figure with the broker on either. Contenders take turns in each round; printed are
medians over rounds, their ratio to the raw figure of this run, and the aims. Nothing here passes or fails. Dunlin and the contenders'
programs here are optimised as a whole (CMake's INTERPROCEDURAL_OPTIMIZATION); the peers' libraries are as their packages bring them.

  throughput  messages a second that are done: for Dunlin and what acknowledges, the publisher's acknowledged ones; else what arrived.
              cpu: processor seconds a million messages of publisher and subscriber, without a broker's.
  round trip  publish to acknowledged outcome (Dunlin), or message and answer (others)
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from figures import Rows, aims_json, median, number, positive, print_aims, print_load, ratio

PUBLISHER_CORE, SUBSCRIBER_CORE = 0, 1
PAYLOADS = (64, 1024, 16384)
DATAGRAMS = (1200, 1472)

CYCLONE = """<CycloneDDS><Domain id="any">
<General><Interfaces><NetworkInterface name="lo" multicast="false"/></Interfaces><AllowMulticast>false</AllowMulticast>
<MaxMessageSize>{datagram}B</MaxMessageSize><FragmentSize>{fragment}B</FragmentSize></General>
<Discovery><ParticipantIndex>auto</ParticipantIndex><Peers><Peer address="localhost"/></Peers></Discovery>
</Domain></CycloneDDS>"""

# What each promises, in one line.
GUARANTEES = {
    "raw packed": "nothing: what the socket buffer cannot take is lost; as many messages a datagram as fit, sendmmsg",
    "raw gso": "nothing; the same in trains of up to 64 datagrams",
    "dunlin": "at-least-once, each message handled once, counted when the subscriber's handler accepted it",
    "zeromq": "delivered while the TCP connection lives; the sender is told nothing",
    "zeromq acked": "the same, and the application answers each message with its number",
    "nng": "delivered while the TCP connection lives; the sender is told nothing",
    "cyclone dds": "reliable, keep-all: resent until the reader's cache has it; not acknowledged by the application",
    "mosquitto qos 1": "broker: acknowledged when the broker has it; the subscriber may get it twice",
    "nats": "broker: at most once; the sender is told nothing",
    "nats jetstream": "broker: acknowledged when the server has stored it in memory; at least once to the subscriber",
}


class Contender:
    def __init__(self, name, program, variant="", broker=None, settle=0.3, datagrams=(), counts="pub", arguments=()):
        self.name, self.program, self.variant, self.broker, self.settle = name, program, variant, broker, settle
        self.datagrams = datagrams or (None,)
        self.counts = counts  # whose messages are the throughput
        self.arguments = arguments


CONTENDERS = [
    Contender("raw packed", "raw_udp", "packed", datagrams=DATAGRAMS, counts="sub"),
    Contender("raw gso", "raw_udp", "gso", datagrams=DATAGRAMS, counts="sub"),
    Contender("dunlin", "dunlin_node", settle=0.6, datagrams=DATAGRAMS),
    Contender("zeromq", "zmq_pair", counts="sub"),
    Contender("zeromq acked", "zmq_pair", "acked"),
    Contender("nng", "nng_pair", counts="sub"),
    Contender("cyclone dds", "cyclone", settle=1.0, datagrams=DATAGRAMS, counts="sub"),
    Contender("mosquitto qos 1", "mqtt", broker="mosquitto"),
    Contender("nats", "nats", broker="nats-server", counts="sub"),
    Contender("nats jetstream", "nats", "jetstream", broker="nats-server"),
]
PACKAGES = {"zmq_pair": "libzmq3-dev", "nng_pair": "libnng-dev", "cyclone": "cyclonedds-dev and cyclonedds-tools",
            "mqtt": "libmosquitto-dev and mosquitto", "nats": "libnats-dev and nats-server"}


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(core, command):
    return command if core is None else ["taskset", "-c", str(core), *command]


def broker_path(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


class Broker:
    """A broker on loopback for one measurement."""

    def __init__(self, name, folder, core):
        self.port = free_port(socket.SOCK_STREAM)
        if name == "mosquitto":
            config = pathlib.Path(folder, "mosquitto.conf")
            config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 1000\n"
                              "max_queued_messages 0\nset_tcp_nodelay true\nuser root\n", encoding="ascii")
            command = [broker_path(name), "-c", str(config)]
        else:
            command = [broker_path(name), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(pathlib.Path(folder, f"js{self.port}"))]
        self.process = subprocess.Popen(pinned(core, command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        self.end()
        raise RuntimeError(f"{name} does not listen")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bench:
    def __init__(self, build, folder, seconds):
        self.build, self.folder, self.seconds = pathlib.Path(build), folder, seconds

    def program(self, name):
        return str(self.build / name)

    def has(self, contender):
        return os.access(self.program(contender.program), os.X_OK) and (contender.broker is None or broker_path(contender.broker) is not None)

    def pair(self, contender, cores=(PUBLISHER_CORE, SUBSCRIBER_CORE), broker_core=SUBSCRIBER_CORE, seconds=None, settle=None, **words):
        """Figures of publisher and subscriber, or None where a contender cannot do it (yet)."""
        seconds = seconds or self.seconds
        broker = Broker(contender.broker, self.folder, broker_core) if contender.broker else None
        processes = []
        try:
            port = broker.port if broker else free_port()
            begin = time.monotonic_ns() + int((settle or contender.settle) * 1e9)
            words = {"variant": contender.variant, "port": port, "begin": begin, "end": begin + int(seconds * 1e9), **words}
            arguments = [f"{name}={int(value) if isinstance(value, bool) else value}" for name, value in words.items()
                         if value is not None and value != ""]
            environment = dict(os.environ)
            if contender.program == "cyclone":
                datagram = words.get("datagram") or 1472
                environment["CYCLONEDDS_URI"] = CYCLONE.format(datagram=datagram, fragment=max(datagram - 128, 1024))

            def start(role, core):
                process = subprocess.Popen(pinned(core, [self.program(contender.program), f"role={role}", *arguments]), env=environment,
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                processes.append(process)
                return process

            subscriber = start("sub", cores[1])
            if subscriber.stdout.readline().strip() != "ready":
                return None
            publisher = start("pub", cores[0])
            limit = (settle or contender.settle) + seconds + 10
            results = [json.loads(process.communicate(timeout=limit)[0]) for process in (publisher, subscriber)]
            return {"pub": results[0], "sub": results[1]}
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
                process.communicate()
            if broker:
                broker.end()


def rate(result, side):
    return result[side]["messages"] / result[side]["seconds"]


def cpu_a_million(result, side):
    messages = result[side]["messages"]
    return result[side]["cpu_s"] / messages * 1e6 if messages else None


# Every measurement is a key and a function that runs it once; rounds go over all keys, so that what disturbs the machine for a while hits all.
def throughput_cases(bench, contenders):
    for contender in contenders:
        for payload in PAYLOADS:
            for datagram in contender.datagrams:
                case = {"kind": "throughput", "contender": contender.name, "payload": payload, "datagram": datagram, "broker": "subscriber's core"}
                if contender.broker is None:
                    del case["broker"]

                def run(contender=contender, payload=payload, datagram=datagram, **more):
                    result = bench.pair(contender, mode="throughput", payload=payload, datagram=datagram, **more)
                    if result is None:
                        return None
                    figures = {"messages_per_s": rate(result, contender.counts), "pub_cpu_s_per_million": cpu_a_million(result, "pub"),
                               "sub_cpu_s_per_million": cpu_a_million(result, "sub")}
                    if contender.name == "dunlin":
                        messages = result["pub"]["messages"] or 1
                        figures["allocations_per_message"] = (result["pub"]["allocations"] + result["sub"]["allocations"]) / messages
                    return figures

                yield case, run
                if contender.broker:
                    yield {**case, "broker": "unpinned"}, (lambda run=run: run(broker_core=None))


def figures_of_latency(result):
    return {name: result["pub"].get(name) for name in ("p50_us", "p99_us", "p999_us", "max_us")} | {"messages_per_s": rate(result, "pub")}


PLACES = {"blocking": ((0, 1), False), "same core": ((0, 0), False), "busy": ((0, 1), True)}


def round_trip_cases(bench, contenders):
    raw = Contender("raw udp", "raw_udp")
    for contender in [raw, *[each for each in contenders if each.name in ("dunlin", "zeromq", "nng", "cyclone dds", "mosquitto qos 1", "nats")]]:
        for place, (cores, busy) in PLACES.items():
            if busy and contender.program not in ("raw_udp", "dunlin_node"):
                continue

            def run(contender=contender, cores=cores, busy=busy):
                result = bench.pair(contender, cores=cores, broker_core=cores[1], mode="roundtrip", payload=64, busy=busy)
                return figures_of_latency(result) if result else None

            yield {"kind": "round trip", "contender": contender.name, "place": place}, run


def loss_cases(bench, contenders):
    for contender in contenders:
        if contender.name != "dunlin":
            continue
        for loss in (0, 1, 5):
            for offered in (10_000, 100_000):
                def at_rate(contender=contender, loss=loss, offered=offered):
                    result = bench.pair(contender, mode="rate", payload=64, rate=offered, loss=loss * 10_000, seconds=2 * bench.seconds)
                    return figures_of_latency(result) if result else None

                yield {"kind": "fixed rate", "contender": "dunlin", "loss_percent": loss, "offered_per_s": offered}, at_rate

            def at_full_speed(contender=contender, loss=loss):
                result = bench.pair(contender, mode="throughput", payload=64, loss=loss * 10_000, seconds=2 * bench.seconds)
                return {"messages_per_s": rate(result, "pub")} if result else None

            yield {"kind": "loss", "contender": "dunlin", "loss_percent": loss}, at_full_speed

        def fan_out(contender=contender):
            result = bench.pair(contender, mode="fanout", payload=64, subscribers=32, settle=2.0)
            return {"messages_per_s": rate(result, "pub") / 32, "outcomes_per_s": rate(result, "pub"),
                    "pub_cpu_s_per_million": cpu_a_million(result, "pub")} if result else None

        yield {"kind": "fan-out", "contender": "dunlin", "subscribers": 32}, fan_out


def resident_kib(bench):
    """What a process that only runs a node has in memory after a second; None where the command was not built."""
    command = bench.build / "../../../tools/dunlin"
    if not command.exists():
        return None
    config = pathlib.Path(bench.folder, "node.toml")
    config.write_text('id = 1\nrole = "member"\nlisten = "127.0.0.1:0"\n', encoding="ascii")
    process = subprocess.Popen([str(command), "node", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        lines = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    except (OSError, StopIteration):
        return None
    finally:
        process.terminate()
        process.wait()


class Report(Rows):
    def aims(self):
        """(what, measured, aim, whether more is better)"""
        def packed(payload, figure):
            return self.value(figure, kind="throughput", contender="raw packed", payload=payload, datagram=1472)

        def dunlin(payload, figure):
            return self.value(figure, kind="throughput", contender="dunlin", payload=payload, datagram=1472)

        def trip(contender, place):
            return self.value("p50_us", kind="round trip", contender=contender, place=place)

        yield "64 B throughput / raw packed", ratio(dunlin(64, "messages_per_s"), packed(64, "messages_per_s")), 0.65, True
        peers = [row["messages_per_s"] for row in self.rows if row["kind"] == "throughput" and row["payload"] == 64
                 and row["contender"] not in ("dunlin", "raw packed", "raw gso") and row.get("messages_per_s")]
        yield "64 B throughput / fastest peer", ratio(dunlin(64, "messages_per_s"), max(peers, default=None)), 1.0, True
        yield "1 KiB throughput / ZeroMQ", ratio(dunlin(1024, "messages_per_s"), self.value(
            "messages_per_s", kind="throughput", contender="zeromq", payload=1024)), 2.0, True
        for side in ("pub", "sub"):
            figure = f"{side}_cpu_s_per_million"
            yield f"64 B {side} cpu / raw packed", ratio(dunlin(64, figure), packed(64, figure)), 1.6, False
        for place, aim in (("busy", 1.25), ("same core", 1.5), ("blocking", 1.05)):
            yield f"round trip / raw {place}", ratio(trip("dunlin", place), trip("raw udp", place)), aim, False
        for loss, aim in ((1, 0.7), (5, 0.4)):
            yield f"rate at {loss} % loss / without", ratio(
                *(self.value("messages_per_s", kind="loss", loss_percent=percent) for percent in (loss, 0))), aim, True
        yield "resident memory of dunlin node, KiB", self.value("resident_kib", kind="memory"), 5120, False
        yield "allocations a message", dunlin(64, "allocations_per_message"), 0.0, False

    def print(self):
        for payload in PAYLOADS:
            base = {datagram: self.value("messages_per_s", kind="throughput", contender="raw packed", payload=payload, datagram=datagram)
                    for datagram in DATAGRAMS}
            print(f"\nlink: throughput, {payload} B a message\n{'':18}{'datagram':>9}{'messages/s':>13}{'/ raw':>8}{'pub cpu':>9}{'sub cpu':>9}   broker")
            for row in self.rows:
                if row["kind"] != "throughput" or row["payload"] != payload:
                    continue
                if row["messages_per_s"] is None:
                    print(f"{row['contender']:18}{row['datagram'] or '':>9}{'failed':>13}")
                    continue
                share = ratio(row["messages_per_s"], base.get(row["datagram"] or 1472))
                print(f"{row['contender']:18}{row['datagram'] or '':>9}{row['messages_per_s']:>13,.0f}{number(share):>8}"
                      f"{number(row['pub_cpu_s_per_million']):>9}{number(row['sub_cpu_s_per_million']):>9}   {row.get('broker', '')}")
        print(f"\nlink: round trip, 64 B, µs\n{'':18}{'place':>11}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>9}{'/ raw':>8}")
        for row in self.rows:
            if row["kind"] != "round trip":
                continue
            base = self.value("p50_us", kind="round trip", contender="raw udp", place=row["place"])
            print(f"{row['contender']:18}{row['place']:>11}" + "".join(f"{number(row[name]):>9}" for name in ("p50_us", "p99_us", "p999_us", "max_us"))
                  + f"{number(ratio(row['p50_us'], base)):>8}")
        print(f"\nlink: dunlin, publish to acknowledged outcome at a fixed rate, µs\n{'offered/s':>11}{'loss %':>8}{'done/s':>11}{'p50':>9}{'p99':>9}{'p99.9':>9}{'max':>10}")
        for row in self.rows:
            if row["kind"] == "fixed rate":
                print(f"{row['offered_per_s']:>11,}{row['loss_percent']:>8}{number(row['messages_per_s']):>11}"
                      + "".join(f"{number(row[name]):>9}" for name in ("p50_us", "p99_us", "p999_us")) + f"{number(row['max_us']):>10}")
        for row in self.rows:
            if row["kind"] == "loss":
                print(f"link: dunlin at full speed and {row['loss_percent']} % loss: {number(row['messages_per_s'])} messages/s")
            if row["kind"] == "fan-out":
                print(f"link: dunlin to {row['subscribers']} subscribers: {number(row['messages_per_s'])} messages/s, "
                      f"{number(row['outcomes_per_s'])} outcomes/s")
        print_aims("link", self.aims())
        print("\nlink: what each promises")
        for name, promise in GUARANTEES.items():
            print(f"  {name:18}{promise}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it works")
    parser.add_argument("--rounds", type=int, choices=range(1, 21), metavar="N", default=3)
    parser.add_argument("--seconds", type=positive, default=0.4, help="of each measurement")
    parser.add_argument("--only", default="", help="measurements whose kind or contender has one of these words")
    parser.add_argument("--json", help="write all rows and aims to this file")
    arguments = parser.parse_args()
    rounds, seconds = (1, 0.2) if arguments.quick else (arguments.rounds, arguments.seconds)
    if os.cpu_count() < 2:
        sys.exit("link bench: two cores are needed")

    words = [word for word in arguments.only.split(",") if word]
    with tempfile.TemporaryDirectory(prefix="dunlin-link-") as folder:
        bench = Bench(arguments.build, folder, seconds)
        present = [contender for contender in CONTENDERS if bench.has(contender)]
        for contender in CONTENDERS:
            if contender not in present:
                print(f"link: {contender.name} is skipped: {PACKAGES.get(contender.program, contender.program)} could not be had")
        cases = [case for make in (throughput_cases, round_trip_cases, loss_cases) for case in make(bench, present)
                 if not words or any(word in (case[0]["kind"], case[0]["contender"]) for word in words)]
        print(f"link: {len(cases)} measurements of {seconds} s, {rounds} rounds; load average {os.getloadavg()[0]:.1f}", flush=True)
        print_load("link")
        resident = resident_kib(bench)
        results = [[] for _ in cases]
        for each in range(rounds):
            begin = time.monotonic()
            for (case, run), found in zip(cases, results):
                if found and all(figures is None for figures in found):
                    continue  # it cannot
                found.append(run())
            print(f"link: round {each + 1} took {time.monotonic() - begin:.0f} s", flush=True)

    names = ("messages_per_s", "outcomes_per_s", "pub_cpu_s_per_million", "sub_cpu_s_per_million", "allocations_per_message",
             "p50_us", "p99_us", "p999_us", "max_us")
    rows = [{**case, **{name: median([figures.get(name) for figures in found if figures]) for name in names}}
            for (case, _), found in zip(cases, results)]
    rows.append({"kind": "memory", "contender": "dunlin node", "resident_kib": resident})
    report = Report(rows)
    report.print()
    if arguments.json:
        pathlib.Path(arguments.json).write_text(
            json.dumps({"rounds": rounds, "seconds": seconds, "guarantees": GUARANTEES, "rows": rows, "aims": aims_json(report.aims())}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
