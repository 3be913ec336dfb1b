#!/usr/bin/env python3
"""Lets spin explore lease.pml, as each line of runs.txt says, and judges what it found.

    check_model.py [--spin SPIN] [--cc COMPILER] [NAME...]      (all runs without a NAME)

A run that must hold fails also where spin did not see every state within its bounds (depth, memory). A weakened one fails
unless the assertion that its line names is the one that breaks. Prints a line a run, with the number of states.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DEPTH_MAX = 10_000
MEMORY_MIB = 1000
SECONDS_MAX = 280
HASH_BITS = 22

# What an assertion that breaks is told by in pan's output.
BROKEN = {"two_holders": "node[0].phase", "tokens_fall": "last_token", "wrong_lease": "==image.token", "out_of_order": "admitted"}
INCOMPLETE = ("max search depth too small", "Search not completed", "reached -DMEMLIM")


class Unsound(Exception):
    """The run does not show what it should; the text says why."""


def runs():
    for line in (HERE / "runs.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, expected, *definitions = line.split()
            yield name, expected, definitions


def explore(arguments, definitions):
    """pan's output."""
    with tempfile.TemporaryDirectory() as folder:
        model = HERE / "lease.pml"

        def run(*command):
            try:
                return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS_MAX)
            except (OSError, subprocess.TimeoutExpired) as why:
                raise Unsound(f"{command[0]}: {why} (spin is the Debian package spin)") from why

        for command in (
            (arguments.spin, "-a", *(f"-D{definition}" for definition in definitions), str(model)),
            (arguments.cc, "-x", "c", "-w", "-O1", "-DSAFETY", "-DNOFAIR", f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"),
        ):
            done = run(*command)
            if done.returncode != 0 or "Error:" in done.stdout:
                raise Unsound(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
        return run("./pan", f"-m{DEPTH_MAX}", f"-w{HASH_BITS}").stdout


def judge(expected, output):
    """What was found, in a few words."""
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"(\d+) states, stored", output)
    if errors is None or states is None:
        raise Unsound(f"no result:\n{output}")
    count = f"{int(states.group(1)):,} states"
    broken = re.search(r"assertion violated (.*)", output)
    if expected == "holds":
        if errors.group(1) != "0":
            raise Unsound(f"after {count}: {broken.group(0) if broken else output}")
        if any(sign in output for sign in INCOMPLETE):
            raise Unsound(f"not all states were explored, only {count}:\n{output}")
        return f"{count}, no violation"
    if broken is None:
        raise Unsound(f"{count}, and nothing broke, though a rule is taken out")
    if BROKEN[expected] not in broken.group(1):
        raise Unsound(f"not {expected}, but {broken.group(0)}")
    return f"fails after {count}, as it must: {expected}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spin", default="spin")
    parser.add_argument("--cc", default="c++")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()

    wanted = [run for run in runs() if not arguments.names or run[0] in arguments.names]
    if not wanted or len(wanted) < len(arguments.names):
        sys.exit(f"runs.txt has no such run: {' '.join(arguments.names)}")
    failed = 0
    for name, expected, definitions in wanted:
        try:
            print(f"model: {name}: {judge(expected, explore(arguments, definitions))}", flush=True)
        except Unsound as why:
            failed += 1
            print(f"model: {name}: FAILED: {why}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
