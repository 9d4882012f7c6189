"""The power is cut again and again under load: what had been flushed is there afterwards."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import served
from served import libnbd, tool
from test_kill import MIB, READER, REGION, WORKERS, Journal

SKIPPED = 77
SUPPORT = pathlib.Path(__file__).resolve().parents[2] / "support"


class Host:
    """A host whose power can be cut (tests/support/power_host.py); it ends with the context."""

    def __init__(self, test, folder):
        if os.geteuid() != 0 or not os.path.exists("/dev/fuse") or shutil.which("nsenter") is None:
            test.skipTest("cutting the power needs root, /dev/fuse and nsenter")
        self.files = folder / "files"
        self.files.mkdir()
        self.process = subprocess.Popen([SUPPORT / "power_host.py", self.files, folder / "boot_id"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.found = self.kept = 0
        said = self.process.stdout.readline()
        if said != "ready\n":
            self.__exit__()
            test.assertEqual(self.process.returncode, SKIPPED, said)
            test.skipTest(said.strip())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(served.TIMEOUT_SECONDS)
        self.process.stdout.close()

    def command(self, *words):
        return ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", *map(str, words)]

    def cut(self, seed, survival):
        """Nobody may use its files."""
        self.process.stdin.write(f"cut {seed} {survival}\n")
        self.process.stdin.flush()
        found, kept = self.process.stdout.readline().split()
        self.found += int(found)
        self.kept += int(kept)


class PowerHosts(served.DiskCase):
    """The host itself: what it keeps, and what it forgets."""

    def setUp(self):
        super().setUp()
        self.host = self.enterContext(Host(self, self.folder))

    def run_there(self, script):
        return tool(self, *self.host.command("sh", "-c", f"cd {self.host.files} && {script}"))

    def test_what_was_not_synced_is_gone(self):
        self.run_there("mkdir a && echo kept > a/kept && echo kept > a/old && sync a/kept a/old a .")
        self.run_there("echo lost >> a/kept && echo lost > a/lost && mv a/old a/new && sync a/lost && mkdir b")
        boot = self.run_there("cat /proc/sys/kernel/random/boot_id")
        self.host.cut(0, 0)
        self.assertEqual(self.run_there("find . -type f | sort && cat a/*"), "./a/kept\n./a/old\nkept\nkept\n")
        self.assertNotEqual(boot, self.run_there("cat /proc/sys/kernel/random/boot_id"))

    def test_what_was_synced_stays_and_other_sectors_are_torn(self):
        self.run_there("truncate --size 1M torn whole && sync torn whole .")
        for name, options in (("torn", "oflag=direct"), ("whole", "oflag=direct,dsync")):
            self.run_there(f"tr '\\0' x < /dev/zero | dd of={name} bs=64k count=16 iflag=fullblock conv=notrunc {options}")
        self.host.cut(0, 0.5)
        found = self.run_there("cat torn")
        sectors = {found[at:at + 512] for at in range(0, len(found), 512)}
        self.assertEqual(sectors, {512 * "x", 512 * "\0"})
        self.assertEqual(self.run_there("cat whole"), (1 << 20) * "x")


class StableJournal(Journal):
    """What survives a power cut: the content that was flushed last, or one that was answered since."""

    def __init__(self, number):
        super().__init__(number)
        self.since = {}
        self.flushes = 0

    def flushed(self):
        self.promised.update((block, contents[-1]) for block, contents in self.since.items())
        self.since = {}
        self.flushes += 1

    def answered(self, durable):
        for block, value in self.asked.items():
            if durable:
                self.promised[block] = value
                self.since.pop(block, None)
            else:
                self.since.setdefault(block, []).append(value)

    def allowed(self, block):
        return super().allowed(block).union(self.since.get(block, ()))

    def verify(self, test, handle):
        super().verify(test, handle)
        self.since = {}
        handle.flush()


class VolumePowerCut(served.VolumeCase):
    """A volume on a host that forgets what was not flushed; a reader that has no line of Sheaf finds it whole."""

    def setUp(self):
        super().setUp()
        self.nbd = libnbd(self)
        self.host = self.enterContext(Host(self, self.folder))

    def pool(self):
        return self.host.files / "pool"

    def sheaf(self, *words):
        return self.host.command(served.SHEAF, *words)

    def verify(self, server, journals):
        handle = self.nbd.NBD()
        handle.connect_uri(server.uri())
        for journal in journals:
            journal.verify(self, handle)
        handle.shutdown()

    def load(self, server, journals, seconds, seed):
        threads = [threading.Thread(target=journal.work, args=(self.nbd, server.uri(), f"{seed} {journal.base}"))
                   for journal in journals]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        server.kill()
        for thread in threads:
            thread.join(served.TIMEOUT_SECONDS)

    def cut(self, dice):
        """Now and then nothing is left that was not flushed."""
        self.host.cut(dice.getrandbits(32), dice.choice((0, 0.1, 0.5, 0.9)))

    def one_round(self, journals, number):
        dice = random.Random(number)
        if dice.random() < 0.25:
            self.run_sheaf("volume", "check", "disk")
        if dice.random() < 0.25:
            # While what the last cut left is put in order.
            with self.serve("disk") as server:
                time.sleep(dice.uniform(0, 0.1))
                server.kill()
            self.cut(dice)
        with self.serve("disk") as server:
            self.verify(server, journals)
            # How long is part of what is tried.
            self.load(server, journals, dice.choice((0.05, 0.2, 0.4, 1)), number)
        self.cut(dice)

    def test_what_was_flushed_stays(self):
        self.make_disk("disk", WORKERS * REGION)
        journals = [StableJournal(number) for number in range(WORKERS)]
        for number in range(served.ROUNDS):
            self.one_round(journals, number)
        with self.serve("disk") as server:
            self.verify(server, journals)
            server.stop(self)
        self.run_sheaf("volume", "check", "disk")
        tool(self, *self.host.command(sys.executable, READER, self.pool(), "disk"))
        requests, flushes = sum(one.requests for one in journals), sum(one.flushes for one in journals)
        print(f"{served.ROUNDS} power cuts, {requests} changes and {flushes} flushes answered; of {self.host.found} "
              f"changes that were not stable {self.host.kept} were kept", file=sys.stderr)
        self.assertGreater(requests, served.ROUNDS * 5)
        self.assertGreater(self.host.found, self.host.kept)

    def run_sheaf(self, *words):
        return tool(self, *self.sheaf(*words, "--pool", self.pool()))

    def volumes(self):
        return {volume["name"]: volume for volume in json.loads(self.run_sheaf("volume", "list", "-o", "json"))["volumes"]}

    def test_what_a_verb_has_done_stays(self):
        for words in (("volume", "create", "disk", "--size", MIB), ("snapshot", "create", "disk", "one"),
                      ("volume", "create", "copy", "--from", "disk@one"), ("volume", "resize", "copy", 2 * MIB),
                      ("snapshot", "delete", "disk", "one"), ("volume", "delete", "disk")):
            self.run_sheaf(*words)
            self.host.cut(0, 0)
        volumes = self.volumes()
        self.assertEqual(list(volumes), ["copy"])
        self.assertEqual((volumes["copy"]["size"], volumes["copy"]["state"]), (2 * MIB, "clean"))
        self.run_sheaf("volume", "check", "copy")

    def test_a_verb_cut_short_leaves_the_pool_whole(self):
        self.make_disk("disk", MIB)
        verbs = (("volume", "create", "copy", "--from", "disk@one"), ("volume", "create", "more", "--size", MIB),
                 ("volume", "delete", "copy"), ("volume", "delete", "more"), ("volume", "resize", "disk", 2 * MIB),
                 ("snapshot", "create", "disk", "one"), ("snapshot", "delete", "disk", "one"))
        short = 0
        for number in range(5 * served.ROUNDS):
            dice = random.Random(number)
            command = self.sheaf(*dice.choice(verbs), "--pool", self.pool())
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as verb:
                time.sleep(dice.uniform(0, 0.025))
                verb.kill()
            short += verb.returncode == -signal.SIGKILL
            self.cut(dice)
            for volume in self.volumes():
                self.run_sheaf("volume", "check", volume)
            self.assertIn("disk", self.volumes())
        print(f"{short} of {5 * served.ROUNDS} verbs cut short", file=sys.stderr)
