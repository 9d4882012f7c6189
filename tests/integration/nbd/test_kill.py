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
    """What one worker was promised for each block of its region: the content that was answered last, and, where the
    promise is about flushes alone, every content since the last flush. Beside it what was asked for, not answered."""

    def __init__(self, number, keeps_answered):
        self.base = number * REGION
        self.keeps_answered = keeps_answered
        self.promised = [[0] for _ in range(REGION // BLOCK)]
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
            self.promised = [[contents[-1]] for contents in self.promised]
            return
        count = dice.choice((1, 1, 1, 2, 5, 16, 40))
        first = dice.randrange(len(self.promised) - count)
        value = 0 if kind < 0.2 else dice.getrandbits(63) | 1
        self.asked = dict.fromkeys(range(first, first + count), value)
        offset = self.base + first * BLOCK
        forced = kind > 0.9
        flags = nbd.CMD_FLAG_FUA if forced else 0
        if value == 0:
            handle.zero(count * BLOCK, offset, flags)
        else:
            handle.pwrite(content(value, count * BLOCK), offset, flags)
        for block in self.asked:
            if self.keeps_answered or forced:
                self.promised[block].clear()
            self.promised[block].append(value)
        self.asked = {}
        self.requests += 1

    def verify(self, test, handle):
        """Each sector has a content that the promises allow. Where they allow several, what is there is written anew
        and flushed, so that the next round begins with what is known."""
        found = b"".join(handle.pread(MIB, self.base + at) for at in range(0, REGION, MIB))
        for block, contents in enumerate(self.promised):
            allowed = [content(seed, SECTOR) for seed in {*contents, self.asked.get(block, contents[-1])}]
            for at in range(block * BLOCK, (block + 1) * BLOCK, SECTOR):
                if found[at:at + SECTOR] not in allowed:
                    test.fail(f"block {block} of the region at {self.base}, sector at {at}: "
                              f"{found[at:at + 16].hex()} is none of {[one[:16].hex() for one in allowed]}")
            if len(allowed) > 1:
                handle.pwrite(content(contents[-1], BLOCK), self.base + block * BLOCK)
        handle.flush()
        self.promised = [[contents[-1]] for contents in self.promised]
        self.asked = {}


class Kill:
    """The test; what is served is the other base's."""

    KEEPS_ANSWERED = True

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
        journals = [Journal(number, self.KEEPS_ANSWERED) for number in range(WORKERS)]
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
    """A volume, which a reader then reads that has no line of Sheaf, and finds whole. What was answered and not flushed
    may be lost with the process, for the volume's map is in its memory until a flush."""

    KEEPS_ANSWERED = False

    def examine(self, name):
        ended = subprocess.run([sys.executable, READER, self.path("pool"), name], text=True, check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(ended.returncode, 0, ended.stdout)
