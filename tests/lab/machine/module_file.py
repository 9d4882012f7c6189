"""A kernel module as a file to change: its symbols, its relocations, and no signature that would no longer fit."""

import struct
import sys

SYMBOLS, RELOCATIONS = 2, 4  # section types SHT_SYMTAB and SHT_RELA
SIGNATURE_END = b"~Module signature appended~\n"


def without_signature(module):
    if not module.endswith(SIGNATURE_END):
        return module
    end = len(module) - len(SIGNATURE_END)
    length = struct.unpack_from(">I", module, end - 4)[0]
    return module[: end - 12 - length]


class ModuleFile:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.bytes = bytearray(without_signature(file.read()))
        start = struct.unpack_from("<Q", self.bytes, 0x28)[0]
        size, count = struct.unpack_from("<HH", self.bytes, 0x3A)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.bytes, start + size * i) for i in range(count)]

    def symbol(self, wanted):
        """Section number, offset in the section and length of a symbol."""
        for _, kind, _, _, offset, size, link, *_ in self.sections:
            if kind != SYMBOLS:
                continue
            names = self.sections[link][4]
            for at in range(offset, offset + size, 24):
                name, _, _, section, value, length = struct.unpack_from("<IBBHQQ", self.bytes, at)
                if self.bytes[names + name :].startswith(wanted.encode() + b"\0") and length:
                    return section, value, length
        return self.fail(f"has no {wanted}")

    def function(self, wanted):
        """First byte and length of a function, in the file."""
        section, value, length = self.symbol(wanted)
        return self.sections[section][4] + value, length

    def relocations(self, section):
        """Where in the file each relocation of a section is, and which offset in the section it fills."""
        for _, kind, _, _, offset, size, _, target, *_ in self.sections:
            if kind == RELOCATIONS and target == section:
                for at in range(offset, offset + size, 24):
                    yield at, struct.unpack_from("<Q", self.bytes, at)[0]

    def fail(self, what):
        sys.exit(f"lab: {self.path} {what}")

    def write(self):
        with open(self.path, "wb") as file:
            file.write(self.bytes)
