"""Files and directories that forget at a power cut what was not made stable.

What is modelled, and what may happen at a cut; nothing else does:
- A write, a hole and a range of zeros are changes of 512-byte sectors. Until the file is synced each sector of each change
  is lost or kept, independently of all others: changes are lost, torn at sector borders, and kept out of order.
- A file's size is a change of its own: what a write or fallocate made it grow by may be gone, with all that was written
  there, and a truncation may not have happened. A sector that was lost inside of the new size is zeros.
- fsync and fdatasync of a file, and a write with O_DSYNC, make its content and its size stable, not its name. A flush of
  another file makes nothing of this one stable, and neither do time and sync_file_range.
- Making, renaming and removing a name is one change of the directory, and stable once the directory was synced. Until then the
  first so many changes of each directory are kept and the rest is lost: a journaling file system keeps their order too, though
  over all directories. A rename from one directory to another is two changes, which this may tear apart.
- What has no name after the cut is gone. A file that was never synced is empty.

Not modelled: owner and mode are stable at once, times are not kept at all; a request takes effect at one instant, so a flush
does not race with a write; links, extended attributes and a full disk do not exist."""

import os
import stat

SECTOR = 512


class Cut:
    """How much a power cut leaves, drawn from `dice`: each change is kept with the probability `survival`. `found` and `kept`
    count changes of files by sectors, and of directories."""

    def __init__(self, dice, survival):
        self.dice = dice
        self.survival = survival
        self.found = self.kept = 0

    def keeps(self):
        self.found += 1
        kept = self.dice.random() < self.survival
        self.kept += kept
        return kept

    def keeps_first(self, count):
        first = self.dice.randint(0, count) if self.survival > 0 else 0
        self.found += count
        self.kept += first
        return first


class File:
    """A regular file, or anything else that has a name and is no directory."""

    def __init__(self, mode):
        self.mode = mode
        self.seen = os.memfd_create("seen")
        self.stable = os.memfd_create("stable")
        self.changes = []  # since it was synced: a size, or a place and bytes

    def __del__(self):
        os.close(self.seen)
        os.close(self.stable)

    def size(self):
        return os.fstat(self.seen).st_size

    def read(self, offset, count):
        return os.pread(self.seen, count, offset)

    def resize(self, size):
        if size == self.size():
            return
        os.ftruncate(self.seen, size)
        self.changes.append((size, None))

    def grow(self, size):
        self.resize(max(size, self.size()))

    def write(self, offset, data):
        self.grow(offset + len(data))
        os.pwrite(self.seen, data, offset)
        self.changes.append((offset, data))

    def zero(self, offset, length):
        """Inside of the file; behind its end there is nothing to be done."""
        length = min(length, self.size() - offset)
        if length > 0:
            self.write(offset, bytes(length))

    def sync(self):
        for place, data in self.changes:
            if data is None:
                os.ftruncate(self.stable, place)
            else:
                os.pwrite(self.stable, data, place)
        self.changes.clear()

    def lose_power(self, cut):
        for place, data in self.changes:
            if data is not None:
                self.keep_some(place, data, cut)
            elif cut.keeps():
                os.ftruncate(self.stable, place)
        self.changes.clear()
        size = os.fstat(self.stable).st_size
        os.ftruncate(self.seen, 0)
        copied = 0
        while copied < size:
            copied += os.copy_file_range(self.stable, self.seen, size - copied, copied, copied)

    def keep_some(self, offset, data, cut):
        end = min(offset + len(data), os.fstat(self.stable).st_size)
        at = offset
        while at < end:
            following = min(at - at % SECTOR + SECTOR, end)
            if cut.keeps():
                os.pwrite(self.stable, data[at - offset:following - offset], at)
            at = following


class Directory:
    """Names of files and directories."""

    def __init__(self, mode):
        self.mode = stat.S_IFDIR | stat.S_IMODE(mode)
        self.names = {}
        self.stable = {}
        self.changes = []  # since it was synced: each a list of names and what they then name, or None

    def size(self):
        return 0

    def change(self, *assignments):
        self.apply(self.names, assignments)
        self.changes.append(assignments)

    @staticmethod
    def apply(names, assignments):
        for name, what in assignments:
            if what is None:
                names.pop(name, None)
            else:
                names[name] = what

    def sync(self):
        self.stable = dict(self.names)
        self.changes.clear()

    def lose_power(self, cut):
        for assignments in self.changes[:cut.keeps_first(len(self.changes))]:
            self.apply(self.stable, assignments)
        self.changes.clear()
        self.names = dict(self.stable)
        for below in self.names.values():
            below.lose_power(cut)
