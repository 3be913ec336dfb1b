#!/usr/bin/env python3
"""A cluster of two hosts and three boards on one wire, hurt while it works, told as it happens and judged in the end.

usage: cluster_story.py --build FOLDER [--seed N] [--pcap FILE] [--keep FOLDER] [--stack FILE]

FOLDER holds the builds of the release preset and of the boards. Both hosts vote, and so does the board `voter`; the board `sensor` publishes
under a lease, the board `actuator` handles what it says; the second host stands by for the lease. The wire loses 5 % of all frames.
The last line sums it up; exit status 0: every promise was kept.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import judge
from guest import Guest, Host, Wire, folder_for

PATIENCE_S = 90      # for what takes a few seconds; only a broken build reaches it
MESSAGES_A_LEASE = 45    # ten a second, and the lease lasts two
QUIET_S = 6          # six times as long as the longest election
LOSS_PPM = 50_000
DELAY_US = "100..1000"
PORT = 7000
HOST, STANDBY, VOTER, SENSOR, ACTUATOR = 1, 2, 11, 12, 13
BOARD_OF = {VOTER: "mps2_an385", SENSOR: "mps2_an386", ACTUATOR: "mps2_an500"}


class Violated(Exception):
    """A promise that was not kept."""


def address(node, port=PORT):
    return f"10.9.0.{node}:{port}"


class Story:
    def __init__(self, build, folder, seed, pcap):
        self.release = build / "release"
        self.folder = folder
        self.begin = time.monotonic()
        self.resets = 0
        wire_tool = self.release / "tools/virtual_wire/dunlin_wire"
        qemu = shutil.which("qemu-system-arm") or sys.exit("cluster_story: there is no qemu-system-arm")

        def guest(name, node, seeds):
            # The same word at every start: what a board draws must differ all the same, or a wiped voter would come back as itself.
            words = [f"id={node}", "cluster=harbour", f"address={address(node)}", "seeds=" + ",".join(map(address, seeds)), "entropy=1f"]
            image, = (build / BOARD_OF[node]).rglob(f"{name}.elf")
            return Guest(name, folder, BOARD_OF[node], image, qemu, words)

        self.voter = guest("voter", VOTER, (HOST, STANDBY))
        self.sensor = guest("sensor", SENSOR, (HOST, STANDBY, VOTER, ACTUATOR))
        self.actuator = guest("actuator", ACTUATOR, (HOST, STANDBY, VOTER))
        self.socket = folder / "host.socket"
        self.host = Host("host", folder, wire_tool, f"10.9.0.{HOST}/24", [self.dunlin(), "node", "-c", folder / "host.toml"])
        self.standby = Host("standby", folder, wire_tool, f"10.9.0.{STANDBY}/24", [
            self.release / "tests/boards/standby_voter", f"id={STANDBY}", "cluster=harbour", f"address={address(STANDBY)}",
            f"seeds={address(HOST)},{address(VOTER)},{address(ACTUATOR)}", f"journal={folder / 'standby.journal'}"])
        self.nodes = (self.host, self.standby, self.voter, self.sensor, self.actuator)
        self.wire = Wire(wire_tool, {node.name: node.port for node in self.nodes}, LOSS_PPM, DELAY_US, seed, pcap)

    def dunlin(self):
        return self.release / "tools/dunlin"

    # ---- Telling and waiting

    def tell(self, sentence):
        print(f"[{time.monotonic() - self.begin:5.1f} s] {sentence}", flush=True)

    def wait(self, what, condition):
        """The first true result of `condition`. Fails where it takes too long, or where a node ends that should not."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            result = condition()
            if result:
                return result
            for node in self.nodes:
                if node.process is not None and node.process.poll() is not None and not node.ended:
                    raise Violated(f"{node.name} ended with status {node.process.returncode}; it said: {self.last_words(node)}")
            if time.monotonic() > deadline:
                raise Violated(f"waited {PATIENCE_S} s in vain for {what}; " + "; ".join(
                    f"{node.name} said last: {self.last_words(node)}" for node in self.nodes if node.process))
            time.sleep(0.02)

    @staticmethod
    def last_words(node):
        return " | ".join(" ".join(f"{key}={value}" for key, value in line.words.items()) for line in node.lines()[-3:])

    # ---- What nodes say

    def started(self, node):
        return self.wait(f"{node.name} to start", lambda: node.lines("started", this_boot=True))[-1].words

    def joined(self, node):
        """It has met the cluster: a member is bound to it, a voter knows who leads."""
        return self.wait(f"{node.name} to know who leads", lambda: any(line.words["node"] != "0" for line in node.lines("leader", this_boot=True)))

    def handled_from(self, publisher):
        return len(judge.handled(self.actuator, publisher))

    def handles_more(self, publisher, why, count=20):
        before = self.handled_from(publisher)
        self.wait(f"{count} more messages of node {publisher} at the actuator, {why}", lambda: self.handled_from(publisher) >= before + count)

    def put(self, value):
        """Whether a value was committed, asked of the first host."""
        return subprocess.run([self.dunlin(), "key", "put", "--socket", self.socket, "valve", value], capture_output=True, check=False,
                              timeout=PATIENCE_S).returncode == 0

    # ---- The cluster

    def make_cluster(self):
        """The voter on a board formats its flash and says who it is; the hosts' journals are made to match."""
        self.voter.start()
        entries = ["--voter", self.started(self.voter)["entry"], "--voter", self.format("join", STANDBY, "standby").strip()]
        self.format("init", HOST, "host", *entries, "--ledger", "voter_min")
        (self.folder / "host.toml").write_text(
            f'id = {HOST}\ncluster = "harbour"\nlisten = "{address(HOST)}"\nledger = "voter_min"\njournal = "host.journal"\n'
            f'socket = "host.socket"\nseeds = ["{address(STANDBY)}", "{address(VOTER)}"]\n', encoding="utf-8")
        self.host.start()
        self.joined(self.voter)
        self.wait("a value to be committed", lambda: self.put("open"))
        self.tell("a host and a Cortex-M3 board, two of three voters, have elected a leader and committed a value")

    def format(self, verb, node, name, *more):
        made = subprocess.run([self.dunlin(), verb, "--id", str(node), "--cluster", "harbour", "--journal", self.folder / f"{name}.journal",
                               "--address", address(node), *more], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Violated(f"dunlin {verb}: {made.stderr.strip()}")
        return made.stdout

    # ---- What is done to it, one after the other

    def deliver(self):
        self.sensor.start()
        self.wait("the sensor to hold the lease", lambda: self.sensor.lines("lease_held"))
        self.standby.start()    # which would have liked the lease itself
        self.joined(self.standby)
        self.actuator.start()
        self.started(self.actuator)
        self.handles_more(SENSOR, "in peace", 50)
        self.tell(f"the sensor (Cortex-M4) holds the lease and the actuator (Cortex-M7) has handled {self.handled_from(SENSOR)} of its messages")

    def reset(self, node, publisher):
        boot = node.reader.boot
        epoch = int(self.started(node)["epoch"])
        node.reset()
        self.wait(f"{node.name} to begin anew", lambda: node.reader.boot > boot)
        words = self.started(node)
        if int(words["epoch"]) <= epoch:
            raise Violated(f"{node.name} was reset in epoch {epoch} and began anew in epoch {words['epoch']}: it forgot its journal")
        self.resets += 1
        self.handles_more(publisher, f"after the {node.name}'s reset")
        self.tell(f"the {node.name} was reset, and goes on with its journal in epoch {words['epoch']}")

    def cut_the_holder_off(self):
        """Two live nodes in turn believe that the lease is theirs: the actuator must refuse what the first one still says afterwards."""
        self.wire.obey("isolate sensor")
        self.wait("the lease to be handed on to the standby", lambda: self.standby.lines("lease_held"))
        self.handles_more(STANDBY, "under its own token", 5)
        self.wire.obey("join sensor")
        refused = self.wait("the actuator to refuse what the sensor says under its old token", lambda: self.actuator.lines("refused"))
        self.wait("the sensor to be told so", lambda: judge.fenced(self.sensor))
        held = len(self.sensor.lines("lease_held"))
        self.end(self.standby)
        self.wait("the lease to be handed back", lambda: len(self.sensor.lines("lease_held")) > held)
        self.handles_more(SENSOR, "under its new token")
        self.standby.start()
        self.joined(self.standby)
        self.tell(f"the sensor was cut off until the standby held the lease: the actuator refused {refused[-1].words['count']} message or more "
                  "of its old token, and it has the lease again since the standby was stopped")

    def end(self, host):
        status = host.end()
        if status != 0:
            raise Violated(f"{host.name} was asked to end, and did with status {status}; it said last: {self.last_words(host)}")

    def lose_the_holder(self):
        token = int(self.sensor.lines("lease_held")[-1].words["token"])
        self.sensor.kill()
        held = self.wait("the lease to be handed on", lambda: self.standby.lines("lease_held", this_boot=True))[-1]
        if int(held.words["token"]) <= token:
            raise Violated(f"the standby holds the lease under token {held.words['token']}, no higher than the {token} of the sensor that was killed")
        took = held.at - self.sensor.deaths[-1]
        self.wait("messages of the standby at the actuator", lambda: self.handled_from(STANDBY) >= 20)
        self.tell(f"the sensor's guest was killed; {took:.1f} s later the standby on a host holds the lease, and the actuator obeys it")

    def raise_the_dead(self, node, what):
        epoch = int(self.started(node)["epoch"])
        storage = self.started(node)["entry"]
        node.start()
        words = self.started(node)
        if words["entry"] != storage or int(words["epoch"]) <= epoch:
            raise Violated(f"{node.name} came back as {words['entry']} in epoch {words['epoch']}; it was {storage} in epoch {epoch}")
        self.resets += 1
        self.tell(f"{what} was started again, with the flash that it had: epoch {words['epoch']}")

    def depend_on_the_board(self):
        """With one host gone two voters are left, the other host and the board: one leads, and nothing is committed that both have not stored.
        The lease is renewed by a commit, so whoever publishes for longer than it lasts lives on their commits."""
        self.end(self.host)
        self.wait("the other host or the board to lead", lambda: self.leads(self.standby) or self.leads(self.voter))
        self.handles_more(STANDBY, "while the board is half of the majority", MESSAGES_A_LEASE)
        leader = "the board" if self.leads(self.voter) else "the other"
        self.tell(f"one host was stopped: {leader} leads, by the vote of both, and leases are renewed")
        self.host.start()
        self.wait("a value to be committed by all three", lambda: self.put("shut"))

    @staticmethod
    def leads(node):
        lines = node.lines("role", this_boot=True)
        return bool(lines) and lines[-1].words["role"] == "leader"

    def wipe_the_voter(self):
        """A voter that lost its memory may have promised anything: it comes back under another storage, and has no vote."""
        self.voter.kill()
        self.voter.wipe()
        before = self.started(self.voter)["entry"]
        self.voter.start()
        after = self.started(self.voter)["entry"]
        if before == after:
            raise Violated("the wiped voter has the entry that it had")
        self.tell("the voter's guest was killed and its flash wiped; it has formatted a new one, under another storage")
        self.end(self.host)
        terms = self.standby_terms()
        begin = time.monotonic()
        while time.monotonic() - begin < QUIET_S:
            if any(line.words["role"] in ("leader", "candidate") for line in self.voter.lines("role", this_boot=True)):
                raise Violated("the wiped voter stands for election")
            time.sleep(0.05)
        if self.leads(self.standby) or self.standby_terms() - terms:
            raise Violated("the standby leads by the vote of a board whose memory was wiped")
        self.tell(f"one host was stopped: for {QUIET_S} s nobody has led, since the wiped board has no vote")
        self.host.start()
        self.wait("the two hosts to commit", lambda: self.put("open"))

    def standby_terms(self):
        return {line.words["term"] for line in self.standby.lines("role") if line.words["role"] == "leader"}

    def settle(self):
        """Until nothing is under way: what was published has an outcome at the actuator."""
        self.wait("everything to be handled", lambda: not judge.lost(self.actuator, self.sensor, SENSOR))
        self.sensor.kill()
        self.end(self.standby)
        self.wait("everything of the standby to be handled", lambda: not judge.lost(self.actuator, self.standby, STANDBY))

    def play(self):
        self.make_cluster()
        self.deliver()
        self.reset(self.actuator, SENSOR)
        self.reset(self.voter, SENSOR)
        self.cut_the_holder_off()
        self.lose_the_holder()
        self.raise_the_dead(self.sensor, "the sensor")
        self.voter.kill()
        self.raise_the_dead(self.voter, "the voter")
        self.joined(self.voter)
        self.depend_on_the_board()
        self.wipe_the_voter()
        self.settle()

    # ---- The judgement

    def judge(self):
        publishers = ((self.sensor, SENSOR), (self.standby, STANDBY))
        lost = sum(len(judge.lost(self.actuator, node, number)) for node, number in publishers)
        repeated = sum(len(judge.repeated(self.actuator, number)) for _, number in publishers)
        published = sum(len(judge.published(node)) for node, _ in publishers)
        holders = judge.holders_max([self.sensor, self.standby])
        fenced = sum(len(judge.fenced(node)) for node, _ in publishers)
        stale = judge.stale_handled(self.actuator)
        holders_in_turn = [self.sensor, self.standby]
        wrong = judge.tokens_fall(holders_in_turn) or judge.published_too_late(holders_in_turn)
        figures = (f"boards: nodes={len(self.nodes)} published={published} lost={lost} duplicates_delivered={repeated} lease_holders_max={holders} "
                   f"fenced={fenced} stale_handled={0 if stale is None else 1} resets_survived={self.resets}")
        if wrong is not None:
            print(f"boards: tokens of the lease do not only grow: {wrong}", file=sys.stderr)
        kept = not lost and not repeated and holders == 1 and stale is None and wrong is None
        return figures, kept and published > 0 and fenced > 0

    def stack_used(self):
        """Lines "BOARD IMAGE BYTES": the most stack that each guest said it had used."""
        return [f"{guest.board} {guest.name} {max(int(line.words['used']) for line in guest.lines('stack'))}"
                for guest in (self.voter, self.sensor, self.actuator) if guest.lines("stack")]

    def stop(self):
        for node in self.nodes:
            if node.alive():
                node.kill()
        return self.wire.stop()

    @staticmethod
    def lost_its_share(wire):
        """Whether the wire lost as much as it was told to, from its last line."""
        words = dict(word.split("=") for word in wire.split() if "=" in word)
        share = int(words["lost"]) / int(words["ways"])
        return 0.6 * LOSS_PPM / 1e6 < share < 1.4 * LOSS_PPM / 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pcap", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="leave what the nodes said in this folder")
    parser.add_argument("--stack", type=pathlib.Path, help="write down how much stack each board has used")
    arguments = parser.parse_args()
    if arguments.keep and arguments.keep.exists():
        sys.exit(f"cluster_story: {arguments.keep} exists already")
    folder = folder_for(arguments.keep) if arguments.keep else pathlib.Path(tempfile.mkdtemp(prefix="dunlin-boards-"))
    story = Story(arguments.build.resolve(), folder, arguments.seed, arguments.pcap)
    violated = None
    try:
        story.play()
    except Violated as error:
        violated = error
    finally:
        wire = story.stop()
    figures, kept = story.judge()
    print(wire)
    print(figures, flush=True)
    if not violated and not story.lost_its_share(wire):
        violated = f"the wire was to lose {LOSS_PPM} of a million packets"
    if violated:
        print(f"boards: VIOLATED: {violated}", file=sys.stderr)
    if arguments.stack:
        arguments.stack.write_text("".join(line + "\n" for line in story.stack_used()), encoding="utf-8")
    if not arguments.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if kept and not violated else 1


if __name__ == "__main__":
    sys.exit(main())
