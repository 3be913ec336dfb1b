#!/usr/bin/env python3
"""Adds up what count_tests.py counted, one line a target, and compares the targets.

    report.py [--left-out LIST] NAME=BUILD_FOLDER...

Exits 0 only if nothing failed, every target accounts for the same number of tests, passed or left out, and every pattern of LIST fits one.
"""

import argparse
import json
import pathlib
import sys

from left_out import LeftOut


def counts_of(folder):
    """What each program of the build counted. One that never ended counted nothing, and is a failure of its own name."""
    programs = (pathlib.Path(folder) / "counted_programs.txt").read_text(encoding="utf-8").split()
    for program in programs:
        path = pathlib.Path(folder) / "counted" / program
        if path.exists():
            yield json.loads(path.read_text(encoding="utf-8"))
        else:
            yield {"passed": 0, "failed": [f"{program} (did not end)"], "left_out": 0, "patterns": []}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--left-out")
    parser.add_argument("targets", nargs="+", metavar="NAME=BUILD_FOLDER")
    arguments = parser.parse_args()

    problems, totals, unused = [], {}, set(LeftOut(arguments.left_out).patterns)
    for target in arguments.targets:
        name, _, folder = target.partition("=")
        counts = list(counts_of(folder))
        passed, left_out = (sum(count[key] for count in counts) for key in ("passed", "left_out"))
        failed = [test for count in counts for test in count["failed"]]
        for count in counts:
            unused -= set(count["patterns"])
        print(f"target {name}: passed={passed} failed={len(failed)} left_out={left_out}")
        problems += [f"{name}: failed: {test}" for test in failed]
        totals[name] = passed + len(failed) + left_out
    if len(set(totals.values())) != 1:
        problems.append("targets have different tests: " + ", ".join(f"{name} {total}" for name, total in totals.items()))
    problems += [f"{arguments.left_out}: no test fits {pattern}" for pattern in sorted(unused)]
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
