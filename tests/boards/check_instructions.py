#!/usr/bin/env python3
"""What a message, a Raft entry and a lease cost a board, in instructions, beside a committed table.

Runs bench_image of each board named under QEMU, where the count is exact and the same in every run (boards/images/bench_image.cpp says what
each figure is), prints the figures, and exits 1 where one is more than 5 % away from the table: above, it has become slower; below, the table
is to be lowered, so that what was won is kept. --write puts what was measured into the table.

    check_instructions.py [--table FILE] [--write] BOARD=IMAGE...    for example mps2_an385=build/mps2_an385/boards/bench_image.elf
"""

import argparse
import pathlib
import subprocess
import sys

TABLE = pathlib.Path(__file__).with_name("instructions.txt")
SECONDS_MAX = 60
SHARE = 0.05

HEAD = """\
# Instructions, as ./run bench boards counts them: figures as boards/images/bench_image.cpp defines them, one column a board.
# tests/boards/check_instructions.py --write makes this file anew.
"""


class Problem(Exception):
    pass


def run(board, image):
    """{figure: instructions}, in the order of the image."""
    if not pathlib.Path(image).is_file():
        raise Problem(f"{board}: there is no image {image}")
    command = ["qemu-system-arm", "-M", board.replace("_", "-"), "-kernel", image, "-display", "none", "-monitor", "none", "-serial", "stdio",
               "-semihosting-config", "enable=on,target=native", "-icount", "shift=6,sleep=off"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        raise Problem(f"{board}: {image} did not end within {SECONDS_MAX} s") from None
    if done.returncode != 0:
        raise Problem(f"{board}: {image} ended with status {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    figures = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) != 2 or not words[1].isdigit():
            raise Problem(f"{board}: {image} printed a line that is no figure: {line!r}")
        figures[words[0]] = int(words[1])
    if not figures:
        raise Problem(f"{board}: {image} printed no figure")
    return figures


def read_table(path):
    """{board: {figure: instructions}}"""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    if not rows or rows[0][0] != "figure":
        raise Problem(f"{path}: the first line is to be: figure BOARD...")
    boards = rows[0][1:]
    table = {board: {} for board in boards}
    for row in rows[1:]:
        if len(row) != len(rows[0]) or not all(word.isdigit() for word in row[1:]):
            raise Problem(f"{path}: a row is to have a figure and one number for each board: {' '.join(row)}")
        for board, word in zip(boards, row[1:]):
            table[board][row[0]] = int(word)
    return table


def lines_of(table):
    boards = list(table)
    figures = list(dict.fromkeys(figure for board in boards for figure in table[board]))
    width = max(map(len, figures + ["figure"])) + 2
    yield "figure".ljust(width) + "".join(board.rjust(14) for board in boards)
    for figure in figures:
        yield figure.ljust(width) + "".join(str(table[board].get(figure, "-")).rjust(14) for board in boards)


def complaints(measured, committed):
    for board, figures in measured.items():
        known = committed.get(board)
        if known is None:
            yield f"{board}: the table has no column for it"
            continue
        for figure in known.keys() - figures.keys():
            yield f"{board}: {figure} is in the table but was not measured"
        for figure, instructions in figures.items():
            if figure not in known:
                yield f"{board}: {figure} is not in the table"
            elif instructions > known[figure] * (1 + SHARE):
                yield f"{board}: {figure} takes {instructions} instructions, more than 5 % above the {known[figure]} of the table"
            elif instructions < known[figure] * (1 - SHARE):
                yield (f"{board}: {figure} takes {instructions} instructions, more than 5 % below the {known[figure]} of the table:"
                       " lower the table (--write)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=pathlib.Path, default=TABLE)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("images", nargs="+", metavar="BOARD=IMAGE")
    arguments = parser.parse_args()
    try:
        for word in arguments.images:
            if "=" not in word:
                raise Problem(f"{word} is not of the form BOARD=IMAGE")
        measured = {board: run(board, image) for board, image in (word.split("=", 1) for word in arguments.images)}
        print("\n".join(lines_of(measured)))
        if arguments.write:
            arguments.table.write_text(HEAD + "\n".join(lines_of(measured)) + "\n", encoding="utf-8")
            return
        found = list(complaints(measured, read_table(arguments.table)))
    except (Problem, OSError) as problem:
        print(f"check_instructions: {problem}", file=sys.stderr)
        sys.exit(2)
    for line in found:
        print(f"check_instructions: {line}", file=sys.stderr)
    if found:
        sys.exit(1)
    print(f"instructions: {sum(map(len, measured.values()))} figures of {len(measured)} boards within 5 % of {arguments.table.name}")


if __name__ == "__main__":
    main()
