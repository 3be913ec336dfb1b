#!/usr/bin/env python3
"""Stages the demo: starts its processes, breaks things, and tells what happens as it happens.

usage: demo.py --build FOLDER [--break fencing|settlement|lease-guard] [--keep FOLDER]

Three voters, one publisher, two subscribers and two that want the lease of a crane: eight processes that talk over loopback UDP, each losing
5 % of what it sends. Every process leaves a file of events; checker.py judges them in the end.
"""

import argparse
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

VOTERS = (1, 2, 3)
PUBLISHER, SUBSCRIBERS, HOLDERS = 11, (21, 22), (31, 32)
LOSS = 0.05
PATIENCE_S = 60    # for anything that takes about a second; only a broken build reaches it

WITHOUT = {
    "nothing": None,
    "fencing": "This run goes without FENCING: subscribers take orders to the crane under any token.",
    "settlement": "This run goes without SETTLEMENT: the publisher gives each message 4 ms and counts what was sent as processed.",
    "lease-guard": "This run goes without the LEASE GUARD: a holder ignores the end of its lease until somebody tells it.",
}


def now_us():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


def free_ports(count):
    """UDP ports of loopback that nobody uses now."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def spoken(name):
    """"holder1" as people say it: "holder 1"."""
    return f"{name[:-1]} {name[-1]}"


class EventTail:
    """The events of one process, as they come."""

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.events = []

    def read(self):
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self.offset)
                text = file.read()
            end = text.rfind(b"\n") + 1
            self.offset += end
            self.events += [json.loads(line) for line in text[:end].split(b"\n") if line.endswith(b"}")]
        return self.events


class Demo:
    def __init__(self, build, broken, folder):
        self.build = build
        self.broken = broken
        self.folder = folder
        self.events_folder = folder / "events"
        self.events_folder.mkdir()
        self.start = time.monotonic()
        self.processes = {}
        self.tails = {}
        ids = (*VOTERS, PUBLISHER, *SUBSCRIBERS, *HOLDERS)
        self.address = {node: f"127.0.0.1:{port}" for node, port in zip(ids, free_ports(len(ids)))}

    # ---- Telling

    def tell(self, sentence):
        print(f"[{time.monotonic() - self.start:5.1f} s] {sentence}", flush=True)

    def note(self, event, **fields):
        line = json.dumps({"time_us": now_us(), "event": event, **fields})
        with (self.events_folder / "story.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    # ---- Processes

    def launch(self, name, command):
        self.tails.setdefault(name, EventTail(self.events_folder / f"{name}.jsonl"))
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen([str(each) for each in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def make_cluster(self):
        entries = []
        for node in VOTERS[1:]:
            made = self.dunlin("join", node)
            entries += ["--voter", made.stdout.strip()]
        self.dunlin("init", VOTERS[0], *entries)

    def dunlin(self, verb, node, *more):
        return subprocess.run([self.build / "tools/dunlin", verb, "--id", str(node), "--cluster", "harbour", "--journal",
                               self.folder / f"voter{node}.journal", "--address", self.address[node], *more],
                              check=True, capture_output=True, text=True)

    def launch_voter(self, node):
        config = self.folder / f"voter{node}.toml"
        seeds = ", ".join(f'"{self.address[other]}"' for other in VOTERS if other != node)
        config.write_text(f'id = {node}\ncluster = "harbour"\nlisten = "{self.address[node]}"\nseeds = [{seeds}]\n'
                          f'journal = "voter{node}.journal"\nevents = "events/voter{node}.jsonl"\nloss = {LOSS}\n', encoding="utf-8")
        self.launch(f"voter{node}", [self.build / "tools/dunlin", "node", "-c", config])

    def launch_member(self, role, name, node, peers):
        self.launch(name, [self.build / f"examples/demo/demo_{role}", node, self.address[node], self.events_folder / f"{name}.jsonl", self.broken,
                           *(self.address[peer] for peer in peers)])

    # ---- Watching

    def wait(self, what, condition):
        """The first true result of `condition`. Fails where it takes too long or a process ends that should not."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for tail in self.tails.values():
                tail.read()
            result = condition()
            if result:
                return result
            for name, process in self.processes.items():
                if process.poll() not in (None, 0):
                    raise RuntimeError(f"{name} ended with status {process.returncode}; its log: {(self.folder / (name + '.log')).read_text()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {PATIENCE_S} s in vain for {what}")
            time.sleep(0.01)

    def find(self, prefix, event, after_us=0, **fields):
        """(process, event) of the first such event."""
        found = [(each["time_us"], name, each) for name, tail in self.tails.items() if name.startswith(prefix) for each in tail.events
                 if each["event"] == event and each["time_us"] > after_us and all(each.get(key) == value for key, value in fields.items())]
        if not found:
            return None
        _, name, event = min(found, key=lambda item: item[0])
        return name, event

    def leader(self):
        """(voter, term) of the newest term in which somebody has committed."""
        terms = [(each["detail"], name) for name, tail in self.tails.items() if name.startswith("voter")
                 for each in tail.events if each["event"] == "committed"]
        return (int(max(terms)[1].removeprefix("voter")), max(terms)[0]) if terms else None

    # ---- The story

    def run(self):
        if WITHOUT[self.broken]:
            self.tell(WITHOUT[self.broken])
        self.found_cluster()
        self.gather_members()
        publishing = self.start_publishing()
        self.wait("five seconds of telemetry", lambda: now_us() - publishing > 5_000_000)
        self.kill_leader()
        self.pause_holder()
        self.finish()

    def found_cluster(self):
        self.tell("Three voters make a cluster. Each has a journal on disk; together they agree on who leads and who holds which lease. Every"
                  " process of this demo loses 5 % of the packets that it sends, on purpose.")
        self.make_cluster()
        for node in VOTERS:
            self.launch_voter(node)
        node, term = self.wait("a leader", self.leader)
        self.tell(f"They elected voter {node} as their leader (term {term}): a majority follows it, so there cannot be a second one.")

    def gather_members(self):
        self.tell("Two subscribers come aboard, and two that want to move the harbour's crane, which only one may do at a time.")
        for number, node in enumerate(SUBSCRIBERS, 1):
            self.launch_member("subscriber", f"subscriber{number}", node, VOTERS)
        self.launch_member("holder", "holder1", HOLDERS[0], (*VOTERS, *SUBSCRIBERS))
        _, held = self.wait("the lease", lambda: self.find("holder1", "holds"))
        self.tell(f"Holder 1 got the lease of the crane, with fencing token {held['token']}. Only it may move the crane; it must renew its"
                  " lease all the time.")
        self.launch_member("holder", "holder2", HOLDERS[1], (*VOTERS, *SUBSCRIBERS))
        self.wait("an order to the crane", lambda: self.find("subscriber1", "accepted", topic="crane")
                  and self.find("subscriber2", "accepted", topic="crane"))
        self.tell("Its orders reach both subscribers. Holder 2 wants the lease too, and waits.")

    def start_publishing(self):
        self.launch_member("publisher", "publisher", PUBLISHER, (*VOTERS, *SUBSCRIBERS))
        _, event = self.wait("the first message", lambda: self.find("publisher", "published"))
        self.tell("The publisher sends this machine's telemetry (processor, memory, load, network) 200 times a second, for 15 seconds.")
        return event["time_us"]

    def kill_leader(self):
        node, _ = self.leader()
        self.note("leader_killed", node=node)
        killed_us = now_us()
        self.processes[f"voter{node}"].send_signal(signal.SIGKILL)
        self.processes.pop(f"voter{node}").wait()
        self.tell(f"SIGKILL to voter {node}, the leader. No goodbye: the others have to notice.")
        name, event = self.wait("a new leader", lambda: self.find("voter", "committed", after_us=killed_us))
        took_ms = (event["time_us"] - killed_us) // 1000
        self.tell(f"{spoken(name).capitalize()} leads now (term {event['detail']}); {took_ms} ms after the kill it committed again. The"
                  " telemetry never asked a leader for anything, and went on.")
        self.wait("a second without it", lambda: now_us() - killed_us > 2_000_000)
        self.launch_voter(node)
        self.wait("the voter's return", lambda: self.find(f"voter{node}", "started", after_us=killed_us))
        self.tell(f"Voter {node} is back. Its journal told it everything that it had promised before it died; it follows.")

    def holder(self):
        """(holder, token) of the one that has the lease now."""
        held = [(each["until_us"], name, each["token"]) for name, tail in self.tails.items() if name.startswith("holder")
                for each in tail.events if each["event"] == "holds"]
        return max(held)[1:] if held and (self.broken == "lease-guard" or max(held)[0] > now_us()) else None

    def pause_holder(self):
        holder, old = self.wait("a holder", self.holder)
        other = "holder2" if holder == "holder1" else "holder1"
        paused_us = now_us()
        self.processes[holder].send_signal(signal.SIGSTOP)
        self.tell(f"SIGSTOP to {spoken(holder)}, in the middle of a move of the crane (token {old}). It cannot renew its lease; it does not"
                  " even know.")
        _, held = self.wait("the next holder", lambda: self.find(other, "holds", after_us=paused_us))
        self.tell(f"The lease ran out, and {spoken(other)} got it, with token {held['token']}.")
        for name in ("subscriber1", "subscriber2"):
            self.wait("its orders", lambda name=name: self.find(name, "accepted", topic="crane", token=held["token"]))
        continued_us = now_us()
        self.processes[holder].send_signal(signal.SIGCONT)
        self.tell(f"Orders under token {held['token']} are in. SIGCONT to {spoken(holder)}: it ends its move and gives its order, under its old"
                  f" token {old}.")
        if self.broken == "fencing":
            self.wait("the stale order", lambda: self.find("subscriber", "accepted", after_us=continued_us, topic="crane", token=old))
            self.tell("And the crane obeyed: nobody looked at the token.")
            return
        name, _ = self.wait("the fence", lambda: self.find("subscriber", "fenced", after_us=continued_us))
        self.tell(f"{spoken(name).capitalize()} refused it: the token is too old. A stale order never reaches the crane.")

    def finish(self):
        self.wait("the publisher's end", lambda: self.processes["publisher"].poll() is not None)
        self.tell("The publisher has every answer it waited for, and leaves.")
        for name in ("holder1", "holder2", "subscriber1", "subscriber2", *(f"voter{node}" for node in VOTERS)):
            self.processes[name].send_signal(signal.SIGTERM)
            if self.processes[name].wait(PATIENCE_S) != 0:
                raise RuntimeError(f"{name} did not stop well; its log: {(self.folder / (name + '.log')).read_text()}")
        self.tell("Everybody else was asked to stop: leases are given back, leadership is handed on, all is settled. Now the checker reads what"
                  " every process wrote down.")

    def end_processes(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def main():
    parser = argparse.ArgumentParser(prog="./run demo")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--break", dest="broken", choices=[name for name in WITHOUT if name != "nothing"], default="nothing",
                        help="take this mechanism out; the checker must notice")
    parser.add_argument("--keep", type=pathlib.Path, help="keep journals, logs and event files in this new folder")
    arguments = parser.parse_args()
    folder = arguments.keep or pathlib.Path(tempfile.mkdtemp(prefix="dunlin-demo-"))
    if arguments.keep:
        folder.mkdir(parents=True)
    demo = Demo(arguments.build.resolve(), arguments.broken, folder.resolve())
    try:
        demo.run()
        checker = pathlib.Path(__file__).with_name("checker.py")
        sys.exit(subprocess.run([sys.executable, checker, folder / "events"], check=False).returncode)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)    # nothing comes between here and the end of every process
        print("\ndemo: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except RuntimeError as error:
        print(f"demo: it went wrong: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        demo.end_processes()
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
