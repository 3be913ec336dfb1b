#!/usr/bin/env python3
"""Runs a bare-metal program under QEMU as if it were one of this machine: arguments, output and exit status pass by semihosting.

    run_on_cortex_m.py QEMU MACHINE PROGRAM [ARGUMENT...]

The program asks for its arguments with SYS_GET_CMDLINE, which joins them with blanks; so none may hold one.
"""

import os
import sys


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    qemu, machine, *words = sys.argv[1:]
    program = words[0]
    if not os.path.isfile(program):
        sys.exit(f"run_on_cortex_m.py: no program {program}")
    for word in words[1:]:
        if not word or any(letter.isspace() for letter in word):
            sys.exit(f"run_on_cortex_m.py: argument '{word}' cannot be passed: it is empty or has a blank in it")

    # In an option of QEMU's a comma is written twice.
    passed = ["arg=" + word.replace(",", ",,") for word in ["program", *words[1:]]]
    semihosting = ",".join(["enable=on", "target=native", *passed])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.execv(qemu, [qemu, "-M", machine, "-kernel", program, "-display", "none", "-monitor", "none", "-serial", "null",
                    "-semihosting-config", semihosting])


if __name__ == "__main__":
    main()
