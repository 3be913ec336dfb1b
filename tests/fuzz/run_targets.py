#!/usr/bin/env python3
"""Runs every fuzz target of a build for its share of a time, and says what each did.

    run_targets.py --seconds N BUILD

BUILD/fuzz_targets.txt has a line a target: name, program, committed corpus. New inputs go to BUILD/corpus/NAME, failing ones to
BUILD/found/. Fails if a target finds something, has no corpus, or executes nothing.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys


def run(build, name, program, corpus, seconds):
    grown = build / "corpus" / name
    found = build / "found"
    grown.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    seeds = sum(1 for entry in pathlib.Path(corpus).glob("*") if entry.is_file())
    if seeds == 0:
        return f"{name}: no committed corpus in {corpus}", False
    result = subprocess.run(
        [program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1",
         f"-artifact_prefix={found}/{name}-", str(grown), corpus],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds + 300)
    executions = re.findall(r"stat::number_of_executed_units: *(\d+)", result.stdout)
    edges = re.findall(r"\bcov: (\d+)", result.stdout)
    executed = int(executions[-1]) if executions else 0
    covered = int(edges[-1]) if edges else 0
    summary = f"{name}: {executed} executions, {covered} edges, {seeds} committed inputs, {seconds} s"
    if result.returncode != 0:
        return f"{summary}\n{result.stdout[-6000:]}\n{name}: FAILED with status {result.returncode}", False
    if executed == 0 or covered == 0:
        return f"{summary}\n{name}: FAILED, nothing was executed", False
    return summary, True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, required=True, help="of all targets together")
    parser.add_argument("build", type=pathlib.Path)
    arguments = parser.parse_args()

    targets = [line.split() for line in (arguments.build / "fuzz_targets.txt").read_text().splitlines() if line.strip()]
    if not targets:
        sys.exit("there are no fuzz targets")
    processors = os.cpu_count() or 1
    seconds = max(1, arguments.seconds // -(-len(targets) // processors))
    with concurrent.futures.ThreadPoolExecutor(processors) as pool:
        results = list(pool.map(lambda target: run(arguments.build.resolve(), *target, seconds), targets))
    for text, _ in results:
        print("fuzz:", text)
    if not all(good for _, good in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
