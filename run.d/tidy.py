#!/usr/bin/env python3
"""clang-tidy over the sources of a build that lie in the given folders; what was clean and has not changed is passed over.

    tidy.py BUILD FOLDER...

A source is known to be clean by a hash of its preprocessed text, its command, the rules and the tool's version, kept in .cache/tidy/.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

STAMPS = pathlib.Path(".cache/tidy")


def preprocessed(entry):
    """The text that the compiler sees, with comments (NOLINT is one)."""
    words = shlex.split(entry["command"])
    if words[0].endswith("ccache"):
        words = words[1:]
    words[words.index("-o"):words.index("-o") + 2] = []
    words.remove("-c")
    result = subprocess.run([*words, "-E", "-C", "-o", "-"], cwd=entry["directory"], capture_output=True)
    return result.stdout if result.returncode == 0 else None


def check(build, entry, rules):
    text = preprocessed(entry)
    stamp = None
    if text is not None:
        stamp = STAMPS / hashlib.sha256(rules + entry["command"].encode() + text).hexdigest()
        if stamp.exists():
            return entry["file"], True, ""
    result = subprocess.run(["clang-tidy", "-p", build, "--quiet", entry["file"]], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    good = result.returncode == 0
    if good and stamp is not None:
        stamp.touch()
    return entry["file"], good, result.stdout


def main():
    build, folders = sys.argv[1], [os.path.realpath(folder) + os.sep for folder in sys.argv[2:]]
    STAMPS.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
    rules = version + pathlib.Path(".clang-tidy").read_bytes()
    entries = [entry for entry in json.loads(pathlib.Path(build, "compile_commands.json").read_text())
               if any(entry["file"].startswith(folder) for folder in folders)]
    if not entries:
        sys.exit("tidy: no sources to check")

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, good, output in pool.map(lambda entry: check(build, entry, rules), entries):
            if not good:
                bad += 1
                print(f"{os.path.relpath(file)}:\n{output}")
    print(f"lint: clang-tidy over {len(entries)} sources, {bad} with findings")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
