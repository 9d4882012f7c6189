#!/usr/bin/env python3
"""Reads a guest's console from standard input and prints its kernel's complaints; exit code 1 if any.

A complaint begins at a line that matches FAULT. A WARNING goes on to its "---[ end trace" line, so that a
known one takes its own call trace with it, and an unknown call trace still counts.
"""

import re
import sys

FAULT = re.compile(
    r"WARNING: |BUG: |Oops: |Call Trace:|rcu: INFO|general protection|segfault at|soft lockup|hard LOCKUP"
    r"|Kernel panic|I/O error|blocked for more than|NETDEV WATCHDOG|EXT4-fs error"
)
END_OF_TRACE = re.compile(r"---\[ end trace")

# Complaints that are no fault of the machine, each with its reason.
KNOWN = [
    # QEMU's emulated processor, in the lab only: it reports a size of the XSAVE area that its parts do
    # not add up to. The kernel says so at boot and goes on with the larger size.
    re.compile(r"WARNING: .* at arch/x86/kernel/fpu/xstate\.c:\d+ "),
]


def complaints(lines):
    in_known = False
    for line in lines:
        if in_known:
            in_known = not END_OF_TRACE.search(line)
        elif any(known.search(line) for known in KNOWN):
            in_known = True
        elif FAULT.search(line):
            yield line


def main():
    text = sys.stdin.buffer.read().decode(errors="replace").replace("\r", "")
    found = list(complaints(text.splitlines()))
    print("\n".join(found[:40]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
