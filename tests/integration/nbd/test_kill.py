"""A serving process is killed again and again under load: what it had promised is there afterwards."""

import pathlib
import random
import subprocess
import sys
import threading
import time

import served
from served import libnbd, tool

BLOCK, SECTOR, MIB = 4096, 512, 1 << 20
WORKERS, REGION = 4, 8 * MIB
READER = pathlib.Path(__file__).resolve().parents[2] / "support/volume_reader.py"


def content(seed, length):
    """What a block holds that was written with this seed; 0 is never written, or zeroed."""
    return seed.to_bytes(8, "little") * (length // 8)


class Journal:
    """What one worker was promised for each block of its region. Beside it what was asked for, not answered."""

    def __init__(self, number):
        self.base = number * REGION
        self.promised = dict.fromkeys(range(REGION // BLOCK), 0)
        self.asked = {}
        self.requests = 0

    def work(self, nbd, uri, seed):
        """Changes the region until the server is gone."""
        dice = random.Random(seed)
        handle = nbd.NBD()
        try:
            handle.connect_uri(uri)
            while True:
                self.one_request(nbd, handle, dice)
        except nbd.Error:
            pass

    def one_request(self, nbd, handle, dice):
        kind = dice.random()
        if kind < 0.1:
            handle.flush()
            self.flushed()
            return
        count = dice.choice((1, 1, 1, 2, 5, 16, 40))
        first = dice.randrange(len(self.promised) - count)
        value = 0 if kind < 0.2 else dice.getrandbits(63) | 1
        self.asked = dict.fromkeys(range(first, first + count), value)
        offset = self.base + first * BLOCK
        flags = nbd.CMD_FLAG_FUA if kind > 0.9 else 0
        if value == 0:
            handle.zero(count * BLOCK, offset, flags)
        else:
            handle.pwrite(content(value, count * BLOCK), offset, flags)
        self.answered(flags == nbd.CMD_FLAG_FUA)
        self.asked = {}
        self.requests += 1

    def flushed(self):
        """What was answered was promised already."""

    def answered(self, durable):
        del durable
        self.promised.update(self.asked)

    def allowed(self, block):
        """The contents that a sector of the block may have."""
        return {self.promised[block], self.asked.get(block, self.promised[block])}

    def verify(self, test, handle):
        """Each sector has a content that the promises allow. Where they allow two, one is written anew, so that the
        next round begins with what is known."""
        found = b"".join(handle.pread(MIB, self.base + at) for at in range(0, REGION, MIB))
        for block, promised in self.promised.items():
            allowed = [content(seed, SECTOR) for seed in self.allowed(block)]
            for at in range(block * BLOCK, (block + 1) * BLOCK, SECTOR):
                if found[at:at + SECTOR] not in allowed:
                    test.fail(f"block {block} of the region at {self.base}, sector at {at}: "
                              f"{found[at:at + 16].hex()} is none of {[one[:16].hex() for one in allowed]}")
            if len(allowed) > 1:
                handle.pwrite(content(promised, BLOCK), self.base + block * BLOCK)
        self.asked = {}


class Kill:
    """The test; what is served is the other base's."""

    def one_round(self, nbd, journals, number):
        with self.serve("disk") as server:
            check = nbd.NBD()
            check.connect_uri(server.uri())
            for journal in journals:
                journal.verify(self, check)
            check.shutdown()
            threads = [threading.Thread(target=journal.work, args=(nbd, server.uri(), f"{number} {journal.base}"))
                       for journal in journals]
            for thread in threads:
                thread.start()
            # How long is part of what is tried.
            time.sleep(random.Random(number).uniform(0.02, 0.3))
            server.kill()
            for thread in threads:
                thread.join(served.TIMEOUT_SECONDS)

    def test_no_promise_is_broken(self):
        nbd = libnbd(self)
        self.make_disk("disk", WORKERS * REGION)
        journals = [Journal(number) for number in range(WORKERS)]
        for number in range(served.ROUNDS):
            self.one_round(nbd, journals, number)
        with self.serve("disk") as server:
            check = nbd.NBD()
            check.connect_uri(server.uri())
            for journal in journals:
                journal.verify(self, check)
            check.shutdown()
            server.stop(self)
        requests = sum(journal.requests for journal in journals)
        print(f"{served.ROUNDS} kills, {requests} changes answered", file=sys.stderr)
        self.assertGreater(requests, served.ROUNDS * 10)
        self.examine("disk")


class RawKill(Kill, served.RawCase):
    """The server alone."""

    def examine(self, name):
        pass


class VolumeKill(Kill, served.VolumeCase):
    """A volume, which a reader then reads that has no line of Sheaf, and finds whole."""

    def examine(self, name):
        ended = subprocess.run([sys.executable, READER, self.path("pool"), name], text=True, check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(ended.returncode, 0, ended.stdout)
