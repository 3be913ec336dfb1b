"""Nodes of the boards' cluster test: guests under QEMU and processes on this host, each telling its life in lines of key=value words."""

import collections
import pathlib
import socket
import subprocess
import threading
import time

STORAGE_BYTES = 16 << 20
# How a file stands behind a board's storage: behind the memory that flash is modelled in, or as an SD card.
FLASH_MODEL = ("-machine", "memory-backend=flash", "-object", f"memory-backend-file,id=flash,size={STORAGE_BYTES},mem-path={{file}},share=on")
SD_CARD = ("-drive", "if=sd,format=raw,file={file}")
# What QEMU must be told of each board: its machine and its storage.
MACHINES = {
    "mps2_an385": ("mps2-an385", FLASH_MODEL),
    "mps2_an386": ("mps2-an386", FLASH_MODEL),
    "mps2_an500": ("mps2-an500", FLASH_MODEL),
    "lm3s6965evb": ("lm3s6965evb", SD_CARD),
}

# One line of a node. `at` is when it was said, in seconds of this host's CLOCK_BOOTTIME, as near as can be known: see LineReader.
Line = collections.namedtuple("Line", "at boot words")


class LineReader:
    """Reads what one process says, and when.

    A node stamps its lines with its own clock (t_us), and they arrive here a little later. Its clock runs as this host's does, so the
    difference of the two is a constant of that boot, and the least that was ever seen comes nearest to it.
    """

    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.lines = []
        self.boot = 0
        self.offset = {}
        self.lock = threading.Lock()

    def read(self, stream):
        with self.log.open("ab") as log:
            for raw in stream:
                log.write(raw)
                log.flush()
                self.take(raw.decode(errors="replace").strip())

    def take(self, text):
        arrived = time.clock_gettime(time.CLOCK_BOOTTIME)
        words = dict(word.split("=", 1) for word in text.split() if "=" in word)
        with self.lock:
            if "t_us" not in words:
                self.lines.append((self.boot, None, arrived, words or {"text": text}))
                return
            own = int(words["t_us"]) / 1e6
            last = next((line for line in reversed(self.lines) if line[0] == self.boot and line[1] is not None), None)
            if last and own < last[1] - 0.001:    # the board was reset: its clock begins anew
                self.boot += 1
            self.offset[self.boot] = min(self.offset.get(self.boot, arrived - own), arrived - own)
            self.lines.append((self.boot, own, arrived, words))

    def begin_boot(self):
        with self.lock:
            if self.lines:
                self.boot += 1

    def all(self):
        with self.lock:
            return [Line(arrived if own is None else own + self.offset[boot], boot, words) for boot, own, arrived, words in self.lines]


class Node:
    """A process that is a node, started anew as often as the story wants."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.process = None
        self.reader = LineReader(name, folder / f"{name}.log")
        self.deaths = []      # when it was killed, or had ended
        self.ended = False    # because it was asked to

    def launch(self, command):
        self.reader.begin_boot()
        self.ended = False
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        threading.Thread(target=self.reader.read, args=(self.process.stdout,), daemon=True).start()

    def lines(self, event=None, this_boot=False):
        lines = self.reader.all()
        if this_boot:
            lines = [line for line in lines if line.boot == self.reader.boot]
        return lines if event is None else [line for line in lines if line.words.get("event") == event]

    def kill(self):
        """From one moment to the next; nothing is said any more."""
        self.ended = True
        self.process.kill()
        self.process.wait()
        self.deaths.append(time.clock_gettime(time.CLOCK_BOOTTIME))

    def alive(self):
        return self.process is not None and self.process.poll() is None


class Guest(Node):
    """A board under QEMU, on the wire by a Unix datagram socket, with its flash in a file."""

    def __init__(self, name, folder, board, image, qemu, words):
        super().__init__(name, folder)
        self.board = board
        self.image = image
        self.qemu = qemu
        self.words = words
        self.flash = folder / f"{name}.flash"
        self.monitor = folder / f"{name}.monitor"
        self.port = folder / f"{name}.port"

    def start(self):
        machine, storage = MACHINES[self.board]
        for path in (self.port, self.monitor):
            path.unlink(missing_ok=True)
        if not self.flash.exists():
            with self.flash.open("wb") as file:
                file.truncate(STORAGE_BYTES)
        command = [self.qemu, "-M", machine, *(word.format(file=self.flash) for word in storage)]
        command += ["-kernel", self.image, "-display", "none", "-serial", "stdio", "-monitor", f"unix:{self.monitor},server=on,wait=off",
                    "-netdev", f"dgram,id=wire,local.type=unix,local.path={self.port},remote.type=unix,remote.path={self.port}.wire",
                    "-net", "nic,netdev=wire",
                    "-semihosting-config", "enable=on,target=native" + "".join(f",arg={word.replace(',', ',,')}" for word in [self.name, *self.words])]
        self.launch(command)

    def reset(self):
        """Presses the reset button."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.monitor))
            monitor.sendall(b"system_reset\n")
            monitor.settimeout(5)
            while b"system_reset" not in monitor.recv(4096):
                pass

    def wipe(self):
        """Takes its flash away: the next start finds one as it leaves the factory."""
        self.flash.unlink()


class Host(Node):
    """A process on this host that has the wire as its only network, in a namespace that ends with it."""

    def __init__(self, name, folder, wire_tool, address, command):
        super().__init__(name, folder)
        self.port = folder / f"{name}.port"
        self.tap = [wire_tool, "tap", "--socket", self.port, "--wire", f"{self.port}.wire", "--address", address, "--"]
        self.command = command

    def start(self):
        self.port.unlink(missing_ok=True)
        self.launch([*self.tap, *self.command])

    def end(self):
        """Asks it to end, and waits until it has."""
        self.ended = True
        self.process.terminate()
        status = self.process.wait(60)
        self.deaths.append(time.clock_gettime(time.CLOCK_BOOTTIME))
        return status


class Wire:
    """The switch that joins them, with faults that a seed draws."""

    def __init__(self, tool, ports, loss_ppm, delay_us, seed, pcap):
        command = [tool, "switch", "--loss", loss_ppm, "--delay-us", delay_us, "--seed", seed]
        if pcap:
            command += ["--pcap", pcap]
        for name, port in ports.items():
            command += ["--port", f"{name}={port}"]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()    # it is ready

    def obey(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"the wire was told '{command}', and said: {answer}")

    def stop(self):
        rest, _ = self.process.communicate("quit\n", timeout=30)
        return rest.strip().split("\n")[-1]


def folder_for(path):
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    return path
