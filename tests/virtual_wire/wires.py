"""A running `dunlin_wire switch`, stations that are sockets of the test's own, and what a pcap file holds.

The program to test is named by the environment variable DUNLIN_WIRE.
"""

import os
import pathlib
import socket
import struct
import subprocess

from processes import PATIENCE_S

WIRE = os.environ.get("DUNLIN_WIRE", "dunlin_wire")
BROADCAST = b"\xff" * 6


def mac(number):
    return bytes([2, 0, 10, 9, 0, number])


def frame(destination, source, content):
    """Of an EtherType for experiments."""
    return destination + source + b"\x88\xb5" + content


class Switch:
    """With a port for each of `names`; ends with the test."""

    def __init__(self, test, names, *options):
        self.test = test
        self.names = names
        ports = [word for name in names for word in ("--port", f"{name}={test.path(name)}")]
        self.process = subprocess.Popen([WIRE, "switch", *ports, *map(str, options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        test.addCleanup(test.end, self.process)
        ready = self.process.stdout.readline()
        test.assertTrue(ready.startswith(f"wire: ready, ports={len(names)} seed="), ready)

    def tell(self, command):
        """Its answer."""
        print(command, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().rstrip("\n")

    def obeys(self, command):
        self.test.assertEqual(self.tell(command), "ok")

    def figures(self):
        return figures_of(self.tell("figures"))

    def end(self):
        """Its last figures."""
        last = figures_of(self.tell("quit"))
        self.test.assertEqual(self.test.finish(self.process, "the switch"), 0)
        return last


def figures_of(line):
    first, *rest = line.split()
    assert first == "wire:", line
    return {name: int(value) for name, value in (word.split("=") for word in rest)}


class Station:
    """At a port: what QEMU's -netdev dgram is to the switch."""

    def __init__(self, test, name):
        self.wire = test.path(name) + ".wire"
        self.path = test.path(name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_S)
        pathlib.Path(self.path).unlink(missing_ok=True)
        self.socket.bind(self.path)
        test.addCleanup(self.crash)

    def send(self, sent):
        self.socket.sendto(sent, self.wire)

    def receive(self):
        return self.socket.recv(65536)

    def crash(self):
        """The path stays."""
        self.socket.close()

    def leave(self):
        self.crash()
        pathlib.Path(self.path).unlink()


def read_pcap(path):
    """The frames of a pcap file that may still be written: the last one may be in two halves."""
    content = pathlib.Path(path).read_bytes()
    magic, major, minor, _, _, longest, link = struct.unpack_from("<IHHIIII", content)
    assert (magic, major, minor, link) == (0xa1b2c3d4, 2, 4, 1), content[:24]
    frames = []
    at = 24
    while at + 16 <= len(content):
        _, microseconds, kept, length = struct.unpack_from("<IIII", content, at)
        assert microseconds < 1_000_000 and kept == length <= longest, content[at:at + 16]
        if at + 16 + kept > len(content):
            break
        frames.append(content[at + 16:at + 16 + kept])
        at += 16 + kept
    return frames
