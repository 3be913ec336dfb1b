#!/usr/bin/env python3
"""Runs one GoogleTest program under an emulator, and counts: how many tests passed, failed and were left out.

    count_tests.py --count FILE [--left-out LIST] [--not-built SOURCE]... -- EMULATOR... PROGRAM

Writes the count to FILE as JSON for report.py. Exits 0 only if every test that is not left out ran and passed.
"""

import argparse
import json
import os
import re
import subprocess
import sys

from left_out import LeftOut


def tests_of(command):
    """Suite.name of every test in the program."""
    listing = subprocess.run([*command, "--gtest_list_tests"], check=True, capture_output=True, text=True).stdout
    suite, tests = None, []
    for line in listing.splitlines():
        name = line.split("#")[0].rstrip()
        if line.startswith("  ") and suite:
            tests.append(suite + name.strip())
        elif name.endswith("."):
            suite = name
    return tests


def run(command, patterns):
    """The names of the tests that passed, and the exit status. What the program prints is passed on as it comes."""
    arguments = ["--gtest_filter=-" + ":".join(patterns)] if patterns else []
    process = subprocess.Popen([*command, "--gtest_brief=0", *arguments], stdout=subprocess.PIPE, text=True, errors="replace")
    passed = set()
    for line in process.stdout:
        sys.stdout.write(line)
        match = re.match(r"\[       OK \] ([^ ,]+)", line)
        if match:
            passed.add(match.group(1))
    return passed, process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", required=True)
    parser.add_argument("--left-out")
    parser.add_argument("--not-built", action="append", default=[])
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()

    if os.path.exists(arguments.count):
        os.remove(arguments.count)
    left_out = LeftOut(arguments.left_out)
    tests = tests_of(arguments.command)
    patterns = sorted({pattern for test in tests for pattern in left_out.matches(test)})
    wanted = {test for test in tests if not left_out.matches(test)}
    passed, status = run(arguments.command, patterns)
    failed = sorted(wanted - passed)

    os.makedirs(os.path.dirname(arguments.count), exist_ok=True)
    with open(arguments.count, "w", encoding="utf-8") as out:
        not_built = sum(left_out.sources[source] for source in arguments.not_built)
        json.dump({"passed": len(passed), "failed": failed, "left_out": len(tests) - len(wanted) + not_built, "patterns": patterns}, out)
    print(f"passed={len(passed)} failed={len(failed)} left_out={len(tests) - len(wanted) + not_built} status={status}")
    if not wanted:
        sys.exit("there is no test in it")
    if failed:
        sys.exit("these did not pass: " + " ".join(failed))
    if status != 0 or passed != wanted:
        sys.exit(f"every test passed, and yet the program ended with status {status}")


if __name__ == "__main__":
    main()
