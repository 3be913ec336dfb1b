#!/usr/bin/env python3
"""Judges a run of the demo from the event files that its processes left, and from nothing else.

usage: checker.py FOLDER

Every line of FOLDER/*.jsonl is one event with its time on CLOCK_BOOTTIME, which is the same clock in every process of the
machine. Prints each violated promise, then the demo's last line. Exits 1 where a promise was violated.
"""

import collections
import json
import pathlib
import sys

SUBSCRIBERS = 2
# What a run must at least contain, so that its promises were put to the test.
PUBLISHED_MIN = 2500
DROPPED_PERCENT_MIN = 4


def read(folder):
    """Events by the name of the process that wrote them. A killed process may have left half a line behind."""
    files = {}
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text(encoding="utf-8").split("\n")
        files[path.stem] = [json.loads(line) for line in lines if line.endswith("}")]
    return files


def select(files, prefix, event, **fields):
    """(process, event) of all processes whose name starts so, in order of time."""
    found = [(name, each) for name, events in files.items() if name.startswith(prefix) for each in events
             if each["event"] == event and all(each.get(key) == value for key, value in fields.items())]
    return sorted(found, key=lambda item: item[1]["time_us"])


class Checker:
    def __init__(self, files):
        self.files = files
        self.violations = []
        self.checks = collections.Counter()

    def check(self, promise, holds, violation):
        self.checks[promise] += 1
        if not holds:
            self.violations.append(f"{promise}: {violation}")

    def deliveries(self):
        """published, acknowledged, lost, duplicates and dead letters of the telemetry."""
        published = {event["sequence"] for _, event in select(self.files, "publisher", "published")}
        outcomes = collections.defaultdict(list)
        dead_letters = 0
        for _, event in select(self.files, "publisher", "outcome"):
            outcomes[event["sequence"]].append(event["outcome"])
            dead_letters += event["outcome"] != "acknowledged"
        dead_letters += sum(event["outcome"] not in ("acknowledged", "fenced") for _, event in select(self.files, "holder", "outcome"))

        accepted = collections.defaultdict(collections.Counter)
        for name, event in select(self.files, "subscriber", "accepted", topic="telemetry"):
            accepted[name][event["sequence"]] += 1
        by_both = [sequence for sequence in published if len(accepted) == SUBSCRIBERS
                   and all(sequence in each for each in accepted.values())]
        told = {sequence for sequence, each in outcomes.items() if each == ["acknowledged"] * SUBSCRIBERS}
        lost = sorted(told - set(by_both))
        unsettled = [sequence for sequence in published if len(outcomes[sequence]) != SUBSCRIBERS]
        duplicates = sum(count - 1 for each in accepted.values() for count in each.values())

        self.check("at least once", not lost, f"{len(lost)} messages were reported acknowledged, but a subscriber never got them,"
                                              f" the first of them number {lost[0] if lost else 0}")
        self.check("at least once", not unsettled, f"{len(unsettled)} messages were published and not settled with both subscribers")
        self.check("no duplicates", duplicates == 0, f"{duplicates} messages reached a handler twice")
        self.check("every outcome good", dead_letters == 0, f"{dead_letters} dead letters")
        for name, each in accepted.items():
            order = [event["sequence"] for _, event in select(self.files, name, "accepted", topic="telemetry")]
            self.check("order", order == sorted(order), f"{name} got messages out of order")
        acknowledged = len(told & set(by_both))
        return len(published), acknowledged, len(lost) + len(unsettled), duplicates, dead_letters

    def gap_ms(self):
        """The longest time between two messages in a row at one subscriber."""
        gap = 0
        for name in self.files:
            times = [event["time_us"] for _, event in select(self.files, name, "accepted", topic="telemetry")]
            gap = max([gap] + [after - before for before, after in zip(times, times[1:])])
        return gap // 1000

    def failovers(self):
        """How often the leader was killed, and the longest time until another one had committed."""
        kills = [event for _, event in select(self.files, "story", "leader_killed")]
        longest = 0
        for kill in kills:
            commits = [event["time_us"] for name, event in select(self.files, "voter", "committed")
                       if event["time_us"] > kill["time_us"] and name != f"voter{kill['node']}"]
            self.check("failover", bool(commits), f"nobody took over from leader {kill['node']}")
            if commits:
                longest = max(longest, min(commits) - kill["time_us"])
        leaders = collections.defaultdict(set)
        for name, event in select(self.files, "voter", "committed"):
            leaders[event["detail"]].add(name)
        for term, names in leaders.items():
            self.check("one leader a term", len(names) == 1, f"term {term} had {', '.join(sorted(names))}")
        return len(kills), longest // 1000

    def holders(self):
        """The most processes that took themselves for the lease's holder at one time."""
        claims = {}
        for name, event in select(self.files, "holder", "holds"):
            start, until = claims.get((name, event["token"]), (event["from_us"], event["until_us"]))
            claims[name, event["token"]] = (min(start, event["from_us"]), max(until, event["until_us"]))
        edges = []
        for (name, token), (start, until) in claims.items():
            edges += [(start, 1, name, token), (until, -1, name, token)]
        now, most = 0, 0
        for time_us, change, name, token in sorted(edges):
            now += change
            most = max(most, now)
            self.check("one holder", now <= 1, f"at {time_us} us {name} with token {token} held the lease together with another process")
        return most

    def fenced(self):
        """Orders under an old token that were refused. None may have been accepted."""
        highest = collections.defaultdict(int)
        for name, event in select(self.files, "subscriber", "accepted", topic="crane"):
            self.check("fencing", event["token"] >= highest[name],
                       f"{name} accepted an order under token {event['token']} after one under token {highest[name]}")
            highest[name] = max(highest[name], event["token"])
        return len(select(self.files, "holder", "outcome", outcome="fenced"))

    def dropped_percent(self):
        """Of all datagrams that processes meant to send. Figures of a killed process are those of its last second."""
        sent = dropped = 0
        for events in self.files.values():
            highest = {"datagrams_sent": 0, "datagrams_dropped": 0}
            for event in (each for each in events if each["event"] == "transport"):
                if event["datagrams_sent"] < highest["datagrams_sent"]:    # started again: it counts from 0
                    sent += highest["datagrams_sent"]
                    dropped += highest["datagrams_dropped"]
                highest = event
            sent += highest["datagrams_sent"]
            dropped += highest["datagrams_dropped"]
        return round(100 * dropped / max(1, sent + dropped))


def main():
    checker = Checker(read(pathlib.Path(sys.argv[1])))
    published, acknowledged, lost, duplicates, dead_letters = checker.deliveries()
    failovers, failover_ms = checker.failovers()
    holders = checker.holders()
    fenced = checker.fenced()
    dropped = checker.dropped_percent()
    gap_ms = checker.gap_ms()

    checker.check("a full run", acknowledged >= PUBLISHED_MIN, f"only {acknowledged} messages were acknowledged by both subscribers")
    checker.check("a full run", failovers >= 1, "the leader was never killed")
    checker.check("a full run", fenced >= 1, "no stale order was fenced")
    checker.check("a full run", dropped >= DROPPED_PERCENT_MIN, f"only {dropped} % of the datagrams were dropped")
    checker.check("a full run", holders >= 1, "nobody ever held the lease")

    unheld = collections.Counter(violation.split(":")[0] for violation in checker.violations)
    told = set()
    for violation in checker.violations:
        promise = violation.split(":")[0]
        if promise not in told:
            more = f" (and {unheld[promise] - 1} more like it)" if unheld[promise] > 1 else ""
            print(f"VIOLATED {violation}{more}")
        told.add(promise)
    print(f"checker: {sum(checker.checks.values())} checks of {len(checker.checks)} promises, {len(checker.violations)} violations")
    print(f"demo: published={published} acknowledged={acknowledged} lost={lost} duplicates_delivered={duplicates}"
          f" dead_letters={dead_letters} failovers={failovers} failover_ms={failover_ms} lease_holders_max={holders}"
          f" fenced={fenced} datagrams_dropped_percent={dropped} max_delivery_gap_ms={gap_ms}")
    sys.exit(1 if checker.violations else 0)


if __name__ == "__main__":
    main()
