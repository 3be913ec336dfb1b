#!/usr/bin/env python3
"""How deep the stack of an image can get, by what the compiler says of each function (-fcallgraph-info=su), and the deepest calls.

    stack_bound.py FOLDER LIMIT_BYTES

FOLDER holds the .ci files of the image's link-time optimisation. The bound is that of main(), with the deepest of all functions that
nobody calls by name (callbacks, handlers) on top of the deepest call through a pointer. Exits 1 where it is above the limit.

Not seen: callbacks inside callbacks, recursion (named, and counted once), and the C library's functions (memcpy and its kind, which use
less than RESERVE_BYTES). What was painted in a test tells the same from the other side.
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
        self.recursive = set()
        self.deepest = {}
        for file in sorted(folder.glob("*.ci")):
            self.read(file.read_text(encoding="utf-8"))
        called = {callee for callees in self.callees.values() for callee in callees}
        self.unnamed = [name for name in self.frame if name not in called and self.name(name) != "main"]

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

    def depth(self, function, path=()):
        """(bytes, calls) of the deepest chain of calls by name from `function` on."""
        if function in path:
            self.recursive.add(self.name(function))
            return 0, ()
        if function not in self.deepest:
            below = max((self.depth(callee, (*path, function)) for callee in self.callees.get(function, ()) if callee != INDIRECT),
                        default=(0, ()))
            self.deepest[function] = (self.frame.get(function, 0) + below[0], (self.name(function), *below[1]))
        return self.deepest[function]

    def depth_at_pointers(self, function, path=()):
        """The same of the deepest chain that ends with a call through a pointer; None: there is none."""
        if function in path:
            return None
        chains = [(self.frame.get(function, 0), (self.name(function),))] if INDIRECT in self.callees.get(function, ()) else []
        for callee in self.callees.get(function, ()):
            below = self.pointer_chain(callee, (*path, function))
            if below:
                chains.append((self.frame.get(function, 0) + below[0], (self.name(function), *below[1])))
        return max(chains, default=None)

    def pointer_chain(self, function, path):
        if not hasattr(self, "pointers"):
            self.pointers = {}
        if function not in self.pointers:
            self.pointers[function] = self.depth_at_pointers(function, path)
        return self.pointers[function]


def bound_of(folder):
    """(bytes, chain of calls, the Calls they were found in) of the image whose .ci files are in `folder`; None: they say nothing of main()."""
    calls = Calls(folder)
    mains = [function for function in calls.frame if calls.name(function) == "main"]
    if len(mains) != 1:
        return None
    bound, chain = calls.depth(mains[0])
    if at_pointer := calls.pointer_chain(mains[0], ()):
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
    if calls.recursive:
        print("recursive:", ", ".join(sorted(calls.recursive)))
    print(f"stack: functions={len(calls.frame)} bound={bound} limit={limit}")
    if bound > limit:
        sys.exit("stack: the bound is above the limit")


if __name__ == "__main__":
    main()
