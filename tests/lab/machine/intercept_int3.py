#!/usr/bin/env python3
"""Makes the lab's KVM see a guest's INT3 where somebody debugs it: intercept_int3.py KVM_AMD_MODULE

A processor looks at the intercept of the exception #BP when a guest executes INT3. QEMU looks at that of
software interrupts instead, so KVM, which asks for the former while a debugger has software breakpoints,
never hears of it. Here it asks for the latter, and has the same function called: one number in one
instruction changes, and one entry of the table of exits moves.
"""

import struct
import sys

from module_file import ModuleFile

FUNCTION, TABLE = "svm_update_exception_bitmap", "svm_exit_handlers"
# Numbers of exits, which for these two are the numbers of their intercept's bits as well (AMD APM volume 2,
# appendices B and C).
BREAKPOINT, SOFTWARE_INTERRUPT = 0x43, 0x75
MOV_IMMEDIATE = range(0xB8, 0xC0)  # the first byte of a MOV of 32 bits into a register


def main():
    module = ModuleFile(sys.argv[1])
    start, length = module.function(FUNCTION)
    number = struct.pack("<I", BREAKPOINT)
    places = [
        at
        for at in range(start, start + length - 4)
        if module.bytes[at] in MOV_IMMEDIATE and module.bytes[at + 1 : at + 5] == number
    ]
    section, table, _ = module.symbol(TABLE)
    entries = {(offset - table) // 8: at for at, offset in module.relocations(section) if offset >= table}
    if len(places) != 1 or BREAKPOINT not in entries or SOFTWARE_INTERRUPT in entries:
        module.fail(f"names the exit at {len(places)} places, or has another table of exits")
    struct.pack_into("<I", module.bytes, places[0] + 1, SOFTWARE_INTERRUPT)
    struct.pack_into("<Q", module.bytes, entries[BREAKPOINT], table + SOFTWARE_INTERRUPT * 8)
    module.write()


main()
