#!/usr/bin/env python3
"""What `dunlin pub` and `dunlin sub` take for 64-byte lines on loopback, with loss, beside the same without loss.

    pipe_bench.py DUNLIN [--lines N] [--loss SHARE] [--rounds N]

Rounds with and without loss take turns; printed is the median of each figure, and the ratio of the two. `core` is the share of
one core that a side takes at 10,000 lines a second.
"""

import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time


def positive(text):
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return int(text)


def share(text):
    """Of packets to lose; 0 is what the rounds beside it are for."""
    try:
        if 0.0 < float(text) < 1.0:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError("must be a share above 0 and below 1")


def free_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def finish(process):
    """The processor seconds that it took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"pipe_bench: {' '.join(process.args[:2])} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def measure(dunlin, source, target, count, loss):
    address = free_address()
    begin = time.monotonic()
    with open(source, "rb") as lines, open(target, "wb") as out:
        sub = subprocess.Popen([dunlin, "sub", "bench", "--listen", address, "--count", str(count), "--loss", str(loss)], stdout=out)
        pub = subprocess.Popen([dunlin, "pub", "bench", "--peer", address, "--loss", str(loss)], stdin=lines)
    pub_s, sub_s = finish(pub), finish(sub)
    seconds = time.monotonic() - begin
    if source.read_bytes() != target.read_bytes():
        sys.exit("pipe_bench: what came out is not what went in")
    return {"lines_per_s": count / seconds, "pub_core": pub_s / count * 10_000, "sub_core": sub_s / count * 10_000}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dunlin")
    parser.add_argument("--lines", type=positive, default=200_000)
    parser.add_argument("--loss", type=share, default=0.05)
    parser.add_argument("--rounds", type=positive, default=5)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="dunlin-bench-") as folder:
        source, target = pathlib.Path(folder, "in"), pathlib.Path(folder, "out")
        source.write_text("".join(f"{number:063}\n" for number in range(arguments.lines)), encoding="ascii")
        rounds = {0.0: [], arguments.loss: []}
        for _ in range(arguments.rounds):
            for loss, results in rounds.items():
                results.append(measure(arguments.dunlin, source, target, arguments.lines, loss))

    medians = {loss: {name: statistics.median(each[name] for each in results) for name in results[0]} for loss, results in rounds.items()}
    for loss, figures in medians.items():
        print(f"pipe: loss={loss} " + " ".join(f"{name}={value:.3g}" if value < 100 else f"{name}={value:.0f}" for name, value in figures.items()))
    ratios = " ".join(f"{name}={medians[arguments.loss][name] / medians[0.0][name]:.2f}" for name in medians[0.0])
    print(f"pipe: ratio of loss={arguments.loss} to none: {ratios}")


if __name__ == "__main__":
    main()
