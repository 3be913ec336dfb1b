#!/usr/bin/env python3
"""The sizes of the boards' images: a table, and a check against what is allowed (budgets.txt).

usage: sizes.py --build FOLDER [--measured FILE]

FOLDER holds one build folder a board. FILE: lines "BOARD IMAGE BYTES" of stack as painting measured it.
Exit status: 0 all within their budgets; 1 one is not, or has none.
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


def images(build, budgets):
    for board, image in budgets:
        found = sorted((build / board).rglob(f"{image}.elf"))
        if len(found) != 1:
            sys.exit(f"sizes: {len(found)} images {image}.elf in {build / board}; it is to be built first")
        yield board, image, found[0]


def table_of_sizes(build, budgets, measured):
    """Prints a line an image; the sentences of what is above its budget."""
    print("stack: what is there, what was used at most (painted), and the bound by the compiler's own account of frames and calls")
    print(f"{'board':12} {'image':14} {'text':>8} {'data':>6} {'bss':>8} {'RAM':>8} {'stack':>6} {'used':>6} {'bound':>6}  budget: text, RAM, stack")
    problems = []
    for board, image, path in images(build, budgets):
        size = sections(path)
        allowed = budgets[board, image]
        used = measured.get((board, image))
        ram = size["data"] + size["bss"] + size["stack"]
        bound = bound_of(path.with_suffix(".stack"))
        print(f"{board:12} {image:14} {size['text']:8,} {size['data']:6,} {size['bss']:8,} {ram:8,} {size['stack']:6,} "
              f"{'-' if used is None else format(used, ','):>6} {bound[0] if bound else 0:6,}  {allowed['text']:,}, {allowed['ram']:,}, {allowed['stack']:,}")
        for field, value in (("text", size["text"]), ("ram", ram), ("stack", used or 0)):
            if value > allowed[field]:
                problems.append(f"{board}/{image}: {field} {value:,} bytes, {value - allowed[field]:,} above its budget of {allowed[field]:,}")
        if size["stack"] < allowed["stack"]:
            problems.append(f"{board}/{image}: has {size['stack']:,} bytes of stack, and may use {allowed['stack']:,}")
    return problems


def table_of_modules(build, budgets, board):
    """Text by module, a column an image."""
    columns = [(image, modules(path)) for each, image, path in images(build, budgets) if each == board]
    names = sorted(set().union(*(sizes for _, sizes in columns)), key=lambda name: -max(sizes[name] for _, sizes in columns))
    print(f"\ntext by module, {board}")
    print(f"{'':18}" + "".join(f"{image:>14}" for image, _ in columns))
    for name in names:
        print(f"{name:18}" + "".join(f"{sizes[name]:14,}" for _, sizes in columns))
    runtime = ("core", "wire", "journal", "resilience", "link", "membership", "consensus", "ledger", "bus", "node")
    print(f"{'the runtime':18}" + "".join(f"{sum(sizes[name] for name in runtime):14,}" for _, sizes in columns))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--measured")
    arguments = parser.parse_args()
    budgets = read_budgets()
    problems = table_of_sizes(arguments.build, budgets, read_measured(arguments.measured))
    for board in dict.fromkeys(board for board, _ in budgets):
        if board in ("mps2_an386", "lm3s6965evb"):
            table_of_modules(arguments.build, budgets, board)
    for problem in problems:
        print(f"sizes: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
