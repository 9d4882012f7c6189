"""virtio-blk: data comes back, the rest of the disk is left alone, limits hold."""

import hashlib
import os
import pathlib
import signal

import machine


def digest(path, begin=0):
    with open(path, "rb") as file:
        file.seek(begin)
        return hashlib.sha256(file.read()).hexdigest()


class Block(machine.ProbeTest):
    def verify(self, words, mebibytes=16):
        disk = self.make_disk(mebibytes)
        rest = digest(disk, 4 << 20)
        outcome = self.boot_well(
            "blk", f"test=verify verify_mib=4 {words}", disks=[f"path={disk},format=raw"]
        )
        self.assertIn("blk done", outcome.lines, outcome)
        self.assertTrue(any(line.startswith("verify ok") for line in outcome.lines), outcome)
        self.assertEqual(digest(disk, 4 << 20), rest, "the disk changed behind the tested part")
        return outcome

    def test_verify(self):
        self.verify("seed=1")

    def test_verify_without_indirect(self):
        self.verify("seed=2 indirect=0")

    def test_verify_without_event_index(self):
        self.verify("seed=3 event_index=0")

    def test_verify_without_both_on_a_short_queue(self):
        self.verify("seed=4 indirect=0 event_index=0 queue_size=128")

    def test_loads_complete(self):
        disk = self.make_disk(64)
        outcome = self.boot_well(
            "blk",
            "test=randread_qd1,randread_qd32,randwrite_qd1,randwrite_qd32,read_128k,write_128k "
            "ops=2000 region_mib=64",
            disks=[f"path={disk},format=raw"],
        )
        metrics = [line for line in outcome.lines if line.startswith("metric ")]
        self.assertEqual(len(metrics), 6, outcome)
        for line in metrics:
            self.assertIn(" ops=2000 ", line)

    def test_what_the_guest_writes_is_in_the_file(self):
        disk = self.make_disk(1, b"\xee")
        self.boot_well("hostile", "case=none", disks=[f"path={disk},format=raw"])
        data = pathlib.Path(disk).read_bytes()
        expected = bytes((i * 7 + i // 256 + 1) & 255 for i in range(4096))
        self.assertEqual(data[:4096], expected)
        self.assertEqual(data[4096:], b"\xee" * (len(data) - 4096))

    def test_read_only_disk_stays_as_it_is(self):
        disk = self.make_disk(4)
        before = digest(disk)
        drive = f"path={disk},format=raw,readonly"
        outcome = self.boot_well("blk", "test=randread_qd32 ops=500 region_mib=4", disks=[drive])
        self.assertIn("blk done", outcome.lines, outcome)
        outcome = self.boot("blk", "test=randwrite_qd1 ops=10 region_mib=4", disks=[drive])
        self.assertIn("FAIL randwrite_qd1: request failed (1)", outcome.lines, outcome)
        self.assertEqual(digest(disk), before)

    def test_the_guest_sees_a_new_size(self):
        disk = self.make_disk(4)
        with machine.Machine(self, "blk", "test=resize", disks=[f"path={disk}"]) as guest:
            for sectors in iter(guest.read_line, ""):
                if sectors.startswith("resize"):
                    break
            self.assertEqual(sectors, "resize from 8192")
            os.truncate(disk, 16 << 20)
            guest.process.send_signal(signal.SIGUSR1)
            outcome = guest.finish()
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("resize to 32768", outcome.lines, outcome)
