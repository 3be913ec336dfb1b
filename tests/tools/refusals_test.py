#!/usr/bin/env python3
"""What the dunlin command says to wrong input: one sentence, and an exit code that tells what kind of wrong."""

import fcntl
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import unittest

from processes import DUNLIN, PATIENCE_S, ProcessTest, wait_for

USAGE, CANNOT_START = 2, 3
PROJECT = pathlib.Path(__file__).parents[2]
FIRST_NODE = pathlib.Path(os.environ.get("DUNLIN_BUILD", PROJECT / "build/release"), "examples/first_node/first_node")


class CommandLine(ProcessTest):
    def test_help_names_every_subcommand_and_the_exit_codes(self):
        result = self.run_dunlin("--help")
        self.assertEqual(result.returncode, 0)
        for word in ("init", "join", "node", "pub", "sub", "lease", "elect", "status", "key", "member", "journal", "Exit status: "):
            self.assertIn(word, result.stdout)
        for command in (["pub"], ["sub"], ["node"], ["init"], ["join"], ["lease", "acquire"], ["elect"], ["status"], ["key", "put"], ["key", "get"],
                        *(["member", verb] for verb in ("list", "add", "promote", "demote", "remove", "transfer")), ["journal", "inspect"]):
            result = self.run_dunlin(*command, "--help")
            self.assertEqual(result.returncode, 0, command)
            self.assertRegex(result.stdout, "Exit status: ", command)
        self.assertIn("--voter ENTRY", self.run_dunlin("init", "--help").stdout)

    def test_a_mistyped_subcommand_is_told_with_what_was_meant(self):
        self.assert_mistyped(["stauts", "--socket", "s"], "no subcommand 'stauts' of `dunlin`: did you mean 'status'?")
        self.assert_mistyped(["key", "gett", "k"], "no subcommand 'gett' of `key`: did you mean 'get'?")
        self.assert_mistyped(["frobnicate"], "there are init, join, node, pub, sub, lease, elect, status, key, member, journal.")
        self.assert_mistyped(["lease", "release"], "there are acquire.")

    def assert_mistyped(self, command, words):
        self.assert_refused(self.run_dunlin(*command), USAGE, words)

    def test_version_is_a_number(self):
        result = self.run_dunlin("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^dunlin \d+\.\d+\.\d+\n$")

    def test_a_wrong_command_line_is_a_usage_error(self):
        for command in ([], ["fly"], ["pub"], ["pub", "topic", "--wings", "2"], ["pub", "topic", "--loss", "1.5"], ["sub", "a", "--id", "70000"],
                        ["lease", "acquire", "name"], ["elect"], ["elect", "name"], ["key", "put", "--socket", "s", "k"], ["member"], ["member", "list"],
                        ["member", "promote", "--socket", "s"], ["member", "remove", "--socket", "s", "0"], ["member", "transfer", "--socket", "s", "70000"]):
            self.assertEqual(self.run_dunlin(*command).returncode, USAGE, command)

    def test_topics_filters_and_addresses_are_checked(self):
        self.assert_refused(self.run_dunlin("pub", "a/+"), USAGE, "'a/+'", "topic")
        self.assert_refused(self.run_dunlin("sub", "a/#/b"), USAGE, "'a/#/b'", "filter")
        self.assert_refused(self.run_dunlin("sub", "a", "--peer", "nowhere"), USAGE, "'nowhere'")
        for lifetime in ("soon", "10", "2d", "-1s"):
            self.assert_refused(self.run_dunlin("pub", "a", "--lifetime", lifetime), USAGE, f"--lifetime '{lifetime}'", "(us, ms, s, min or h)")
        self.assert_refused(self.run_dunlin("lease", "acquire", "l", "--wait", "10", "--listen", "127.0.0.1:0", "--", "true"), USAGE, "--wait", "(us, ms, s, min or h)")
        self.assert_refused(self.run_dunlin("pub", "a", "--keyed", "n", "--lifetime", "2h"), USAGE, "60min")
        for entry in ("4", "4@127.0.0.1:7", "4:zz@127.0.0.1:7", "0:ab@127.0.0.1:7", "4:ab@nowhere"):
            self.assert_refused(self.run_dunlin("member", "add", "--socket", "s", entry), USAGE, f"'{entry}'", "dunlin join")
        self.assert_refused(self.run_dunlin("pub", "a", "--lane", "bad"), USAGE, "--lane 'bad' is none of urgent, normal and bulk")
        for count in ("-1", "0", "many"):
            self.assert_refused(self.run_dunlin("sub", "a", "--listen", "127.0.0.1:0", f"--count={count}"), USAGE, f"--count '{count}'", "1 or more")
        self.assert_refused(self.run_dunlin("pub", "a", "--keyed", "n"), USAGE, "--keyed", "--lifetime")
        self.assert_refused(self.run_dunlin("pub", "a", "--keyed", "n", "--lifetime", "61min"), USAGE, "60min")
        self.assert_refused(self.run_dunlin("lease", "acquire", "l", "--ttl", "1ms", "--", "true"), USAGE, "--ttl", "100ms to 1h")
        for name in ("", "n" * 33):
            self.assert_refused(self.run_dunlin("elect", name, "--listen", "127.0.0.1:0", "--", "true"), USAGE, "NAME must be 1..32 bytes long")
        self.assert_refused(self.run_dunlin("sub", "a", "--listen", "127.0.0.1:0", "--journal", self.path("j")), USAGE, "--id")

    def test_no_node_at_the_socket_cannot_start(self):
        self.assert_refused(self.run_dunlin("status", "--socket", self.path("none")), CANNOT_START, self.path("none"))
        self.assert_refused(self.run_dunlin("key", "get", "--socket", self.path("none"), "k"), CANNOT_START, self.path("none"))


class Configuration(ProcessTest):
    GOOD = 'id = 1\nlisten = "127.0.0.1:0"\nrole = "member"\n'

    def refused(self, text, *words):
        path = pathlib.Path(self.path("node.toml"))
        path.write_text(text, encoding="utf-8")
        self.assert_refused(self.run_dunlin("node", "-c", path), USAGE, *words)

    def test_what_is_not_toml_is_refused_with_its_line(self):
        self.refused(self.GOOD + "id id id\n", "node.toml:4:", "TOML")
        self.refused(self.GOOD + "id = 2\n", "node.toml:4:")
        self.refused("\x00\x01", "node.toml:1:")

    def test_an_unknown_key_is_refused_with_its_line(self):
        self.refused(self.GOOD + "\nspeed = 3\n", "node.toml:5:", "speed")
        self.refused(self.GOOD + "[timing]\nheartbeet = \"1s\"\n", "node.toml:5:", "timing.heartbeet")
        self.refused(self.GOOD + "[other]\n", "node.toml:4:", "other")

    def test_a_wrong_type_or_a_value_out_of_range_is_refused_with_its_line(self):
        self.refused('id = "one"\nlisten = "127.0.0.1:0"\n', "node.toml:1:", "id", "1..65535")
        self.refused('id = 0\nlisten = "127.0.0.1:0"\n', "node.toml:1:", "1..65535")
        self.refused('id = 1\nlisten = 7000\n', "node.toml:2:", "listen", "string")
        self.refused('id = 1\nlisten = "no address"\n', "node.toml:2:", "listen")
        self.refused(self.GOOD + 'seeds = ["127.0.0.1:1",\n"x"]\n', "node.toml:5:", "seeds")
        self.refused(self.GOOD + "loss = 2\n", "node.toml:4:", "loss")
        self.refused(self.GOOD + 'cluster = "' + "c" * 33 + '"\n', "node.toml:4:", "cluster")
        self.refused(self.GOOD + '[timing]\nraft_heartbeat = "10"\n', "node.toml:5:", "timing.raft_heartbeat", "(us, ms, s, min or h)")
        self.refused(self.GOOD + '[timing]\nraft_heartbeat = "2s"\n', "raft_heartbeat must be")

    def test_a_missing_key_or_file_is_refused(self):
        self.refused("", "id is missing")
        self.refused('listen = "127.0.0.1:0"\n', "id is missing")
        self.refused("id = 1\n", "listen is missing")
        self.refused('id = 1\nlisten = "127.0.0.1:0"\n', "journal is missing")
        self.assert_refused(self.run_dunlin("node", "-c", self.path("none.toml")), USAGE, self.path("none.toml"))
        self.assert_refused(self.run_dunlin("node", "-c", str(self.folder)), USAGE, str(self.folder))


class Resources(ProcessTest):
    def voter(self, listen="127.0.0.1:0"):
        config = pathlib.Path(self.path("node.toml"))
        config.write_text(f'id = 1\nlisten = "{listen}"\njournal = "node.journal"\n', encoding="utf-8")
        return self.run_dunlin("node", "-c", config)

    def make_journal(self, node=1, cluster="dunlin"):
        result = self.run_dunlin("init", "--id", node, "--cluster", cluster, "--journal", self.path("node.journal"), "--address", "127.0.0.1:7")
        self.assertEqual(result.returncode, 0, result.stderr)

    @unittest.skipUnless(FIRST_NODE.exists(), "the examples are not built")
    def test_the_first_node_says_that_its_port_is_in_use(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            try:
                taken.bind(("127.0.0.1", 7010))
            except OSError:
                pass    # somebody else has it: that is as good
            result = subprocess.run([FIRST_NODE], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^first_node: [^\n]*127\.0\.0\.1:7010[^\n]*another program[^\n]*\.\n$")

    def test_a_port_in_use_cannot_start(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assert_refused(self.run_dunlin("sub", "a", "--listen", address), CANNOT_START, address, "another program")
            self.make_journal()
            self.assert_refused(self.voter(address), CANNOT_START, address, "another program")

    def test_an_unwritable_journal_cannot_start(self):
        for journal in ("/proc/none/journal", "/etc/passwd/journal", self.path("x" * 300)):
            for verb in ("sub", "pub"):
                self.assert_refused(self.run_dunlin(*self.member(verb, "a", journal)), CANNOT_START, f"'{journal}'")
            self.assert_refused(self.run_dunlin("join", "--id", 1, "--journal", journal, "--address", "127.0.0.1:7"), CANNOT_START, f"'{journal}'")
        os.mkdir(self.path("node.journal"))
        result = self.voter()
        self.assertEqual(result.returncode, CANNOT_START, result.stderr)
        self.assertIn("node.journal", result.stderr)

    def test_a_journal_for_which_there_is_no_room_leaves_nothing_behind(self):
        def no_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)    # so that a write says it
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        result = subprocess.run([DUNLIN, "join", "--id", "1", "--journal", self.path("j"), "--address", "127.0.0.1:7"], capture_output=True, text=True,
                                timeout=PATIENCE_S, check=False, preexec_fn=no_room)
        self.assert_refused(result, CANNOT_START, f"'{self.path('j')}'", "too large")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_missing_journal_at_a_voter_cannot_start(self):
        self.assert_refused(self.voter(), CANNOT_START, "node.journal", "dunlin init", "dunlin join")

    def test_a_blank_journal_at_a_voter_cannot_start(self):
        pathlib.Path(self.path("node.journal")).write_bytes(bytes(4 << 20))
        result = self.voter()
        self.assertEqual(result.returncode, CANNOT_START, result.stderr)
        self.assertIn("is blank", result.stderr)

    def test_a_corrupt_journal_cannot_start(self):
        self.make_journal()
        path = pathlib.Path(self.path("node.journal"))
        content = bytearray(path.read_bytes())
        used = len(content.rstrip(b"\0"))
        for half in (0, len(content) // 2):
            end = half + 64 + 512
            for i in range(half + 512 + 40, min(end, len(content))):
                content[i] ^= 0x55
        self.assertGreater(used, 0)
        path.write_bytes(content)
        result = self.voter()
        self.assertEqual(result.returncode, CANNOT_START, result.stderr)
        self.assertIn("is corrupt", result.stderr)

    def test_a_journal_of_another_node_or_cluster_cannot_start(self):
        self.make_journal(node=2)
        result = self.voter()
        self.assertEqual(result.returncode, CANNOT_START, result.stderr)
        self.assertIn("another node or another cluster than node 1 of cluster 'dunlin'", result.stderr)

    def test_a_voters_journal_at_a_member_cannot_start(self):
        made = self.run_dunlin("init", "--id", 1, "--journal", self.path("node.journal"), "--address", "127.0.0.1:7")
        self.assertEqual(made.returncode, 0, made.stderr)
        before = pathlib.Path(self.path("node.journal")).read_bytes()
        result = self.run_dunlin("sub", "a", "--id", 1, "--listen", "127.0.0.1:0", "--journal", self.path("node.journal"))
        self.assert_refused(result, CANNOT_START, "node.journal", "is a voter's")
        self.assertEqual(pathlib.Path(self.path("node.journal")).read_bytes(), before)

    def test_a_journal_that_could_fill_up_for_good_cannot_start(self):
        self.make_journal()
        os.truncate(self.path("node.journal"), 1 << 20)
        result = self.voter()
        self.assertEqual(result.returncode, CANNOT_START, result.stderr)
        self.assertIn("too small for what this node must remember", result.stderr)

    def test_a_journal_is_never_made_over_another(self):
        self.make_journal()
        before = pathlib.Path(self.path("node.journal")).read_bytes()
        for verb in ("init", "join"):
            result = self.run_dunlin(verb, "--id", 1, "--journal", self.path("node.journal"), "--address", "127.0.0.1:7")
            self.assert_refused(result, CANNOT_START, "exists already")
        self.assertEqual(pathlib.Path(self.path("node.journal")).read_bytes(), before)

    def test_a_journal_in_use_cannot_start(self):
        journal = self.path("sub.journal")
        self.start_dunlin("sub", "a", "--id", 1, "--listen", "127.0.0.1:0", "--journal", journal)

        def locked():
            if not os.path.exists(journal):
                return False
            with open(journal, "rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
                return False
        wait_for("the lock", locked)
        self.assert_refused(self.run_dunlin("sub", "a", "--id", 1, "--listen", "127.0.0.1:0", "--journal", journal), CANNOT_START, journal, "in use by another process")

    def member(self, verb, topic, journal):
        return (verb, topic, "--id", 1, "--listen", "127.0.0.1:0", "--journal", journal)

    def use_journal(self, verb, topic, journal, use):
        """Has this command at work with the journal until its use stands beside it."""
        process = self.start_dunlin(*self.member(verb, topic, journal))
        path = pathlib.Path(journal + ".use")
        wait_for("the use", lambda: path.exists() and path.read_text(encoding="utf-8") == use)
        process.kill()
        process.wait()

    def test_a_journal_of_another_use_cannot_start_and_stays_as_it_is(self):
        journal = self.path("journal")
        for verb, use, others, words in (("sub", "sub a", (("sub", "b"), ("pub", "a")), "for the subscription 'a'"),
                                         ("pub", "pub", (("sub", "a"),), "a publisher's")):
            self.use_journal(verb, "a", journal, use)
            before = pathlib.Path(journal).read_bytes()
            for other in others:
                self.assert_refused(self.run_dunlin(*self.member(*other, journal)), CANNOT_START, journal, words, "another journal")
            self.assertEqual((pathlib.Path(journal).read_bytes(), pathlib.Path(journal + ".use").read_text(encoding="utf-8")), (before, use))
            self.use_journal(verb, "a", journal, use)
            os.remove(journal)
        self.use_journal("sub", "b", journal, "sub b")    # that of a journal that is gone means nothing

    def test_a_journal_that_is_refused_is_claimed_for_nothing(self):
        self.make_journal()
        result = self.run_dunlin(*self.member("sub", "a", self.path("node.journal")))
        self.assertEqual(result.returncode, CANNOT_START, result.stderr)
        self.assertFalse(os.path.exists(self.path("node.journal.use")))

    def test_another_name_of_a_journal_has_the_same_use(self):
        self.use_journal("pub", "a", self.path("journal"), "pub")
        os.symlink("journal", self.path("link"))
        self.assert_refused(self.run_dunlin(*self.member("sub", "a", self.path("link"))), CANNOT_START, "a publisher's", "another journal")
        self.assertFalse(os.path.lexists(self.path("link.use")))

    def test_the_use_is_left_alone_until_the_journal_is_held(self):
        """Another process may have made the journal meanwhile."""
        pathlib.Path(self.path("journal.use")).write_text("pub", encoding="utf-8")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            result = self.run_dunlin("sub", "a", "--id", 1, "--listen", f"127.0.0.1:{other.getsockname()[1]}", "--journal", self.path("journal"))
        self.assertEqual(result.returncode, CANNOT_START, result.stderr)
        self.assertEqual(pathlib.Path(self.path("journal.use")).read_text(encoding="utf-8"), "pub")

    def test_a_use_that_cannot_be_written_cannot_start(self):
        os.makedirs(self.path("journal.use/full"))
        self.assert_refused(self.run_dunlin(*self.member("sub", "a", self.path("journal"))), CANNOT_START, f"'{self.path('journal.use')}'", "directory")

    def test_wrong_voter_entries_are_refused(self):
        for entry in ("2", "2:12@nowhere", "2:12@127.0.0:7", "2:12@999.0.0.1:7", "2:12@no host:7", "0:12@127.0.0.1:7", "2:0@127.0.0.1:7", "2:xyz@127.0.0.1:7", "70000:12@127.0.0.1:7"):
            result = self.run_dunlin("init", "--id", 1, "--journal", self.path("j"), "--address", "127.0.0.1:7", "--voter", entry)
            self.assert_refused(result, USAGE, entry)
        twice = ["--voter", "2:12@127.0.0.1:8", "--voter", "2:13@127.0.0.1:9"]
        self.assert_refused(self.run_dunlin("init", "--id", 1, "--journal", self.path("j"), "--address", "127.0.0.1:7", *twice), USAGE, "voter 2")
        for other in (["--voter", "2:12@127.0.0.1:7"], ["--voter", "2:12@127.0.0.1:8", "--voter", "3:13@127.0.0.1:8"]):
            result = self.run_dunlin("init", "--id", 1, "--journal", self.path("j"), "--address", "127.0.0.1:7", *other)
            self.assert_refused(result, USAGE, "two voters have the address " + other[-1].partition("@")[2])
        self.assertFalse(os.path.exists(self.path("j")))


class Bench(unittest.TestCase):
    @staticmethod
    def run_program(*command):
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def test_help_tells_what_there_is(self):
        result = self.run_program(PROJECT / "run", "bench", "--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for word in ("usage: ./run bench sim", "./run bench packets", "./run bench pipe"):
            self.assertIn(word, result.stdout)

    def test_no_rounds_and_no_lines_are_refused(self):
        for option in ("--rounds", "--lines"):
            result = self.run_program(sys.executable, "-B", PROJECT / "tests/bench/pipe_bench.py", "dunlin", option, "0")
            self.assertEqual(result.returncode, USAGE)
            self.assertIn(f"argument {option}: must be a whole number, 1 or more", result.stderr)
        result = self.run_program(sys.executable, "-B", PROJECT / "tests/bench/pipe_bench.py", "dunlin", "--loss", "0")
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("argument --loss: must be a share above 0 and below 1", result.stderr)


if __name__ == "__main__":
    unittest.main()
