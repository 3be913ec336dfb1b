#!/usr/bin/env python3
"""Breaks the runtime in known ways, one at a time, and asks whether the simulator notices.

Each NAME.patch beside this file is a small wrong change to runtime/; its first line says what it breaks. A copy of the
tree in build/mutants is patched, built and run: a calm world must still pass, and one with faults must fail within
--seeds. Exit status 0: every mutant was caught; 1: one survived, hung, did not build, or broke a calm world; 2: usage.
With --check nothing is built: exit status 0 if every patch applies to the tree as it is and is as small as it should be.
"""

import argparse
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRATCH = ROOT / "build" / "mutants"

CHANGED_LINES_MAX = 5
WORLDS_AT_A_TIME = 20
NOT_SOURCES = {"build", ".git", ".cache"}


def sources():
    """The files of the tree: what git knows of, or, without git, all that no build has made."""
    listing = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, text=True)
    if listing.returncode == 0 and (ROOT / ".git").exists():
        names = listing.stdout.splitlines()
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.relative_to(ROOT).parts[0] not in NOT_SOURCES]
    return {name for name in names if (ROOT / name).is_file()}


def copy_tree(tree):
    """Copies what differs only, so that the build there goes on from the last one."""
    names = sources()
    for name in names:
        source, target = ROOT / name, tree / name
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)  # a new time of change: whatever depends on it is built again
    for path in tree.rglob("*"):
        name = path.relative_to(tree)
        if path.is_file() and name.parts[0] not in NOT_SOURCES and str(name) not in names:
            path.unlink()


def patch(path, tree, *options):
    return subprocess.run(["patch", "--strip=1", "--fuzz=0", "--batch", "--forward", "--no-backup-if-mismatch", *options,
                           "--directory", str(tree), "--input", str(path)],
                          capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})


def touched(path):
    return re.findall(r"^\+\+\+ b/(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)


def flaw(path):
    """What is wrong with a patch, without building it; None if nothing is."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].startswith(("---", "diff")) or not lines[0].endswith("."):
        return "its first line must be a sentence that says what it breaks"
    removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    if not 1 <= max(removed, added) <= CHANGED_LINES_MAX:
        return f"it changes {max(removed, added)} lines, not 1 to {CHANGED_LINES_MAX}"
    if any(not name.startswith("runtime/") for name in touched(path)):
        return "it changes more than runtime/"
    tried = patch(path, ROOT, "--dry-run")
    if tried.returncode != 0:
        return "it does not apply: " + " ".join(tried.stdout.split())
    return None


def check(paths):
    flaws = [(path.stem, found) for path in paths if (found := flaw(path))]
    for name, found in flaws:
        print(f"{name}: {found}")
    print(f"mutants: {len(paths)} patches, {len(flaws)} that do not do")
    return 1 if flaws or not paths else 0


class Scratch:
    """One copy of the tree and one build, which every mutant goes through in turn."""

    def __init__(self, jobs):
        self.tree = SCRATCH / "tree"
        self.runner = self.tree / "build/release/tools/sim/dunlin_sim_runner"
        self.jobs = jobs
        self.tree.mkdir(parents=True, exist_ok=True)
        copy_tree(self.tree)
        subprocess.run(["cmake", "--preset", "release", "-DDUNLIN_BUILD_TESTS=OFF"], cwd=self.tree, check=True,
                       stdout=subprocess.DEVNULL)

    def build(self):
        return subprocess.run(["cmake", "--build", "--preset", "release", "--target", "dunlin_sim_runner", "--", "--quiet",
                               f"-j{self.jobs}"], cwd=self.tree, capture_output=True, text=True)

    def program(self):
        return hashlib.sha256(self.runner.read_bytes()).digest()

    def apply(self, path):
        return patch(path, self.tree).returncode == 0

    def restore(self, path):
        for name in touched(path):
            shutil.copy(ROOT / name, self.tree / name)

    def simulate(self, first, last, faults, options):
        """(status, output); a status of None: it did not end in time."""
        command = [str(self.runner), "--seeds", f"{first}..{last}", "--seconds", str(options.seconds), "--faults", faults,
                   "--repeat", "0", "--jobs", str(self.jobs)]
        with tempfile.TemporaryFile("w+") as output:
            try:
                status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, timeout=options.timeout).returncode
            except subprocess.TimeoutExpired:
                return None, ""
            output.seek(0)
            return status, output.read()


def first_failure(output, status):
    """(seed, what failed) of the lowest seed that is known to have failed."""
    asserted = re.search(r"^assertion failed: (\S+): (.*)\n  replay: .*--seed (\d+)", output, re.MULTILINE)
    if asserted:
        return int(asserted[3]), f"assertion {asserted[1]} {asserted[2]}"
    failed = re.search(r"^seed (\d+)\n  '(.*?)' violated", output, re.MULTILINE)
    if failed:
        return int(failed[1]), failed[2]
    idle = re.search(r"^idle: '(.*?)'", output, re.MULTILINE)
    if idle:
        return None, f"idle: {idle[1]}"
    last = output.strip().rsplit("\n", 1)[-1]
    return None, f"signal {-status}" if status < 0 else f"exit status {status}: {last}"


def hunt(scratch, options):
    """(caught, seeds needed, by what)"""
    status, output = scratch.simulate(1, 2, "none", options)
    if status is None:
        return False, "-", "HANGS in a calm world"
    if status != 0:
        return False, "calm", f"breaks a calm world: {first_failure(output, status)[1]}"
    for first in range(1, options.seeds + 1, WORLDS_AT_A_TIME):
        last = min(first + WORLDS_AT_A_TIME - 1, options.seeds)
        status, output = scratch.simulate(first, last, "all", options)
        if status is None:
            return False, f"{first}..{last}", f"HANGS: not done after {options.timeout} s"
        if status != 0:
            seed, what = first_failure(output, status)
            return True, str(seed or last), what
    return False, f">{options.seeds}", "SURVIVED"


def row(name, needed, what):
    return f"{name:<44} | {needed:>8} | {what}"


def one(scratch, sound, path, options):
    if not scratch.apply(path):
        return False, "-", "DOES NOT APPLY"
    try:
        built = scratch.build()
        if built.returncode != 0:
            (SCRATCH / f"{path.stem}.log").write_text(built.stdout + built.stderr, encoding="utf-8")
            return False, "-", f"DOES NOT BUILD: see build/mutants/{path.stem}.log"
        if scratch.program() == sound:
            return False, "-", "CHANGES NOTHING: the same program comes of it"
        return hunt(scratch, options)
    finally:
        scratch.restore(path)


def main():
    parser = argparse.ArgumentParser(prog="./run mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some mutants; all where none is named")
    parser.add_argument("--check", action="store_true", help="only whether every patch still applies")
    parser.add_argument("--list", action="store_true", help="only what each one breaks")
    parser.add_argument("--seeds", type=int, default=300, help="worlds with faults until a mutant counts as a survivor (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="simulated length of a world (%(default)s)")
    parser.add_argument("--timeout", type=float, default=120, help=f"real seconds for {WORLDS_AT_A_TIME} worlds (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processors to use (%(default)s)")
    options = parser.parse_args()

    paths = sorted(HERE.glob("*.patch"))
    unknown = set(options.names) - {path.stem for path in paths}
    if unknown:
        parser.error(f"no mutant {', '.join(sorted(unknown))}; see --list")
    paths = [path for path in paths if not options.names or path.stem in options.names]
    if options.list:
        for path in paths:
            print(f"{path.stem:<44} {path.read_text(encoding='utf-8').splitlines()[0]}")
        return 0
    if options.check:
        return check(paths)

    scratch = Scratch(options.jobs)
    built = scratch.build()
    if built.returncode != 0:
        sys.exit(f"mutants: the tree itself does not build\n{built.stdout}{built.stderr}")
    status, output = scratch.simulate(1, WORLDS_AT_A_TIME, "all", options)
    if status != 0:
        sys.exit(f"mutants: the tree itself does not pass\n{output}")

    sound = scratch.program()
    results = []
    print(row("mutant", "seeds", "caught by"), flush=True)
    for path in paths:
        begun = time.monotonic()
        caught, needed, what = one(scratch, sound, path, options)
        results.append((caught, path.stem))
        print(row(path.stem, needed, what) + f"  [{time.monotonic() - begun:.0f} s]", flush=True)
    missed = [name for caught, name in results if not caught]
    print(f"mutants: {len(results) - len(missed)} of {len(results)} caught" + (f"; not caught: {' '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
