#!/usr/bin/env python3
"""The commands that the README shows, run as they stand there (at free ports)."""

import os
import pathlib
import re
import subprocess
import unittest

from processes import DUNLIN, PATIENCE_S, ProcessTest, free_addresses

README = pathlib.Path(__file__).parents[2] / "README.md"


class Readme(ProcessTest):
    def commands(self):
        block = re.search(r"## The command\n\n```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL).group(1)
        block = block.replace("./run build && ", "").replace("$PWD/build/release/tools", "").replace("PATH=:$PATH\n", "")
        block = block.replace("127.0.0.1:700$n", "${address[$n]}")
        voters = free_addresses(4)
        for number in (1, 2, 3):
            block = block.replace(f"127.0.0.1:700{number}", voters[number])
        block = block.replace("127.0.0.1:7021", voters[0])
        return f"set -eu -o pipefail; address=({' '.join(voters)})\n{block}wait\n"

    def test_the_commands_do_what_they_say(self):
        path = os.path.dirname(os.path.abspath(DUNLIN)) + os.pathsep + os.environ["PATH"]
        shell = subprocess.run(["bash", "-c", self.commands()], cwd=self.folder, env={**os.environ, "PATH": path}, capture_output=True,
                               text=True, timeout=PATIENCE_S, check=False)
        told = shell.stdout + shell.stderr
        self.assertEqual(shell.returncode, 0, told)
        self.assertRegex(shell.stdout, r"(?m)^open$")
        self.assertRegex(shell.stdout, r"nobody else has it; my token is \d+")
        self.assertRegex(shell.stdout, r"(?m)^I lead$")
        self.assertEqual((self.folder / "numbers").read_text(), "".join(f"{n}\n" for n in range(1, 1001)))


if __name__ == "__main__":
    unittest.main()
