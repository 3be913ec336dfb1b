#!/usr/bin/env python3
"""Breaks the runtime in known ways, one at a time, and asks whether the simulator notices.

Each NAME.patch beside this file is a small wrong change to runtime/; its first line says what it breaks. Copies of the
tree in build/mutants, one for each of --jobs workers, are patched, built and run: calm worlds (no faults, and
handlers that accept, short messages in one lane, each published once) must still pass, and one with faults must fail within
--seeds, looked for in batches that grow, of five processes and of three in turn. Caught is what violates a named invariant or an assertion: a hang, a crash or a checker that had
nothing to check is not. Exit status 0: every mutant was caught; 1: one survived, hung, did not build, or broke a calm world; 2: usage.
With --scenarios no worlds are drawn: each mutant that TRAPS names must make every story (tests/scenarios) beside it fail, at a step
or by an invariant; this takes a build a mutant and no time besides. A mutant that is marked there with * shows in no drawn world,
and its story stands for them in every run.
With --check nothing is built: exit status 0 if every patch applies to the tree as it is and is as small as it should be, and
TRAPS names only what there is.
"""

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCRATCH = ROOT / "build" / "mutants"
STORIES = ROOT / "tests" / "scenarios"
TRAPS = HERE / "traps.txt"  # trap | stories | mutants

CHANGED_LINES_MAX = 5
CALM_WORLDS = 2
CALM = "verdicts,resends,lanes,long_messages"
BATCHES = (4, 8, 16, 32)  # worlds at a time, the last over and over; most mutants need few
NODES = (5, 3)            # in turn, so that batches differ in more than their seeds
SECONDS_A_STORY = 60      # of real time
SECONDS_A_WORLD = 2       # of real time that a world may take until it hangs, with --timeout on top
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


def traps():
    """(trap, stories, mutants, mutants that only a story shows) of each line of TRAPS."""
    for line in TRAPS.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        trap, stories, mutants = (part.strip() for part in line.split("|"))
        names = [name for name in mutants.split() if name != "-"]
        yield trap, [name for name in stories.split() if name != "-"], [name.rstrip("*") for name in names], \
            {name.rstrip("*") for name in names if name.endswith("*")}


def stories_of(mutant):
    return [STORIES / f"{story}.txt" for _, stories, mutants, _ in traps() if mutant in mutants for story in stories]


def shown_by_stories_alone():
    return {name for _, _, _, alone in traps() for name in alone}


def unknown_names():
    for trap, stories, mutants, _ in traps():
        yield from ((trap, f"there is no story {name}") for name in stories if not (STORIES / f"{name}.txt").is_file())
        yield from ((trap, f"there is no mutant {name}") for name in mutants if not (HERE / f"{name}.patch").is_file())


def check(paths):
    flaws = [(path.stem, found) for path in paths if (found := flaw(path))] + list(unknown_names())
    for name, found in flaws:
        print(f"{name}: {found}")
    print(f"mutants: {len(paths)} patches, {len(flaws)} that do not do")
    return 1 if flaws or not paths else 0


class Scratch:
    """One worker's copy of the tree and its build, which its mutants go through in turn: each builds what it touches."""

    def __init__(self, number):
        self.tree = SCRATCH / f"tree{number}"
        self.runner = self.tree / "build/release/tools/sim/dunlin_sim_runner"
        self.tree.mkdir(parents=True, exist_ok=True)
        copy_tree(self.tree)
        subprocess.run(["cmake", "--preset", "release", "-DDUNLIN_BUILD_TESTS=OFF"], cwd=self.tree, check=True,
                       stdout=subprocess.DEVNULL)

    def build(self):
        return subprocess.run(["cmake", "--build", "--preset", "release", "--target", "dunlin_sim_runner", "--", "--quiet",
                               "-j1"], cwd=self.tree, capture_output=True, text=True)

    def program(self):
        return hashlib.sha256(self.runner.read_bytes()).digest()

    def apply(self, path):
        return patch(path, self.tree).returncode == 0

    def restore(self, path):
        for name in touched(path):
            shutil.copy(ROOT / name, self.tree / name)

    def play(self, story):
        """(status, output); a status of None: it did not end in time."""
        try:
            played = subprocess.run([str(self.runner), "--scenario", str(story)], capture_output=True, text=True, timeout=SECONDS_A_STORY)
        except subprocess.TimeoutExpired:
            return None, ""
        return played.returncode, played.stdout

    def simulate(self, first, last, nodes, faults, options, *more):
        """(status, output); a status of None: it did not end in time."""
        command = [str(self.runner), "--seeds", f"{first}..{last}", "--nodes", str(nodes), "--seconds", str(options.seconds),
                   "--faults", faults, "--repeat", "0", "--jobs", "1", *more]
        limit = options.timeout + SECONDS_A_WORLD * (last - first + 1)
        with tempfile.TemporaryFile("w+") as output:
            try:
                status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, timeout=limit).returncode
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
    last = output.strip().rsplit("\n", 1)[-1]
    return None, f"signal {-status}" if status < 0 else f"exit status {status}: {last}"


def batches(seeds):
    """(first, last, processes) of each batch of seeds."""
    first = 1
    number = 0
    while first <= seeds:
        last = min(first + BATCHES[min(number, len(BATCHES) - 1)] - 1, seeds)
        yield first, last, NODES[number % len(NODES)]
        first = last + 1
        number += 1


def hunt(scratch, options):
    """(caught, seeds needed, by what)"""
    status, output = scratch.simulate(1, CALM_WORLDS, NODES[0], "none", options, "--without", CALM)
    if status is None:
        return False, "-", "HANGS in a calm world"
    if status != 0:
        return False, "calm", f"breaks a calm world: {first_failure(output, status)[1]}"
    for first, last, nodes in batches(options.seeds):
        status, output = scratch.simulate(first, last, nodes, "all", options)
        if status is None:
            return False, f"{first}..{last}", "HANGS: not done in time"
        if status != 0:
            seed, what = first_failure(output, status)
            return seed is not None, str(seed or last), what
    return False, f">{options.seeds}", "SURVIVED"


def failure_in(output, story):
    """The step at which a story failed and why; None where it says neither."""
    found = re.search(rf"{re.escape(story.name)}(:\d+)?: (.*)", output)
    return found and f"{story.stem}{found[1] or ''} {found[2]}"[:160]


def watch(scratch, path):
    """As hunt(), by its stories: all of them must fail."""
    what = "NO STORY"
    for story in stories_of(path.stem):
        status, output = scratch.play(story)
        if status is None:
            return False, "story", f"HANGS: {story.stem}"
        if status != 1 or not failure_in(output, story):
            return False, "story", f"SURVIVED {story.stem}" if status == 0 else f"{story.stem}: exit status {status}"
        what = failure_in(output, story)
    return what != "NO STORY", "story", what


def row(name, needed, what):
    return f"{name:<44} | {needed:>8} | {what}"


def one(scratch, sound, path, options):
    """(caught, seeds needed, by what, real seconds)"""
    begun = time.monotonic()

    def result():
        if not scratch.apply(path):
            return False, "-", "DOES NOT APPLY"
        try:
            built = scratch.build()
            if built.returncode != 0:
                (SCRATCH / f"{path.stem}.log").write_text(built.stdout + built.stderr, encoding="utf-8")
                return False, "-", f"DOES NOT BUILD: see build/mutants/{path.stem}.log"
            if scratch.program() == sound:
                return False, "-", "CHANGES NOTHING: the same program comes of it"
            by_story = options.scenarios or path.stem in shown_by_stories_alone()
            return watch(scratch, path) if by_story else hunt(scratch, options)
        finally:
            scratch.restore(path)

    return *result(), time.monotonic() - begun


def prepared(number):
    """A worker's copy of the tree, built as it is."""
    scratch = Scratch(number)
    built = scratch.build()
    if built.returncode != 0:
        sys.exit(f"mutants: the tree itself does not build\n{built.stdout}{built.stderr}")
    return scratch, scratch.program()


def hunt_all(paths, options):
    """Yields (path, result) as each is known. A worker takes the next mutant when it is done with one."""
    free = queue.Queue()
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        for worker in pool.map(prepared, range(max(1, min(options.jobs, len(paths))))):
            free.put(worker)
        scratch, sound = free.get()
        for story in {story for path in paths for story in stories_of(path.stem)}:
            status, output = scratch.play(story)
            if status != 0:
                sys.exit(f"mutants: the tree itself does not pass\n{output}")
        for first, last, nodes in batches(0 if options.scenarios else BATCHES[0] + BATCHES[1]):
            status, output = scratch.simulate(first, last, nodes, "all", options)
            if status != 0:
                sys.exit(f"mutants: the tree itself does not pass\n{output}")
        free.put((scratch, sound))

        def take(path):
            worker = free.get()
            try:
                return path, one(*worker, path, options)
            finally:
                free.put(worker)

        for done in concurrent.futures.as_completed([pool.submit(take, path) for path in paths]):
            yield done.result()


def main():
    parser = argparse.ArgumentParser(prog="./run mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some mutants; all where none is named")
    parser.add_argument("--check", action="store_true", help="only whether every patch still applies")
    parser.add_argument("--scenarios", action="store_true", help="by the stories of traps alone, and only mutants that have one")
    parser.add_argument("--list", action="store_true", help="only what each one breaks")
    parser.add_argument("--seeds", type=int, default=300, help="worlds with faults until a mutant counts as a survivor (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="simulated length of a world (%(default)s)")
    parser.add_argument("--timeout", type=float, default=60,
                        help=f"real seconds for a batch until it hangs, and {SECONDS_A_WORLD} for each of its worlds (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutants at a time (%(default)s)")
    options = parser.parse_args()

    paths = sorted(HERE.glob("*.patch"))
    unknown = set(options.names) - {path.stem for path in paths}
    if unknown:
        parser.error(f"no mutant {', '.join(sorted(unknown))}; see --list")
    paths = [path for path in paths if not options.names or path.stem in options.names]
    if options.scenarios:
        paths = [path for path in paths if options.names or stories_of(path.stem)]
    if options.list:
        for path in paths:
            print(f"{path.stem:<44} {path.read_text(encoding='utf-8').splitlines()[0]}")
        return 0
    if options.check:
        return check(paths)

    begun = time.monotonic()
    results = []
    print(row("mutant", "seeds", "caught by"), flush=True)
    for path, (caught, needed, what, seconds) in hunt_all(paths, options):
        results.append((caught, path.stem))
        print(row(path.stem, needed, what) + f"  [{seconds:.0f} s]", flush=True)
    missed = sorted(name for caught, name in results if not caught)
    minutes = (time.monotonic() - begun) / 60
    print(f"mutants: {len(results) - len(missed)} of {len(results)} caught in {minutes:.1f} minutes" + (f"; not caught: {' '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
