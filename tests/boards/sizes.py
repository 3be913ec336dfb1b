#!/usr/bin/env python3
"""The sizes of the boards' images: a table, and a check against what is allowed (budgets.txt).

usage: sizes.py [--modules BOARD]... [--measured FILE] BOARD=FOLDER...

FOLDER: where the board's images were built. --modules: also that board's text by module. FILE: lines "BOARD IMAGE BYTES" of stack as
painting measured it. Of the stack the bound is checked, and that nothing used more than its bound.
Exit status: 0 all within their budgets; 1 one is not, is missing, or is not known.
"""

import argparse
import pathlib
import sys

from image_size import modules, sections

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "boards"))
from stack_bound import bound_of

BUDGETS = pathlib.Path(__file__).with_name("budgets.txt")
FIELDS = ("text", "ram", "stack")


def read_budgets():
    """{(board, image): {field: most bytes}} of the lines "BOARD IMAGE text=N ram=N stack=N"."""
    budgets = {}
    for number, line in enumerate(BUDGETS.read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        board, image, *rest = words
        fields = dict(word.split("=") for word in rest)
        if set(fields) != set(FIELDS):
            sys.exit(f"{BUDGETS.name}:{number}: wanted {', '.join(FIELDS)}, found {', '.join(fields) or 'nothing'}")
        budgets[board, image] = {field: int(value) for field, value in fields.items()}
    return budgets


def read_measured(path):
    if path is None:
        return {}
    return {tuple(line.split()[:2]): int(line.split()[2]) for line in pathlib.Path(path).read_text().splitlines()}


def images(folders, budgets):
    """(board, image, path) of each that has a budget."""
    for board in folders:
        names = [image for each, image in budgets if each == board]
        if not names:
            sys.exit(f"sizes: {BUDGETS.name} has no line of a board {board}")
        for image in names:
            found = sorted(folders[board].rglob(f"{image}.elf"))
            if len(found) != 1:
                sys.exit(f"sizes: {len(found)} images {image}.elf in {folders[board]}; it is to be built first")
            yield board, image, found[0]


def table_of_sizes(folders, budgets, measured):
    """Prints a line an image; the sentences of what is above its budget."""
    print("stack: what is there, what was used at most (painted), and the bound by the compiler's own account of frames and calls")
    print(f"{'board':12} {'image':14} {'text':>8} {'data':>6} {'bss':>8} {'RAM':>8} {'stack':>6} {'used':>6} {'bound':>6}  budget: text, RAM, stack")
    problems = []
    for board, image, path in images(folders, budgets):
        size = sections(path)
        allowed = budgets[board, image]
        used = measured.get((board, image))
        ram = size["data"] + size["bss"] + size["stack"]
        bound = bound_of(path.with_suffix(".stack"))[0]
        print(f"{board:12} {image:14} {size['text']:8,} {size['data']:6,} {size['bss']:8,} {ram:8,} {size['stack']:6,} "
              f"{'-' if used is None else format(used, ','):>6} {bound:6,}  {allowed['text']:,}, {allowed['ram']:,}, {allowed['stack']:,}")
        for field, value, most in (("text", size["text"], allowed["text"]), ("RAM", ram, allowed["ram"]), ("bound of the stack", bound, allowed["stack"]),
                                   ("bound of the stack", bound, size["stack"]), ("stack", used or 0, bound)):
            if value > most:
                problems.append(f"{board}/{image}: {field} {value:,} bytes, {value - most:,} more than {most:,}")
    return problems


def table_of_modules(folders, budgets, board):
    """Text by module, a column an image."""
    columns = [(image, modules(path)) for _, image, path in images({board: folders[board]}, budgets)]
    names = sorted(set().union(*(sizes for _, sizes in columns)), key=lambda name: -max(sizes[name] for _, sizes in columns))
    print(f"\ntext by module, {board}")
    print(f"{'':18}" + "".join(f"{image:>14}" for image, _ in columns))
    for name in names:
        print(f"{name:18}" + "".join(f"{sizes[name]:14,}" for _, sizes in columns))
    runtime = ("core", "wire", "journal", "resilience", "link", "membership", "consensus", "ledger", "bus", "node")
    print(f"{'the runtime':18}" + "".join(f"{sum(sizes[name] for name in runtime):14,}" for _, sizes in columns))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--measured")
    parser.add_argument("--modules", action="append", default=[], metavar="BOARD")
    parser.add_argument("boards", nargs="+", metavar="BOARD=FOLDER")
    arguments = parser.parse_args()
    folders = {}
    for word in arguments.boards:
        board, equals, folder = word.partition("=")
        if not equals or not pathlib.Path(folder).is_dir():
            sys.exit(f"sizes: '{word}' is not BOARD=FOLDER")
        folders[board] = pathlib.Path(folder)
    for board in arguments.modules:
        if board not in folders:
            sys.exit(f"sizes: --modules {board}: there is no {board}=FOLDER")
    budgets = read_budgets()
    problems = table_of_sizes(folders, budgets, read_measured(arguments.measured))
    for board in arguments.modules:
        table_of_modules(folders, budgets, board)
    for problem in problems:
        print(f"sizes: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
