"""What an image takes of its board, read from its ELF file."""

import collections
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
