#!/usr/bin/python3 -B
"""A host whose power can be cut: power_host.py MOUNTPOINT BOOT_ID_FILE.

In a mount namespace of its own, which others enter with nsenter, MOUNTPOINT is an empty tree of unstable_files, and
/proc/sys/kernel/random/boot_id is BOOT_ID_FILE. "ready" is printed once that is so; where this machine does not let it be, the
reason is, and the exit code is 77.

A line `cut SEED SURVIVAL` on the standard input cuts the power: the tree is mounted again with what is left, where a change that
was not stable is kept with the probability SURVIVAL, the host has another boot id, and a line is printed with how many such
changes there were and how many of them are kept. The end of the input is the end of the host."""

import os
import random
import select
import sys
import uuid

from fuse_server import CLONE_NEWNS, LIBC, MS_BIND, MS_PRIVATE, MS_REC, FuseServer, checked, mount
from unstable_files import Cut, Directory

BOOT_ID = "/proc/sys/kernel/random/boot_id"
SKIPPED = 77


class PowerHost:
    def __init__(self, mountpoint, boot_file):
        self.mountpoint = mountpoint
        self.boot_file = boot_file
        self.root = Directory(0o700)
        checked(LIBC.unshare(CLONE_NEWNS), "making a mount namespace")
        mount("none", "/", "none", MS_REC | MS_PRIVATE)
        self.boot()
        mount(boot_file, BOOT_ID, "none", MS_BIND)

    def boot(self):
        with open(self.boot_file, "w", encoding="ascii") as file:
            file.write(f"{uuid.uuid4()}\n")
        self.server = FuseServer(self.root, self.mountpoint)

    def cut(self, seed, survival):
        self.server.close()
        cut = Cut(random.Random(seed), float(survival))
        self.root.lose_power(cut)
        self.boot()
        print(cut.found, cut.kept, flush=True)

    def run(self):
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([self.server.device, sys.stdin.fileno()], [], [])
            if self.server.device in readable:
                self.server.serve_one()
                continue
            words = sys.stdin.buffer.raw.readline().decode().split()
            if not words:
                return
            self.cut(*words[1:])


def main():
    os.umask(0o077)
    try:
        host = PowerHost(*sys.argv[1:])
    except PermissionError as reason:
        print(reason)
        return SKIPPED
    host.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
