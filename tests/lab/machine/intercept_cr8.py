#!/usr/bin/env python3
"""Makes the lab's KVM see every write of a guest to CR8: intercept_cr8.py KVM_AMD_MODULE

QEMU aborts when a guest writes CR8 itself while an interrupt of KVM's waits for it (the code of that
instruction raises the interrupt without the lock that this takes). Linux leaves CR8 alone; UEFI firmware
restores it at the end of every interrupt. KVM asks to see the write where it has to and stops asking where
it need not: here it asks instead of stopping. One bit of one instruction changes (BTR into BTS, of the
intercept's number); the module's signature, which no longer fits, goes.
"""

import sys

from module_file import ModuleFile

FUNCTION = "svm_update_cr8_intercept"
INTERCEPT_CR8_WRITE = 24  # AMD APM volume 2, appendix B, offset 0: writes of CR0 to CR15 from bit 16 on
BTS, BTR = 5, 6           # the operation in the ModRM byte of 0F BA


def main():
    module = ModuleFile(sys.argv[1])
    start, length = module.function(FUNCTION)
    code = module.bytes
    places = [
        at
        for at in range(start, start + length - 3)
        if code[at : at + 2] == b"\x0f\xba"
        and code[at + 2] >> 3 & 7 == BTR
        and code[at + 2] >> 6 == 0
        and code[at + 3] == INTERCEPT_CR8_WRITE
    ]
    if len(places) != 1:
        module.fail(f"clears the intercept at {len(places)} places instead of one")
    code[places[0] + 2] ^= (BTR ^ BTS) << 3
    module.write()


main()
