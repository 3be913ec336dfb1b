#!/usr/bin/env python3
"""`dunlin_wire tap`: commands of this machine in networks of their own, on one wire. Skipped (status 77), with the reason, where nobody
may make a TAP: that is found out without the program under test.
"""

import ctypes
import errno
import fcntl
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import unittest

from processes import DUNLIN, ProcessTest, wait_for
from wires import BROADCAST, PATIENCE_S, WIRE, Station, Switch, read_pcap

SKIPPED = 77
NOBODY = 4242    # an id without privilege; not 65534, which an id without a name in the namespace looks like
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000


def make_tap():
    """In a process that ends right after. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace: " + os.strerror(ctypes.get_errno()))
    with open("/dev/net/tun", "r+b", buffering=0) as tun:
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"probe", IFF_TAP | IFF_NO_PI))


def why_no_tap():
    """Empty: this user may make a TAP."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            make_tap()
        except OSError as error:
            os.write(write, (str(error) or errno.errorcode[error.errno]).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        return pipe.read()


# So many datagrams of so many bytes to all on the network; ends when its input does.
BROADCASTS = """
import os, socket, sys
count, size = map(int, sys.argv[1:])
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for _ in range(count):
    sender.sendto(bytes(size), ("10.9.0.255", 9))
sys.stdin.read()
os._exit(0)
"""


class TapTest(ProcessTest):
    def tap(self, name, address, *command, tool=WIRE):
        return [tool, "tap", "--socket", self.path(name), "--address", address, "--", *map(str, command)]

    def start_tap(self, name, address, *command, **options):
        process = subprocess.Popen(self.tap(name, address, *command), **{"stdin": subprocess.DEVNULL, **options})
        self.addCleanup(self.end, process)
        return process

    def run_tap(self, *command, **options):
        """On a wire with nobody else, or without one."""
        return subprocess.run(self.tap("A", "10.9.0.1/24", *command), capture_output=True, text=True, timeout=PATIENCE_S, check=False, **options)


class Wired(TapTest):
    def pub_and_sub(self, count, **pub):
        """The sub at B, which ends after so many lines in the file "out", and the pub at A."""
        with open(self.path("out"), "wb") as out:
            sub = self.start_tap("B", "10.9.0.2/24", DUNLIN, "sub", "harbour/#", "--listen", "10.9.0.2:7000", "--count", count, stdout=out)
        return sub, self.start_tap("A", "10.9.0.1/24", DUNLIN, "pub", "harbour/tide", "--listen", "10.9.0.1:7000", "--peer", "10.9.0.2:7000", **pub)

    def arrived(self):
        return pathlib.Path(self.path("out")).read_text(encoding="utf-8")

    def test_every_line_arrives_across_a_loss_of_5_percent(self):
        switch = Switch(self, "AB", "--loss", 50_000, "--delay-us", "100..1000", "--duplicate", 10_000, "--reorder", "--pcap", self.path("pcap"))
        lines = "".join(f"{number}\n" for number in range(20_000))
        pathlib.Path(self.path("in")).write_text(lines, encoding="utf-8")
        with open(self.path("in"), "rb") as content:
            sub, pub = self.pub_and_sub(20_000, stdin=content)
        self.assertEqual([self.finish(pub, "pub"), self.finish(sub, "sub")], [0, 0])
        self.assertEqual(self.arrived(), lines)
        last = switch.end()
        for name in ("lost", "duplicated", "delivered"):
            self.assertGreater(last[name], 0, last)
        self.assertEqual(len(read_pcap(self.path("pcap"))), last["delivered"])

    def test_nothing_crosses_a_partition_and_everything_arrives_once_it_is_healed(self):
        switch = Switch(self, "AB")
        sub, pub = self.pub_and_sub(40, stdin=subprocess.PIPE)
        first, second = ("".join(f"{half}{number}\n" for number in range(20)) for half in "ab")
        pub.stdin.write(first.encode())
        pub.stdin.flush()
        wait_for("the first half", lambda: self.arrived() == first)
        switch.obeys("partition A | B")
        pub.stdin.write(second.encode())
        pub.stdin.close()
        wait_for("frames that are cut", lambda: switch.figures()["cut"] >= 5)
        self.assertEqual(self.arrived(), first)
        switch.obeys("heal")
        self.assertEqual([self.finish(pub, "pub"), self.finish(sub, "sub")], [0, 0])
        self.assertEqual(self.arrived(), first + second)


class Network(TapTest):
    def test_the_command_has_two_devices_and_its_address_and_they_end_with_it(self):
        shown = self.run_tap("sh", "-c", "cat /proc/net/dev; grep -v : /proc/net/fib_trie; cat /proc/net/if_inet6")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        devices = sorted(re.findall(r"^ *(\w+):", shown.stdout, re.MULTILINE))
        self.assertEqual(devices, ["lo", "wire0"])
        self.assertIn("10.9.0.1\n", shown.stdout)
        self.assertIn("127.0.0.1\n", shown.stdout)
        self.assertNotIn("wire0", pathlib.Path("/proc/net/dev").read_text(encoding="utf-8"))

    def test_frames_have_the_address_and_the_length_that_were_asked_for(self):
        wire = Station(self, "A.wire")
        datagram = 1600
        for options, source, longest in (((), "02:00:0a:09:00:01", 1500), (("--mac", "02:00:00:00:00:77", "--mtu", "4000"), "02:00:00:00:00:77", datagram + 28)):
            command = self.tap("A", "10.9.0.1/24", sys.executable, "-c", BROADCASTS, 1, datagram)
            command[2:2] = options
            self.assertEqual(subprocess.run(command, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL).returncode, 0)
            received = wire.receive()
            self.assertEqual((received[:6], received[6:12].hex(":"), len(received) - 14), (BROADCAST, source, longest))
            while int.from_bytes(received[20:22], "big") & 0x2000:     # more fragments
                received = wire.receive()

    def test_more_than_the_wire_takes_at_a_time_arrives_while_the_command_runs_and_when_it_has_ended(self):
        switch = Switch(self, "AB")
        burst = (sys.executable, "-c", BROADCASTS, 400, 100)
        tap = self.start_tap("A", "10.9.0.1/24", *burst, stdin=subprocess.PIPE)
        wait_for("the burst", lambda: switch.figures()["frames"] == 400)
        tap.stdin.close()
        self.assertEqual(self.finish(tap, "tap"), 0)
        self.assertEqual(self.run_tap(*burst, stdin=subprocess.DEVNULL).returncode, 0)
        self.assertEqual(switch.end()["frames"], 800)

    def test_without_root_a_user_namespace_does(self):
        if os.geteuid() != 0:
            self.skipTest("this is not root, so every other test shows it")
        # What nobody needs, where nobody can read it; and a /dev/net/tun for all, as most machines have it.
        os.chmod(self.folder, 0o755)
        tool = shutil.copy(WIRE, self.path("dunlin_wire"))
        sources = [pathlib.Path(sys.modules[name].__file__) for name in ("__main__", "wires", "processes")]
        probe, *_ = (shutil.copy(source, self.folder) for source in sources)
        script = (f'cd "$1" && mkdir nobody && chown {NOBODY} nobody && mknod tun c 10 200 && chmod 666 tun && mount --bind tun /dev/net/tun &&'
                  f' shift && exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups "$@"')

        def as_nobody(*command):
            (self.folder / "tun").unlink(missing_ok=True)
            shutil.rmtree(self.folder / "nobody", ignore_errors=True)
            return subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", self.folder, *command], capture_output=True, text=True,
                                  timeout=PATIENCE_S, check=False, env={**os.environ, "PYTHONPATH": str(self.folder)})
        probed = as_nobody(sys.executable, "-B", probe, "--why-no-tap")
        if probed.returncode != 0 or probed.stdout.strip():
            print(f"skipped: a user without privilege may make no TAP: {(probed.stdout + probed.stderr).strip()}")
            os._exit(SKIPPED)
        result = as_nobody(*self.tap("nobody/A", "10.9.0.1/24", "sh", "-c", "id -u; cat /proc/net/fib_trie", tool=tool))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertTrue(result.stdout.startswith(f"{NOBODY}\n") and "10.9.0.1\n" in result.stdout, result.stdout)


class Command(TapTest):
    def test_its_status_is_passed_on(self):
        for command, status in ((("true",), 0), (("sh", "-c", "exit 7"), 7), (("sh", "-c", "kill -9 $$"), 128 + 9), (("no-such-command",), 127)):
            self.assertEqual(self.run_tap(*command).returncode, status)

    def test_signals_go_to_it(self):
        for passed in (signal.SIGTERM, signal.SIGINT):
            script = f"trap 'echo got; exit 5' {passed.name[3:]}; echo ready; while :; do sleep 0.01; done"
            tap = self.start_tap("A", "10.9.0.1/24", "sh", "-c", script, stdout=subprocess.PIPE, text=True)
            self.assertEqual(tap.stdout.readline(), "ready\n")
            tap.send_signal(passed)
            self.assertEqual(tap.stdout.readline(), "got\n")
            self.assertEqual(self.finish(tap, "tap"), 5)

    def test_nothing_of_it_outlives_the_tap(self):
        for kill in (True, False):
            end = "sleep 1000" if kill else "exit 0"
            tap = self.start_tap("A", "10.9.0.1/24", "sh", "-c", f"sleep 1000 & echo $!; {end}", stdout=subprocess.PIPE, text=True)
            left = int(tap.stdout.readline())
            if kill:
                tap.kill()
            self.finish(tap, "tap")
            wait_for("the end of what the command left behind", lambda left=left: not running(left))

    def test_without_a_tap_it_is_told_what_is_missing(self):
        for prepare, *words in (("mount -t tmpfs none /dev/net", "/dev/net/tun", "No such file"),
                                ("mount --bind /dev/null /dev/net/tun", "cannot make a TAP"),
                                ("echo 0 >/proc/sys/user/max_net_namespaces", "network namespace", "must be root")):
            script = f'{prepare} && exec "$@"'
            result = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", *self.tap("A", "10.9.0.1/24", "true")],
                                    capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            self.assertEqual((result.returncode, result.stdout), (3, ""), result.stderr)
            for word in words:
                self.assertIn(word, result.stderr)


def running(process):
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


if __name__ == "__main__":
    if sys.argv[1:] == ["--why-no-tap"]:
        print(why_no_tap())
        sys.exit()
    if reason := why_no_tap():
        print(f"skipped: there is no privilege for a TAP here: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
