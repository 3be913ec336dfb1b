#!/usr/bin/env python3
"""Fails if a library or image refers to the heap, to exceptions or to what static destructors and guarded statics need.

    check_symbols.py [--nm NM] [--must-find REGEX] FILE...

With --must-find the check proves itself: it succeeds only if FILE is refused because of a symbol that matches.
"""

import argparse
import re
import subprocess
import sys

FORBIDDEN = re.compile(
    r"""^(
      _?_?(libc_)?(malloc|calloc|realloc|reallocarray|free|memalign|aligned_alloc|posix_memalign|strdup)(_r)?
    | _(malloc|calloc|realloc|free|memalign|sbrk)_r
    | _?sbrk
    | _Zn[wa].*                                 # operator new, new[]
    | _Zd[la].*                                 # operator delete, delete[]
    | __cxa_(?!pure_virtual$).*                 # throw and kin, guards, atexit
    | __aeabi_atexit | (__)?atexit
    | _Unwind_.* | __gxx_personality.*
    | _ZSt\d+__throw_.* | _ZSt9terminatev
    )$""",
    re.VERBOSE,
)


def symbols(nm, file):
    """(object, symbol) of every symbol that `file` defines or refers to, a symbol in each object once."""
    lines = subprocess.run([nm, "--print-file-name", "--format=posix", file], check=True, capture_output=True, text=True).stdout
    for line in lines.splitlines():
        place, _, rest = line.rpartition(": ")
        fields = rest.split()
        if fields:
            yield place, fields[0].split("@")[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--must-find")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()

    examined = 0
    found = []
    for file in arguments.files:
        for place, symbol in symbols(arguments.nm, file):
            examined += 1
            if FORBIDDEN.match(symbol):
                found.append(f"{place}: {symbol}")
    print(f"examined {examined} symbols in {len(arguments.files)} file(s), {len(found)} forbidden")
    print("\n".join(found))
    if examined == 0:
        sys.exit("nothing was examined")
    if arguments.must_find:
        if not any(re.search(arguments.must_find, line) for line in found):
            sys.exit(f"nothing forbidden matches {arguments.must_find}: the check does not see it")
    elif found:
        sys.exit("the runtime must not need any of these")


if __name__ == "__main__":
    main()
