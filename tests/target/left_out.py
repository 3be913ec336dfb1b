"""left_out.txt, read: which tests bare metal cannot run."""

import fnmatch
import pathlib
import re

TEST = re.compile(r"^TEST(_F)?\(", re.MULTILINE)


class LeftOut:
    """Nothing is left out where there is no list (`path` is None)."""

    def __init__(self, path):
        self.patterns, self.sources = [], {}
        if path is None:
            return
        folder = pathlib.Path(path).resolve().parent.parent
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            name, _, reason = line.partition(" ")
            if not reason.strip():
                raise SystemExit(f"{path}: '{name}' stands there without a reason")
            if name.endswith(".cpp"):
                self.sources[name] = self._tests_in(folder / name)
            else:
                self.patterns.append(name)

    @staticmethod
    def _tests_in(source):
        count = len(TEST.findall(source.read_text(encoding="utf-8")))
        if count == 0:
            raise SystemExit(f"{source}: has no TEST, so it cannot be left out")
        return count

    def matches(self, test):
        """The patterns that fit `test` (Suite.name)."""
        return [pattern for pattern in self.patterns if fnmatch.fnmatchcase(test, pattern)]
