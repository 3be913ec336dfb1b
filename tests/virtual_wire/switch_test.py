#!/usr/bin/env python3
"""`dunlin_wire switch` between sockets of the test's own: no privilege, no network."""

import signal
import subprocess
import time
import unittest

from processes import ProcessTest, wait_for
from wires import BROADCAST, PATIENCE_S, WIRE, Station, Switch, figures_of, frame, mac, read_pcap


def numbered(count):
    return [frame(mac(2), mac(1), number.to_bytes(2, "big")) for number in range(count)]


class Switching(ProcessTest):
    def test_a_frame_goes_to_its_station_and_one_for_all_to_all_others(self):
        switch = Switch(self, "ABC")
        a, b, c = (Station(self, name) for name in "ABC")
        greeting = frame(BROADCAST, mac(1), b"hello")
        a.send(greeting)
        self.assertEqual((b.receive(), c.receive()), (greeting, greeting))
        answer = frame(mac(1), mac(2), b"answer")
        b.send(answer)
        self.assertEqual(a.receive(), answer)
        last = switch.end()
        self.assertEqual((last["frames"], last["delivered"], last["absent"]), (2, 3, 0))

    def test_a_station_that_is_not_there_is_skipped_and_found_when_it_comes_and_comes_again(self):
        switch = Switch(self, "AB")
        a = Station(self, "A")
        missed = 0
        for leave in (Station.leave, Station.crash, Station.leave):
            a.send(frame(BROADCAST, mac(1), b"nobody"))
            missed += 1
            wait_for("a frame that finds nobody", lambda: switch.figures()["absent"] == missed)
            b = Station(self, "B")
            sent = frame(BROADCAST, mac(1), b"somebody")
            a.send(sent)
            self.assertEqual(b.receive(), sent)
            leave(b)

    def test_the_same_seed_loses_the_same_frames(self):
        arrived = []
        for number, seed in enumerate((5, 5, 6)):
            names = [f"A{number}", f"B{number}"]
            switch = Switch(self, names, "--loss", 200_000, "--seed", seed)
            a, b = (Station(self, name) for name in names)
            for each in numbered(500):
                a.send(each)
            figures = wait_for("every frame", lambda: (f := switch.figures())["lost"] + f["waiting"] + f["delivered"] == 500 and f)
            self.assertGreater(figures["lost"], 50)
            arrived.append([b.receive() for _ in range(500 - figures["lost"])])
            self.assertEqual(switch.end()["delivered"], len(arrived[-1]))
        self.assertEqual(arrived[0], arrived[1])
        self.assertNotEqual(arrived[0], arrived[2])

    def test_what_is_set_on_the_command_line_happens(self):
        switch = Switch(self, "AB", "--duplicate", 1_000_000, "--delay-us", "30000..40000")
        a, b = Station(self, "A"), Station(self, "B")
        sent = frame(mac(2), mac(1), b"twice")
        started = time.monotonic()
        a.send(sent)
        self.assertEqual([b.receive(), b.receive()], [sent, sent])
        self.assertGreaterEqual(time.monotonic() - started, 0.03)
        self.assertEqual(switch.end()["duplicated"], 1)

    def test_frames_overtake_each_other_only_where_they_may(self):
        sent = numbered(20)
        for name, options in (("kept", ()), ("mixed", ("--reorder",))):
            names = [name + end for end in "AB"]
            switch = Switch(self, names, "--delay-us", "0..50000", *options)
            a, b = (Station(self, each) for each in names)
            for each in sent:
                a.send(each)
            arrived = [b.receive() for _ in sent]
            self.assertEqual(sorted(arrived), sent)
            self.assertEqual(arrived == sent, name == "kept")
            switch.end()

    def test_commands_change_what_happens_while_it_runs(self):
        switch = Switch(self, "AB")
        a, b = Station(self, "A"), Station(self, "B")
        first, *others = numbered(4)

        def vanishes(sent, counted):
            a.send(sent)
            wait_for(f"a frame that is {counted}", lambda: switch.figures()[counted] > before[counted])
        for command, counted, end in (("partition A | B", "cut", "heal"), ("isolate B", "cut", "join B"), ("loss 1000000", "lost", "loss 0")):
            before = switch.figures()
            switch.obeys(command)
            for other in others:
                vanishes(other, counted)
            switch.obeys(end)
            a.send(first)
            self.assertEqual(b.receive(), first)

    def test_a_wrong_command_is_told_what_is_wrong(self):
        switch = Switch(self, "AB")
        for command, *words in (("partition A | X", "'X'", "A, B"), ("delay fast", "'fast'"), ("lose 3", "'lose'"), ("", "empty")):
            answer = switch.tell(command)
            self.assertTrue(answer.startswith("wrong: ") and answer.endswith("."), answer)
            for word in words:
                self.assertIn(word, answer)

    def test_the_pcap_file_holds_what_was_delivered_while_the_switch_runs(self):
        switch = Switch(self, "AB", "--pcap", self.path("pcap"))
        a, b = Station(self, "A"), Station(self, "B")
        sent = numbered(5)
        for each in sent:
            a.send(each)
            b.receive()
        wait_for("five frames in the file", lambda: read_pcap(self.path("pcap")) == sent)
        switch.obeys("loss 1000000")
        a.send(sent[0])
        wait_for("a loss", lambda: switch.figures()["lost"] == 1)
        switch.obeys("loss 0")
        b.leave()
        a.send(sent[0])
        wait_for("a frame that finds nobody", lambda: switch.figures()["absent"] == 1)
        self.assertEqual(switch.end()["delivered"], 5)
        self.assertEqual(read_pcap(self.path("pcap")), sent)

    def test_what_is_no_frame_does_no_harm(self):
        switch = Switch(self, "AB")
        a, b = Station(self, "A"), Station(self, "B")
        for bad in (b"", b"short", b"x" * 20000):
            a.send(bad)
        good, = numbered(1)
        a.send(good)
        self.assertEqual(b.receive(), good)
        self.assertEqual(switch.end()["malformed"], 3)


class Ending(ProcessTest):
    def ended_by(self, end):
        switch = Switch(self, "AB")
        a, b = Station(self, "A"), Station(self, "B")
        a.send(numbered(1)[0])
        b.receive()
        end(switch.process)
        self.assertEqual(figures_of(switch.process.stdout.readline())["delivered"], 1)
        self.assertEqual(self.finish(switch.process, "the switch"), 0)
        self.assertFalse((self.folder / "A.wire").exists())

    def test_the_end_of_its_input_and_signals_end_it_with_its_figures(self):
        for number, end in enumerate((lambda process: process.stdin.close(), lambda process: process.send_signal(signal.SIGTERM),
                                      lambda process: process.send_signal(signal.SIGINT))):
            with self.subTest(number):
                self.ended_by(end)

    def test_after_it_was_killed_another_one_takes_its_paths(self):
        switch = Switch(self, "AB")
        switch.process.kill()
        switch.process.wait()
        self.assertTrue((self.folder / "A.wire").exists())
        Switch(self, "AB").end()


class Refused(ProcessTest):
    def refused(self, code, arguments, *words):
        result = subprocess.run([WIRE, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual((result.returncode, result.stdout), (code, ""), result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_a_wrong_command_line_is_told_what_is_wrong(self):
        port = ("switch", "--port", f"A={self.path('A')}")
        self.refused(2, ["switch"], "--port")
        self.refused(2, ["switch", "--port", "A"], "'A'", "NAME=PATH")
        self.refused(2, ["switch", "--port", "A|B=x"], "'A|B=x'")
        self.refused(2, [*port, "--port", f"A={self.path('B')}"], "another port")
        self.refused(2, [*port, "--port", f"B={self.path('A')}"], "another port")
        self.refused(2, [*port, "--loss", "1000001"], "--loss '1000001'", "parts per million")
        self.refused(2, [*port, "--duplicate", "no"], "--duplicate 'no'")
        self.refused(2, [*port, "--delay-us", "9..3"], "--delay-us '9..3'", "A..B")
        self.refused(2, [*port, "--seed", "x"], "--seed")
        tap = ["tap", "--socket", self.path("A")]
        self.refused(2, [*tap, "--address", "10.9.0.1", "--", "true"], "--address '10.9.0.1'", "10.9.0.1/24")
        self.refused(2, [*tap, "--address", "10.9.0.1/24", "--mac", "01:00:5e:00:00:01", "--", "true"], "--mac '01:00:5e:00:00:01'")
        self.refused(2, [*tap, "--address", "10.9.0.1/24", "--mac", "2", "--", "true"], "--mac '2'")
        self.refused(2, [*tap, "--address", "10.9.0.1/24", "--mtu", "9001", "--", "true"], "--mtu", "9000")
        self.refused(2, [*tap, "--address", "10.9.0.1/24"], "COMMAND")

    def test_what_it_cannot_use_is_told(self):
        Switch(self, "A")
        self.refused(3, ["switch", "--port", f"X={self.path('A')}"], self.path("A") + ".wire", "in use")
        self.refused(3, ["switch", "--port", f"X={self.path('none/X')}"], self.path("none/X"))
        self.refused(3, ["switch", "--port", f"X={self.path('X')}", "--pcap", str(self.folder)], str(self.folder), "pcap")
        self.refused(2, ["switch", "--port", f"X={self.path('x' * 200)}"], "too long")


if __name__ == "__main__":
    unittest.main()
