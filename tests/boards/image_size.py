"""What an image takes of its board, read from its ELF file and from what the compiler wrote beside it (-fcallgraph-info=su)."""

import collections
import functools
import pathlib
import re
import subprocess

PREFIX = "arm-none-eabi-"


def sections(image):
    """text (constants included), data, bss and the room for the stack, in bytes. Flash: text + data; RAM: data + bss + stack."""
    listing = subprocess.run([PREFIX + "size", "-A", image], check=True, capture_output=True, text=True).stdout
    sizes = {match[1]: int(match[2]) for match in re.finditer(r"^(\.[\w.]+)\s+(\d+)\s+\d+$", listing, re.M)}
    text = sum(sizes.get(name, 0) for name in (".vectors", ".text", ".rodata", ".ARM.exidx", ".init_array"))
    return {"text": text, "data": sizes.get(".data", 0), "bss": sizes.get(".bss", 0) + sizes.get(".noinit", 0), "stack": sizes.get(".stack", 0)}


def module_of(source):
    """The module whose text a source file's lines are: a folder of the runtime, a transport, lwip, board, application, or the compiler's own."""
    for pattern, name in ((r"_generated\.h$|flatbuffers/", "wire"), (r"runtime/dunlin/(\w+)/", None), (r"transports/(\w+)/", None),
                          (r"/lwip[^/]*/src/", "lwip"), (r"/boards/images/|/examples/", "application"), (r"/boards/", "board")):
        match = re.search(pattern, source)
        if match:
            return name or match[1]
    return "C and C++ library"


def modules(image):
    """Bytes of text by module, as the line table tells: what was inlined counts where it was written."""
    listing = subprocess.run([PREFIX + "objdump", "-dl", "--no-show-raw-insn", "-j", ".text", image], check=True, capture_output=True, text=True)
    sizes = collections.Counter()
    source, last = "?", None
    for line in listing.stdout.splitlines():
        instruction = re.match(r"\s+([0-9a-f]+):\t", line)
        if instruction:
            address = int(instruction[1], 16)
            if last:
                sizes[module_of(last[1])] += address - last[0]
            last = (address, source)
        elif re.match(r"\S*/\S*:\d+", line):
            source = line.split(":")[0]
    return sizes


class CallGraph:
    """Who calls whom, and how much stack each takes: the compiler's own account, written at link time for the whole image."""

    def __init__(self, image):
        self.bytes = collections.Counter()
        self.calls = collections.defaultdict(set)
        self.indirect = set()
        for path in sorted(pathlib.Path(image).parent.glob(pathlib.Path(image).name + ".*.ci")):
            text = path.read_text()
            for title, size in re.findall(r'^node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes', text, re.M):
                self.bytes[self.name(title)] = int(size)
            for source, target in re.findall(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text, re.M):
                if target == "__indirect_call":
                    self.indirect.add(self.name(source))
                else:
                    self.calls[self.name(source)].add(self.name(target))

    @staticmethod
    def name(title):
        return title.rsplit(":", 1)[-1]

    def deepest(self):
        """Bytes of the deepest chain of calls from main(). A call through a pointer may reach whatever nobody calls by name, once a chain;
        a function that is on the chain already is not entered again. Libraries without an account count as nothing."""
        called = set().union(*self.calls.values()) if self.calls else set()
        by_pointer = [name for name in self.bytes if name not in called and name != "main"]
        chain = set()

        @functools.lru_cache(maxsize=None)
        def below(name, through_pointer):
            if name in chain:
                return 0
            chain.add(name)
            depth = max((below(each, through_pointer) for each in sorted(self.calls[name])), default=0)
            if name in self.indirect and not through_pointer:
                depth = max(depth, max((below(each, True) for each in by_pointer), default=0))
            chain.discard(name)
            return depth + self.bytes[name]

        return below("main", False)
