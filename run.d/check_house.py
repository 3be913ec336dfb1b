#!/usr/bin/env python3
"""The rules of the house that no compiler checks: which folder may include which, how long a file may be, what names say.

Reads every tracked and new file of the working tree. Exits 1 with one line a violation.
"""

import pathlib
import re
import subprocess
import sys

LINES_MAX = 600

# Lowest first: a folder may include from itself and from what stands before it.
RUNTIME = ["core", "wire", "journal", "resilience", "link", "membership", "consensus", "ledger", "bus", "node"]

# The same of the simulator, whose own folder, the world, is below all of these.
SIMULATOR = ["checkers", "workload", "faults", "run", "scenario"]

# What the runtime may include of the standard library: nothing that allocates, throws, blocks or asks an OS.
RUNTIME_STANDARD = set(
    "algorithm array atomic bit chrono compare concepts cstddef cstdint cstring initializer_list iterator limits new numeric"
    " optional span string_view tuple type_traits utility".split())

# Which of our libraries each place may include.
LIBRARIES = {
    "runtime/dunlin": {"dunlin"},
    "transports/dunlin_asio": {"dunlin", "dunlin_asio"},
    "transports/dunlin_lwip": {"dunlin", "dunlin_lwip"},
    "transports/dunlin_sim": {"dunlin", "dunlin_sim"},
    "boards": {"dunlin", "dunlin_lwip"},
    "tools/virtual_wire": {"dunlin", "dunlin_asio"},
    "tools": {"dunlin", "dunlin_asio", "dunlin_sim"},
}

SAYS_NOTHING = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)(_|$)|^details?$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def files():
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                             check=True, capture_output=True, text=True).stdout
    return [pathlib.Path(line) for line in listing.splitlines() if pathlib.Path(line).is_file()]


def check_runtime_include(folder, quote, target):
    if quote == '"':
        return "include the runtime's headers as <dunlin/folder/file.hpp>"
    parts = target.split("/")
    if parts[0] == "dunlin":
        if parts[1] not in RUNTIME:
            return f"dunlin/{parts[1]} is no folder of the runtime"
        if RUNTIME.index(parts[1]) > RUNTIME.index(folder):
            return f"{folder}/ is below {parts[1]}/: arrows go down only"
        return None
    if parts[0] == "flatbuffers" or target in RUNTIME_STANDARD:
        return None
    return f"the runtime does not include <{target}>"


def check_simulator_include(parents, target):
    """`parents`: the folders that the file is in, below transports/dunlin_sim."""
    parts = target.split("/")
    if parts[0] != "dunlin_sim" or len(parts) == 2:
        return None
    if not parents or SIMULATOR.index(parts[1]) > SIMULATOR.index(parents[0]):
        return f"{parents[0] if parents else 'the world'} is below {parts[1]}/: arrows go down only"
    return None


def check_includes(path, lines):
    place = next((place for place in LIBRARIES if str(path).startswith(place + "/")), None)
    if place is None:
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        library = target.split("/")[0]
        problem = None
        if re.fullmatch(r"dunlin(_\w+)?", library) and library not in LIBRARIES[place]:
            problem = f"{place}/ does not include from {library}/"
        elif place == "runtime/dunlin":
            problem = check_runtime_include(path.parts[2], quote, target)
        elif place == "transports/dunlin_sim":
            problem = check_simulator_include(path.parts[2:-1], target)
        if problem:
            yield f"{path}:{number}: {problem}"


def violations():
    for path in files():
        if any(SAYS_NOTHING.search(part) for part in (*path.parent.parts, path.stem)):
            yield f"{path}: this name does not say what is in it"
        if path.suffix not in {".cpp", ".hpp", ".py", ".cmake", ".fbs", ".sh", ".pml"}:
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) >= LINES_MAX:
            yield f"{path}: {len(lines)} lines; a file has fewer than {LINES_MAX}"
        if path.suffix == ".hpp" and "#pragma once" not in lines:
            yield f"{path}: no #pragma once"
        if path.suffix in {".cpp", ".hpp"}:
            yield from check_includes(path, lines)


def main():
    found = list(violations())
    for line in found:
        print(line, file=sys.stderr)
    print(f"lint: house rules checked, {len(found)} violations")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
