#!/usr/bin/python3
"""Reads a volume as docs/formats/volume.md says, and nothing else: no line of Sheaf is used.

    volume_reader.py POOL NAME [--snapshot SNAPSHOT] [--raw FILE]

Every checksum of the volume and of each of its snapshots is verified; the content of the volume, or of the snapshot, goes to
FILE. A volume that is in use, or was left so by a crash, is read as
of its log, and the checksums of its marked regions are not held against it. Exit code 1 where anything is damaged."""

import argparse
import ctypes
import os
import struct
import sys

PAGE, BLOCK, CHUNK, REGION = 4096, 4096, 128 << 10, 1 << 20
SUPERBLOCK, LOG, ROOT, BRANCH, DIRECTORY, SLOTS, INTENTS, TABLE = range(1, 9)
FAN_OUT, CHUNKS_PER_PAGE, BLOCKS_PER_CHUNK = 256, 16, 32
REGIONS_PER_PAGE = (PAGE - 64) * 8


def make_table():
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        yield number


TABLE_OF_CRC = list(make_table())


def crc32c_by_table(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ TABLE_OF_CRC[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def choose_crc32c():
    """ISA-L's, a thousand times as fast, where the machine has it and it agrees."""
    try:
        crc32_iscsi = ctypes.CDLL('libisal.so.2').crc32_iscsi
    except (OSError, AttributeError):
        return crc32c_by_table
    crc32_iscsi.argtypes, crc32_iscsi.restype = (ctypes.c_char_p, ctypes.c_int, ctypes.c_uint), ctypes.c_uint

    def crc32c_by_library(data):
        return crc32_iscsi(bytes(data), len(data), 0xFFFFFFFF) ^ 0xFFFFFFFF

    sample = bytes(range(251))
    return crc32c_by_library if crc32c_by_library(sample) == crc32c_by_table(sample) else crc32c_by_table


crc32c = choose_crc32c()


class Damaged(Exception):
    pass


class Page:
    """A page that has proved to be of this kind, owner and position; the owner None takes any."""

    def __init__(self, data, kind, owner, position):
        if len(data) < PAGE or data[:8] != b'SHEAFPG1':
            raise Damaged(f'page of kind {kind}: nothing of ours is there')
        self.checksum, version, found, length = struct.unpack_from('<IHHI', data, 8)
        self.owner = data[24:40]
        place, self.sequence = struct.unpack_from('<QQ', data, 40)
        if version != 1:
            raise Damaged(f'page of version {version}')
        if (found, place, length) != (kind, position, len(data)) or owner not in (None, self.owner):
            raise Damaged(f'page of kind {kind} at {position}: another one is there')
        if crc32c(data[:8] + bytes(4) + data[12:]) != self.checksum:
            raise Damaged(f'page of kind {kind} at {position}: its checksum is wrong')
        self.data = data


def page_at(file, number, length=PAGE):
    file.seek(number * PAGE)
    return file.read(length)


def boot_id():
    with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as file:
        return bytes.fromhex(file.read().strip().replace('-', ''))


class Map:
    """Finds the slots pages of one layer from its root."""

    def __init__(self, folder, root):
        self.file = open(os.path.join(folder, 'map'), 'rb')
        self.data = open(os.path.join(folder, 'data'), 'rb')
        self.owner = bytes.fromhex(os.path.basename(folder))
        self.root = self.follow(root, ROOT, 0, 0)
        self.changed = {}  # by the log: chunk to (slot, states)

    def follow(self, pointer, kind, position, place):
        checksum, word = pointer
        if not word & 2:
            return None
        page = Page(page_at(self.file, place + (word & 1)), kind, self.owner, position)
        if page.checksum != checksum or (page.sequence << 2 & 0xFFFFFFFF) != word & ~3:
            raise Damaged(f'page of kind {kind} at {position}: another version is there')
        return page

    def below(self, page, index, kind, position, place):
        pointer = struct.unpack_from('<II', page.data, 64 + 8 * index) if page else (0, 0)
        return self.follow(pointer, kind, position, place)

    def slots_page(self, number):
        directory, branch = number // FAN_OUT, number // FAN_OUT // FAN_OUT
        place = 2 + branch * 131586
        page = self.below(self.root, branch, BRANCH, branch, place)
        place += 2 + directory % FAN_OUT * 514
        page = self.below(page, directory % FAN_OUT, DIRECTORY, directory, place)
        place += 2 + number % FAN_OUT * 2
        return self.below(page, number % FAN_OUT, SLOTS, number, place)

    def entry(self, chunk):
        page = self.slots_page(chunk // CHUNKS_PER_PAGE)
        data = page.data if page else bytes(PAGE)
        start = 256 + chunk % CHUNKS_PER_PAGE * 240
        slot, _, states = struct.unpack_from('<IIQ', data, start)
        slot, states = self.changed.get(chunk, (slot, states))
        return slot, states, struct.unpack_from('<32I', data, start + 24)


class Volume:
    def __init__(self, pool, name):
        folder = os.path.join(pool, 'volumes', name)
        self.journals = [open(os.path.join(folder, f'journal.{copy}'), 'rb') for copy in range(2)]
        self.read_superblock()
        self.read_layers(os.path.join(pool, 'layers'))
        self.marks = self.read_marks(os.path.join(folder, 'intent'))
        self.records = self.replay()

    def read_superblock(self):
        sound = []
        for file in self.journals:
            for home in range(2):
                try:
                    sound.append(Page(page_at(file, home), SUPERBLOCK, None, 0))
                except Damaged as damage:
                    print(f'journal: {damage}', file=sys.stderr)
        if not sound:
            raise Damaged('there is no superblock')
        best = max(sound, key=lambda page: page.sequence)
        self.owner = best.owner
        (self.size, block, chunk, region, self.features, _, self.state, self.log_pages, self.log_first, self.log_previous,
         self.head, self.count, _, self.table_offset, self.table_length, self.table_checksum) = struct.unpack_from(
             '<QIIIIQIIQIIIIQII', best.data, 64)
        self.boot, self.log_incarnation = struct.unpack_from('<16sQ', best.data, 160)
        if (block, chunk, region) != (BLOCK, CHUNK, REGION) or self.features & ~3:
            raise Damaged('the volume has features or sizes that this reader does not know')

    def read_layers(self, folder):
        for file in self.journals:
            file.seek(self.table_offset)
            try:
                table = Page(file.read(self.table_length), TABLE, self.owner, 0)
            except Damaged:
                continue
            if table.checksum == self.table_checksum:
                break
        else:
            raise Damaged('there is no table of layers')
        self.layers, self.parents, self.flags, self.snapshots = {}, {}, {}, {}
        for index in range(self.count):
            place = 256 + 256 * index
            number, parent, ident, checksum, word = struct.unpack_from('<II16sII', table.data, place)
            if parent >= number or (parent and parent not in self.layers):
                raise Damaged(f'layer {number} has no parent {parent}')
            self.layers[number] = Map(os.path.join(folder, ident.hex()), (checksum, word))
            self.parents[number] = parent
            self.flags[number], = struct.unpack_from('<I', table.data, place + 40)
            size, name = struct.unpack_from('<Q64s', table.data, place + 56)
            if name[0]:
                self.snapshots[name.rstrip(bytes(1)).decode()] = (number, size)

    def read_marks(self, path):
        marks = set()
        if self.state == 1:
            return marks
        with open(path, 'rb') as file:
            for number in range((self.size - 1) // REGION // REGIONS_PER_PAGE + 1):
                best = None
                for home in range(2):
                    try:
                        page = Page(page_at(file, 2 * number + home), INTENTS, self.owner, number)
                    except Damaged:
                        continue
                    if best is None or page.sequence > best.sequence:
                        best = page
                bits = int.from_bytes(best.data[64:] if best else b'\xff' * (PAGE - 64), 'little')
                marks |= {number * REGIONS_PER_PAGE + bit for bit in range(REGIONS_PER_PAGE) if bits >> bit & 1}
        return marks

    def log_page(self, sequence, previous, incarnation):
        sound = []
        for file in self.journals:
            try:
                page = Page(page_at(file, 2 + sequence % self.log_pages), LOG, self.owner, sequence)
            except Damaged:
                continue
            before, _, _, by = struct.unpack_from('<IHHQ', page.data, 64)
            if before == previous and by >= incarnation:
                sound.append((by, page))
        return max(sound, key=lambda found: found[0]) if sound else None

    def replay(self):
        sequence, previous, incarnation, count = self.log_first, self.log_previous, self.log_incarnation, 0
        while sequence - self.log_first < self.log_pages:
            found = self.log_page(sequence, previous, incarnation)
            if not found:
                break
            incarnation, page = found
            place = 128
            for _ in range(struct.unpack_from('<H', page.data, 68)[0]):
                kind, length = struct.unpack_from('<HH', page.data, place)
                if kind not in (1, 2):
                    raise Damaged(f'log record of type {kind}')
                layer, chunk, slot, states = struct.unpack_from('<IIIQ', page.data, place + 4)
                if layer != self.head:
                    raise Damaged(f'log record of layer {layer}')
                if kind == 1 or self.boot == boot_id():
                    self.layers[layer].changed[chunk] = (slot, states)
                place += length
                count += 1
            sequence, previous = sequence + 1, page.checksum
        return count

    def trusted(self, layer, number):
        if self.flags[layer] & 1:
            return self.flags[layer] & 2
        return self.features & 1 and number * CHUNK // REGION not in self.marks

    def chunk(self, layer, number):
        """The content of a chunk, seen from a layer, and how many of its blocks are data."""
        content, wanted, found = bytearray(CHUNK), set(range(BLOCKS_PER_CHUNK)), 0
        while layer and wanted:
            slot, states, sums = self.layers[layer].entry(number)
            for block in sorted(wanted):
                state = states >> 2 * block & 3
                if state:
                    wanted.discard(block)
                if state == 2:
                    found += 1
                    file = self.layers[layer].data
                    file.seek(slot * CHUNK + block * BLOCK)
                    data = file.read(BLOCK)
                    if self.trusted(layer, number) and crc32c(data) != sums[block]:
                        raise Damaged(f'block at {number * CHUNK + block * BLOCK}: its checksum is wrong')
                    content[block * BLOCK:(block + 1) * BLOCK] = data
            layer = self.parents[layer]
        return content, found

    def read(self, layer, size, raw):
        blocks = 0
        for number in range((size + CHUNK - 1) // CHUNK):
            content, found = self.chunk(layer, number)
            blocks += found
            raw.write(content[:size - number * CHUNK])
        return blocks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pool')
    parser.add_argument('name')
    parser.add_argument('--snapshot', help='whose content is written, instead of the volume\'s')
    parser.add_argument('--raw', help='where to write the content')
    arguments = parser.parse_args()
    try:
        volume = Volume(arguments.pool, arguments.name)
        views = {None: (volume.head, volume.size), **volume.snapshots}
        if arguments.snapshot not in views:
            raise Damaged(f'there is no snapshot {arguments.snapshot}')
        blocks = 0
        for name, (layer, size) in views.items():
            wanted = name == arguments.snapshot and arguments.raw
            with open(wanted or os.devnull, 'wb') as raw:
                blocks += volume.read(layer, size, raw)
    except (Damaged, OSError) as damage:
        sys.exit(f'volume_reader: {arguments.name}: {damage}')
    print(f'{volume.size} bytes, {len(volume.layers)} layers, {len(volume.snapshots)} snapshots, {blocks} blocks of data, '
          f'{len(volume.marks)} regions marked, {volume.records} log records')


if __name__ == '__main__':
    main()
