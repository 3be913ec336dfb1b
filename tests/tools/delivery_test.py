#!/usr/bin/env python3
"""`dunlin pub` and `dunlin sub` bring every line over a network that loses 5 % of all packets, whatever happens to them."""

import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

from processes import DUNLIN, ProcessTest, free_addresses, wait_for

LOSS = ("--loss", "0.05")


def lines(count):
    """1..count, a line each."""
    return "".join(f"{number}\n" for number in range(1, count + 1)).encode()


class Pipes(ProcessTest):
    def pipe_through(self, content, count):
        """What comes out of sub when `content` goes into pub."""
        address, = free_addresses(1)
        with open(self.path("in"), "wb") as file:
            file.write(content)
        with open(self.path("out"), "wb") as out:
            sub = self.start_dunlin("sub", "harbour/#", "--listen", address, "--count", count, *LOSS, stdout=out)
        with subprocess.Popen(["cat", self.path("in")], stdout=subprocess.PIPE) as cat:
            pub = self.start_dunlin("pub", "harbour/tide", "--peer", address, *LOSS, stdin=cat.stdout)
            self.assertEqual(self.finish(pub, "pub"), 0)
        self.assertEqual(self.finish(sub, "sub"), 0)
        return pathlib.Path(self.path("out")).read_bytes()

    def test_every_line_comes_through_a_pipe_in_order(self):
        content = lines(100_000)
        self.assertEqual(self.pipe_through(content, 100_000), content)

    def test_two_subscribers_each_get_every_line(self):
        addresses = free_addresses(2)
        content = lines(5000)
        subs = []
        for number, address in enumerate(addresses):
            with open(self.path(f"out{number}"), "wb") as out:
                subs.append(self.start_dunlin("sub", "+/tide", "--listen", address, "--count", 5000, *LOSS, stdout=out))
        pathlib.Path(self.path("in")).write_bytes(content)
        pub = self.start_dunlin("pub", "harbour/tide", "--file", self.path("in"), "--subscribers", 2, "--peer", addresses[0], "--peer", addresses[1],
                                *LOSS)
        self.assertEqual([self.finish(each, "a process") for each in (pub, *subs)], [0, 0, 0])
        for number in range(2):
            self.assertEqual(pathlib.Path(self.path(f"out{number}")).read_bytes(), content)

    def test_a_reader_that_is_far_behind_gets_every_line(self):
        address, = free_addresses(1)
        line = b"x" * 999 + b"\n"
        pathlib.Path(self.path("in")).write_bytes(line * 10_000)  # more than sub keeps for its reader
        sub = self.start_dunlin("sub", "harbour/#", "--listen", address, "--count", 10_000, stdout=subprocess.PIPE)
        pub = self.start_dunlin("pub", "harbour/tide", "--peer", address, "--file", self.path("in"))
        time.sleep(3)
        self.assertIsNone(pub.poll())
        self.assertEqual(sub.communicate(timeout=60)[0], line * 10_000)
        self.assertEqual([self.finish(each, "a process") for each in (pub, sub)], [0, 0])

    def test_lines_may_be_empty_or_as_long_as_a_message_and_the_last_one_unfinished(self):
        content = b"\n\nshort\n" + b"x" * 16384 + b"\n\x00\xff\n" + b"last"
        self.assertEqual(self.pipe_through(content, 6), content + b"\n")

    def test_a_line_that_is_too_long_fails_with_its_number(self):
        address, = free_addresses(1)
        self.start_dunlin("sub", "a", "--listen", address, stdout=subprocess.DEVNULL)
        pathlib.Path(self.path("in")).write_bytes(b"good\n" + b"x" * 16385 + b"\n")
        result = self.run_dunlin("pub", "a", "--peer", address, "--file", self.path("in"))
        self.assert_refused(result, 1, "line 2", "16384")

    def publish_keyed(self, name, *options):
        """One process after the other publishes the file: each has another id, and knows nothing of the one before."""
        self.publishers = getattr(self, "publishers", 10) + 1
        pub = self.start_dunlin("pub", "harbour/tide", "--id", self.publishers, "--peer", self.address, "--file", self.path("in"), "--keyed", name,
                                "--lifetime", "10min", *LOSS, *options)
        self.assertEqual(self.finish(pub, "pub"), 0)

    def test_a_file_that_is_published_again_under_its_name_is_delivered_once(self):
        """Also where some of it was changed meanwhile, and where the subscriber was started again: then the changed lines alone come."""
        self.address, = free_addresses(1)
        sub_arguments = ("sub", "harbour/#", "--id", 2, "--listen", self.address, "--journal", self.path("sub.journal"), "--file", self.path("out"), *LOSS)
        first = [f"{number % 7}" for number in range(3000)]  # most lines stand at several places
        pathlib.Path(self.path("in")).write_text("\n".join(first))
        sub = self.start_dunlin(*sub_arguments)
        self.publish_keyed("tides of May")
        self.publish_keyed("tides of May")
        sub.kill()
        sub.wait()
        changed = first[:100] + ["x", *first[101:], "new"]
        pathlib.Path(self.path("in")).write_text("\n".join(changed))
        sub = self.start_dunlin(*sub_arguments)
        self.publish_keyed("tides of May")
        self.publish_keyed("tides of June", "--lane", "bulk")
        sub.terminate()
        self.assertEqual(self.finish(sub, "sub"), 0)
        self.assertEqual(pathlib.Path(self.path("out")).read_text().splitlines(), [*first, "x", "new", *changed])

    def test_a_subscriber_that_left_is_a_dead_letter_and_an_exit_code(self):
        address, = free_addresses(1)
        sub = self.start_dunlin("sub", "a", "--listen", address, "--count", 1, stdout=subprocess.PIPE)
        pub = self.start_dunlin("pub", "a", "--peer", address, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        pub.stdin.write(lines(50))
        pub.stdin.flush()
        self.assertEqual(self.finish(sub, "sub"), 0)
        pub.stdin.close()
        self.assertEqual(self.finish(pub, "pub"), 1)
        self.assertIn(b"dead letters: subscriber_gone", pub.stderr.read())

    def test_sigterm_ends_both_sides_gracefully(self):
        """What was taken is delivered. A publisher whose input had not ended cannot know that all of it was."""
        address, = free_addresses(1)
        sub = self.start_dunlin("sub", "a", "--listen", address, stdout=subprocess.PIPE)
        pub = self.start_dunlin("pub", "a", "--peer", address, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        pub.stdin.write(b"one\n")
        pub.stdin.flush()
        self.assertEqual(sub.stdout.readline(), b"one\n")
        pub.terminate()
        self.assertEqual(self.finish(pub, "pub"), 1)
        self.assertEqual(pub.stderr.read(), b"dunlin: stopped before the last line was published.\n")
        sub.terminate()
        self.assertEqual(self.finish(sub, "sub"), 0)

    def test_sigterm_before_anybody_listens_is_a_failure(self):
        address, = free_addresses(1)
        pathlib.Path(self.path("in")).write_bytes(lines(10))
        pub = self.start_dunlin("pub", "a", "--peer", address, "--file", self.path("in"))

        def listens_to_sigterm():
            caught = re.search(r"^SigCgt:\t(\w+)$", pathlib.Path(f"/proc/{pub.pid}/status").read_text(), re.MULTILINE)
            return int(caught.group(1), 16) >> signal.SIGTERM - 1 & 1
        wait_for("its signal handler", listens_to_sigterm)
        pub.terminate()
        self.assertEqual(self.finish(pub, "pub"), 1)


class Journals(ProcessTest):
    COUNT = int(os.environ.get("DUNLIN_TEST_LINES", 100_000))
    KILLS = int(os.environ.get("DUNLIN_TEST_KILLS", 3))  # of each side

    def size(self):
        path = self.path("out")
        return os.path.getsize(path) if os.path.exists(path) else 0

    def start_sub(self):
        return self.start_dunlin("sub", "harbour/#", "--id", 2, "--listen", self.address, "--count", self.COUNT, "--journal", self.path("sub.journal"),
                                 "--file", self.path("out"), *LOSS)

    def start_pub(self):
        return self.start_dunlin("pub", "harbour/tide", "--id", 1, "--peer", self.address, "--journal", self.path("pub.journal"), "--file",
                                 self.path("in"), *LOSS)

    def wait_for_bytes(self, bytes_min, *running):
        def enough():
            self.assertTrue(all(each.poll() is None for each in running), "a process ended before all lines were there")
            return self.size() >= bytes_min
        wait_for(f"{bytes_min} bytes of output", enough)

    def kill(self, process):
        process.kill()
        process.wait()

    def test_files_are_equal_though_both_sides_are_killed_again_and_again(self):
        self.address, = free_addresses(1)
        content = lines(self.COUNT)
        pathlib.Path(self.path("in")).write_bytes(content)
        pub, sub = self.start_pub(), self.start_sub()
        steps = 2 * self.KILLS + 1
        for kill in range(self.KILLS):
            self.wait_for_bytes((2 * kill + 1) * len(content) // steps, pub, sub)
            self.kill(sub)
            sub = self.start_sub()
            self.wait_for_bytes((2 * kill + 2) * len(content) // steps, pub, sub)
            self.kill(pub)
            pub = self.start_pub()
        self.assertEqual(self.finish(pub, "pub"), 0)
        self.assertEqual(self.finish(sub, "sub"), 0)
        self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), content)
        print(f"journals: lines={self.COUNT} kills_of_each_side={self.KILLS} files_equal=1", flush=True)

    def test_a_file_shorter_than_its_journal_says_is_refused(self):
        self.address, = free_addresses(1)
        self.COUNT = 10
        pathlib.Path(self.path("in")).write_bytes(lines(10))
        pub, sub = self.start_pub(), self.start_sub()
        self.assertEqual((self.finish(pub, "pub"), self.finish(sub, "sub")), (0, 0))
        os.truncate(self.path("out"), 3)
        result = self.run_dunlin("sub", "harbour/#", "--id", 2, "--listen", self.address, "--journal", self.path("sub.journal"), "--file", self.path("out"))
        self.assert_refused(result, 3, self.path("out"), "has 3 bytes", "shorter than the 21 bytes")

    def publish_and_write_ten_lines(self):
        self.address, = free_addresses(1)
        self.COUNT = 10
        pathlib.Path(self.path("in")).write_bytes(lines(10))
        pub, sub = self.start_pub(), self.start_sub()
        self.assertEqual((self.finish(pub, "pub"), self.finish(sub, "sub")), (0, 0))

    def test_another_input_than_the_journals_is_refused_and_one_that_has_grown_goes_on(self):
        self.publish_and_write_ten_lines()
        again = ("pub", "harbour/tide", "--id", 1, "--peer", self.address, "--journal", self.path("pub.journal"), "--file", self.path("in"))
        for other, words in (("x" * 100, "does not begin with the 21 bytes"), ("1\n2\n", "is shorter than the 21 bytes")):
            pathlib.Path(self.path("in")).write_text(other)
            self.assert_refused(self.run_dunlin(*again), 3, self.path("in"), words, "another --journal")
        self.COUNT = 12
        pathlib.Path(self.path("in")).write_bytes(lines(12))
        pub, sub = self.start_pub(), self.start_sub()
        self.assertEqual((self.finish(pub, "pub"), self.finish(sub, "sub")), (0, 0))
        self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), lines(12))

    def test_another_output_than_the_journals_is_refused_and_keeps_its_content(self):
        self.publish_and_write_ten_lines()
        other = b"what somebody else wrote, and wants to keep\n"
        pathlib.Path(self.path("other")).write_bytes(other)
        result = self.run_dunlin("sub", "harbour/#", "--id", 2, "--listen", self.address, "--journal", self.path("sub.journal"), "--file", self.path("other"))
        self.assert_refused(result, 3, self.path("other"), "does not begin with the 21 bytes", "another --journal")
        self.assertEqual(pathlib.Path(self.path("other")).read_bytes(), other)

    def sub_with(self, *files):
        return ("sub", "harbour/#", "--id", 2, "--listen", self.address, *files)

    def kill_once_used(self, process, journal):
        wait_for("the use of the journal", lambda: os.path.exists(journal + ".use"))
        self.kill(process)

    def test_a_new_journal_wipes_no_output_but_one_that_was_killed_early_cuts_it(self):
        self.address, = free_addresses(1)
        self.COUNT = 10
        files = ("--journal", self.path("sub.journal"), "--file", self.path("out"))
        pathlib.Path(self.path("out")).write_bytes(b"earlier\n")
        result = self.run_dunlin(*self.sub_with(*files))
        self.assert_refused(result, 3, self.path("out"), self.path("sub.journal"), "does not exist")
        self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), b"earlier\n")
        self.assertEqual(os.listdir(self.folder), ["out"])
        os.remove(self.path("out"))
        self.kill_once_used(self.start_dunlin(*self.sub_with(*files)), self.path("sub.journal"))
        pathlib.Path(self.path("out")).write_bytes(b"1\n2")    # beyond what the journal says
        self.publish_and_write_ten_lines()
        self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), lines(10))

    def test_a_journal_is_with_its_file_or_without_one_for_good(self):
        self.publish_and_write_ten_lines()
        files = ("--journal", self.path("sub.journal"))
        self.assert_refused(self.run_dunlin(*self.sub_with(*files)), 3, self.path("sub.journal"), "with --file", "another journal")
        os.remove(self.path("sub.journal.use"))
        self.assert_refused(self.run_dunlin(*self.sub_with(*files)), 3, self.path("sub.journal"), "name that with --file")
        self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), lines(10))
        files = ("--journal", self.path("other.journal"))
        self.kill_once_used(self.start_dunlin(*self.sub_with(*files)), self.path("other.journal"))
        self.assert_refused(self.run_dunlin(*self.sub_with(*files, "--file", self.path("new"))), 3, "without --file", "another journal")
        self.assertFalse(os.path.exists(self.path("new")))

    def test_a_last_line_that_is_finished_later_is_one_message(self):
        self.address, = free_addresses(1)
        again = ("pub", "harbour/tide", "--id", 1, "--peer", self.address, "--journal", self.path("pub.journal"), "--file", self.path("in"))
        written = b""
        for added in (b"one\ntwo", b"", b"\n", b"three\nfour", b"\n\nsix\nabc"):
            written += added
            pathlib.Path(self.path("in")).write_bytes(written)
            self.COUNT = len(written.splitlines())
            pub, sub = self.start_pub(), self.start_sub()
            self.assertEqual((self.finish(pub, "pub"), self.finish(sub, "sub")), (0, 0))
            expected = written if written.endswith(b"\n") else written + b"\n"
            self.assertEqual(pathlib.Path(self.path("out")).read_bytes(), expected)
        pathlib.Path(self.path("in")).write_bytes(written + b"def\n")
        self.assert_refused(self.run_dunlin(*again), 3, self.path("in"), f"at byte {len(written)}", "published unfinished")


if __name__ == "__main__":
    unittest.main()
