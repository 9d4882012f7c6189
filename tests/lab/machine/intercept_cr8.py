#!/usr/bin/env python3
"""Makes the lab's KVM see every write of a guest to CR8: intercept_cr8.py KVM_AMD_MODULE

QEMU aborts when a guest writes CR8 itself while an interrupt of KVM's waits for it (the code of that
instruction raises the interrupt without the lock that this takes). Linux leaves CR8 alone; UEFI firmware
restores it at the end of every interrupt. KVM asks to see the write where it has to and stops asking where
it need not: here it asks instead of stopping. One bit of one instruction changes (BTR into BTS, of the
intercept's number); the module's signature, which no longer fits, goes.
"""

import struct
import sys

FUNCTION = b"svm_update_cr8_intercept"
INTERCEPT_CR8_WRITE = 24  # AMD APM volume 2, appendix B, offset 0: writes of CR0 to CR15 from bit 16 on
BTS, BTR = 5, 6           # the operation in the ModRM byte of 0F BA
SIGNATURE_END = b"~Module signature appended~\n"


def without_signature(module):
    if not module.endswith(SIGNATURE_END):
        return module
    end = len(module) - len(SIGNATURE_END)
    length = struct.unpack_from(">I", module, end - 4)[0]
    return module[: end - 12 - length]


def sections(module):
    start = struct.unpack_from("<Q", module, 0x28)[0]
    size, count = struct.unpack_from("<HH", module, 0x3A)
    return [struct.unpack_from("<IIQQQQIIQQ", module, start + size * i) for i in range(count)]


def function_range(module):
    """First byte and length, in the file, of FUNCTION."""
    table = sections(module)
    for _, kind, _, _, offset, size, link, *_ in table:
        if kind != 2:  # SHT_SYMTAB
            continue
        names = table[link][4]
        for at in range(offset, offset + size, 24):
            name, _, _, section, value, length = struct.unpack_from("<IBBHQQ", module, at)
            if module[names + name :].startswith(FUNCTION + b"\0") and length:
                return table[section][4] + value, length
    sys.exit(f"lab: {sys.argv[1]} has no function {FUNCTION.decode()}")


def main():
    with open(sys.argv[1], "rb") as file:
        module = bytearray(without_signature(file.read()))
    start, length = function_range(bytes(module))
    places = [
        at
        for at in range(start, start + length - 3)
        if module[at : at + 2] == b"\x0f\xba"
        and module[at + 2] >> 3 & 7 == BTR
        and module[at + 2] >> 6 == 0
        and module[at + 3] == INTERCEPT_CR8_WRITE
    ]
    if len(places) != 1:
        sys.exit(f"lab: {sys.argv[1]} clears the intercept at {len(places)} places instead of one")
    module[places[0] + 2] ^= (BTR ^ BTS) << 3
    with open(sys.argv[1], "wb") as file:
        file.write(module)


main()
