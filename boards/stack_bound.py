#!/usr/bin/env python3
"""How deep the stack of an image can get, by what the compiler says of each function (-fcallgraph-info=su), and the deepest calls.

    stack_bound.py FOLDER LIMIT_BYTES

FOLDER holds the .ci files of the image's link-time optimisation. The bound is that of main(), with the deepest of all functions that
nobody calls by name (callbacks, handlers) on top of the deepest call through a pointer. Exits 1 where it is above the limit.

Functions that call each other in a circle count once each, all of them together. Not seen: callbacks inside callbacks, further rounds of a
circle, and the C library's functions (memcpy and its kind, which use less than RESERVE_BYTES). What was painted in a test tells the same
from the other side.
"""

import pathlib
import re
import sys

NODE = re.compile(r'node: \{ title: "([^"]+)" label: "(.*)"')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
FRAME = re.compile(r"(\d+) bytes \(([a-z,]+)\)")
INDIRECT = "__indirect_call"
RESERVE_BYTES = 128  # start-up, and a leaf of the C library


class Calls:
    def __init__(self, folder):
        self.frame = {}
        self.callees = {}
        for file in sorted(folder.glob("*.ci")):
            self.read(file.read_text(encoding="utf-8"))
        called = {callee for callees in self.callees.values() for callee in callees}
        self.unnamed = [name for name in self.frame if name not in called and self.name(name) != "main"]
        self.circle_of = {}     # the functions that each one is in a circle with, itself among them
        self.find_circles()
        self.deepest = {}

    def read(self, text):
        for line in text.splitlines():
            if match := NODE.match(line):
                frame = FRAME.search(match[2])
                if not frame:
                    continue
                if frame[2] not in ("static", "dynamic,bounded"):
                    sys.exit(f"stack: {match[1]} has a frame without a bound: {frame[2]}")
                self.frame[match[1]] = int(frame[1])
            elif match := EDGE.match(line):
                self.callees.setdefault(match[1], set()).add(match[2])

    @staticmethod
    def name(title):
        return title.rsplit(":", 1)[-1]

    def find_circles(self):
        """Strongly connected components, by Tarjan's algorithm."""
        index, low, stack, on_stack = {}, {}, [], set()

        def visit(function):
            index[function] = low[function] = len(index)
            stack.append(function)
            on_stack.add(function)
            for callee in self.callees.get(function, ()):
                if callee not in index:
                    visit(callee)
                    low[function] = min(low[function], low[callee])
                elif callee in on_stack:
                    low[function] = min(low[function], index[callee])
            if low[function] == index[function]:
                circle = frozenset(stack[stack.index(function):])
                del stack[stack.index(function):]
                on_stack.difference_update(circle)
                self.circle_of.update(dict.fromkeys(circle, circle))

        for function in list(self.frame):
            if function not in index:
                visit(function)

    def circles(self):
        return {circle for circle in self.circle_of.values() if len(circle) > 1}

    def depth(self, function, to_pointer=False):
        """(bytes, calls) of the deepest chain of calls by name from `function` on, or of the deepest that ends with a call through a
        pointer; None: there is none."""
        circle = self.circle_of[function]
        if (circle, to_pointer) not in self.deepest:
            callees = {callee for member in circle for callee in self.callees.get(member, ())}
            chains = [self.depth(callee, to_pointer) for callee in callees - circle - {INDIRECT}]
            if not to_pointer or INDIRECT in callees:
                chains.append((0, ()))
            below = max(filter(None, chains), default=None)
            names = "|".join(sorted(map(self.name, circle)))
            frames = sum(self.frame.get(member, 0) for member in circle)
            self.deepest[circle, to_pointer] = below and (frames + below[0], (names, *below[1]))
        return self.deepest[circle, to_pointer]


def bound_of(folder):
    """(bytes, chain of calls, the Calls they were found in) of the image whose .ci files are in `folder`; None: they say nothing of main()."""
    calls = Calls(folder)
    mains = [function for function in calls.frame if calls.name(function) == "main"]
    if len(mains) != 1:
        return None
    bound, chain = calls.depth(mains[0])
    if at_pointer := calls.depth(mains[0], to_pointer=True):
        callback = max((calls.depth(function) for function in calls.unnamed), default=(0, ()))
        if at_pointer[0] + callback[0] > bound:
            bound, chain = at_pointer[0] + callback[0], (*at_pointer[1], "(pointer)", *callback[1])
    return bound + RESERVE_BYTES, chain, calls


def main():
    folder, limit = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    found = bound_of(folder)
    if not found:
        sys.exit(f"stack: {folder} says nothing of main()")
    bound, chain, calls = found
    print(" > ".join(chain))
    for circle in calls.circles():
        print("in a circle:", ", ".join(sorted(map(calls.name, circle))))
    print(f"stack: functions={len(calls.frame)} bound={bound} limit={limit}")
    if bound > limit:
        sys.exit("stack: the bound is above the limit")


if __name__ == "__main__":
    main()
