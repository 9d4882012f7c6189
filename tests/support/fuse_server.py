"""Serves a tree of unstable_files to the kernel, in the protocol of FUSE (linux/fuse.h) and without a library."""

import ctypes
import errno
import os
import stat
import struct

from unstable_files import Directory, File

LIBC = ctypes.CDLL(None, use_errno=True)
MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH, CLONE_NEWNS = 0x1000, 0x4000, 0x40000, 2, 0x20000

ROOT = 1
LARGEST_WRITE = 1 << 20
BUFFER = LARGEST_WRITE + (1 << 16)
REQUEST = struct.Struct("<IIQQIIIHH")
REPLY = struct.Struct("<IiQ")
ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
# Nobody else changes anything: what the kernel has learned stays true until the next mount.
FOREVER = 1 << 30
MAJOR, MINOR = 7, 31
ASYNC_READ, BIG_WRITES, ASYNC_DIRECT, MAX_PAGES = 1 << 0, 1 << 5, 1 << 15, 1 << 22
SET_SIZE, SET_MODE = 1 << 3, 1 << 0
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 0x01, 0x02, 0x10
RENAME_NOREPLACE = 1


def checked(outcome, what):
    if outcome != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def mount(source, target, kind, flags, options=b""):
    words = [os.fsencode(word) for word in (source, target, kind)]
    checked(LIBC.mount(*words, ctypes.c_ulong(flags), options), f"mounting {target}")


def first_name(data):
    return bytes(data).split(b"\0")[0]


def found(directory, name):
    if name not in directory.names:
        raise OSError(errno.ENOENT, "")
    return directory.names[name]


class FuseServer:
    """One mount of the tree. What the kernel asks is answered in order, one at a time."""

    def __init__(self, root, target):
        self.nodes = {ROOT: root}
        self.numbers = {root: ROOT}
        self.target = target
        self.buffer = memoryview(bytearray(BUFFER))
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,default_permissions"
        mount("unstable", target, "fuse", 0, options.encode())

    def close(self):
        """Whoever still waits for an answer is told that there will be none."""
        os.close(self.device)
        checked(LIBC.umount2(os.fsencode(self.target), MNT_DETACH), "unmounting")

    def serve_one(self):
        try:
            length = os.readv(self.device, [self.buffer])
        except OSError as reason:
            if reason.errno in (errno.ENOENT, errno.EINTR):  # it was taken back
                return
            raise
        _, code, unique, node, *_ = REQUEST.unpack_from(self.buffer)
        if code in UNANSWERED:
            return
        try:
            if code not in HANDLERS:
                raise OSError(errno.ENOSYS, f"request {code}")
            self.reply(unique, 0, HANDLERS[code](self, self.nodes.get(node), self.buffer[REQUEST.size:length]))
        except OSError as reason:
            self.reply(unique, -reason.errno, ())

    def reply(self, unique, error, parts):
        length = REPLY.size + sum(len(part) for part in parts)
        try:
            os.writev(self.device, [REPLY.pack(length, error, unique), *parts])
        except OSError as reason:
            if reason.errno != errno.ENOENT:  # nobody waits any more
                raise

    def number_of(self, what):
        if what not in self.numbers:
            self.numbers[what] = len(self.numbers) + 1
            self.nodes[self.numbers[what]] = what
        return self.numbers[what]

    def attributes(self, what):
        size = what.size()
        return ATTRIBUTES.pack(self.number_of(what), size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, what.mode, 1,
                               os.getuid(), os.getgid(), 0, 4096, 0)

    def entry(self, what):
        return struct.pack("<QQQQII", self.number_of(what), 0, FOREVER, FOREVER, 0, 0) + self.attributes(what)

    def add(self, directory, name, what):
        if name in directory.names:
            raise OSError(errno.EEXIST, "")
        directory.change((name, what))
        return self.entry(what)

    # Each takes what the request is about and its arguments, and gives the parts of the reply.

    def init(self, _, arguments):
        flags = struct.unpack_from("<IIII", arguments)[3] & (ASYNC_READ | BIG_WRITES | ASYNC_DIRECT | MAX_PAGES)
        return [struct.pack("<IIIIHHIIHHI28x", MAJOR, MINOR, LARGEST_WRITE, flags, 64, 48, LARGEST_WRITE, 1,
                            LARGEST_WRITE // 4096, 0, 0)]

    def lookup(self, directory, arguments):
        return [self.entry(found(directory, first_name(arguments)))]

    def get_attributes(self, what, _):
        return [struct.pack("<QII", FOREVER, 0, 0), self.attributes(what)]

    def set_attributes(self, what, arguments):
        wanted, _, _, size = struct.unpack_from("<IIQQ", arguments)
        if wanted & SET_SIZE:
            what.resize(size)
        if wanted & SET_MODE:
            mode = struct.unpack_from("<I", arguments, 68)[0]
            what.mode = stat.S_IFMT(what.mode) | stat.S_IMODE(mode)
        return self.get_attributes(what, None)

    def make_node(self, directory, arguments):
        mode = struct.unpack_from("<I", arguments)[0]
        return [self.add(directory, first_name(arguments[16:]), File(mode))]

    def make_directory(self, directory, arguments):
        mode = struct.unpack_from("<I", arguments)[0]
        return [self.add(directory, first_name(arguments[8:]), Directory(mode))]

    def create(self, directory, arguments):
        mode = struct.unpack_from("<II", arguments)[1]
        return [self.add(directory, first_name(arguments[16:]), File(mode)), *self.open(None, None)]

    def remove(self, directory, arguments):
        name = first_name(arguments)
        removed = found(directory, name)
        if isinstance(removed, Directory) and removed.names:
            raise OSError(errno.ENOTEMPTY, "")
        directory.change((name, None))
        return []

    def rename(self, directory, arguments):
        return self.move(directory, struct.unpack_from("<Q", arguments)[0], arguments[8:])

    def rename_unless(self, directory, arguments):
        target, flags = struct.unpack_from("<QI", arguments)
        if flags & ~RENAME_NOREPLACE:
            raise OSError(errno.EINVAL, "")
        new = bytes(arguments[16:]).split(b"\0")[1]
        if flags & RENAME_NOREPLACE and new in self.nodes[target].names:
            raise OSError(errno.EEXIST, "")
        return self.move(directory, target, arguments[16:])

    def move(self, directory, target, names):
        old, new = bytes(names).split(b"\0")[:2]
        moved, other = found(directory, old), self.nodes[target]
        if other is directory:
            directory.change((old, None), (new, moved))
        else:
            other.change((new, moved))
            directory.change((old, None))
        return []

    def open(self, *_):
        return [struct.pack("<QII", 0, 0, 0)]

    def read(self, file, arguments):
        _, offset, count = struct.unpack_from("<QQI", arguments)
        return [file.read(offset, count)]

    def write(self, file, arguments):
        _, offset, count, _, _, flags = struct.unpack_from("<QQIIQI", arguments)
        file.write(offset, bytes(arguments[40:40 + count]))
        if flags & os.O_DSYNC:
            file.sync()
        return [struct.pack("<II", count, 0)]

    def allocate(self, file, arguments):
        _, offset, length, mode = struct.unpack_from("<QQQI", arguments)
        if mode & ~(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE):
            raise OSError(errno.EOPNOTSUPP, "")
        if not mode & KEEP_SIZE:
            file.grow(offset + length)
        if mode & (PUNCH_HOLE | ZERO_RANGE):
            file.zero(offset, length)
        return []

    def sync(self, what, _):
        what.sync()
        return []

    def file_system(self, *_):
        blocks = (64 << 30) // 4096
        return [struct.pack("<QQQQQIIII24x", blocks, blocks, blocks, 1 << 20, 1 << 20, 4096, 255, 4096, 0)]

    def read_directory(self, directory, arguments):
        """From the name on that was reached; a name keeps its place as long as none before it goes."""
        _, first, room = struct.unpack_from("<QQI", arguments)
        parts = []
        for place, (name, what) in enumerate(sorted(directory.names.items())[first:], first + 1):
            record = struct.pack("<QQII", self.number_of(what), place, len(name), stat.S_IFMT(what.mode) >> 12) + name
            record += bytes(-len(record) % 8)
            room -= len(record)
            if room < 0:
                break
            parts.append(record)
        return [b"".join(parts)]

    def nothing(self, *_):
        return []


# FORGET, INTERRUPT and BATCH_FORGET have no reply.
UNANSWERED = {2, 36, 42}
HANDLERS = {1: FuseServer.lookup, 3: FuseServer.get_attributes, 4: FuseServer.set_attributes, 8: FuseServer.make_node,
            9: FuseServer.make_directory, 10: FuseServer.remove, 11: FuseServer.remove, 12: FuseServer.rename,
            14: FuseServer.open, 15: FuseServer.read, 16: FuseServer.write, 17: FuseServer.file_system, 18: FuseServer.nothing,
            20: FuseServer.sync, 25: FuseServer.nothing, 26: FuseServer.init, 27: FuseServer.open,
            28: FuseServer.read_directory, 29: FuseServer.nothing, 30: FuseServer.sync, 35: FuseServer.create,
            43: FuseServer.allocate, 45: FuseServer.rename_unless}
