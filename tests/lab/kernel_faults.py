#!/usr/bin/env python3
"""Reads a guest's console from standard input and prints its kernel's complaints; exit code 1 if any.

There is no list of harmless ones: a boot without a fault is silent (lib.sh says why the lab needs noxsave).
"""

import re
import sys

FAULT = re.compile(
    r"WARNING: |BUG: |Oops: |Call Trace:|rcu: INFO|general protection|segfault at|soft lockup|hard LOCKUP"
    r"|Kernel panic|I/O error|blocked for more than|NETDEV WATCHDOG|EXT4-fs error"
)


def main():
    text = sys.stdin.buffer.read().decode(errors="replace").replace("\r", "")
    found = [line for line in text.splitlines() if FAULT.search(line)]
    print("\n".join(found[:40]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
