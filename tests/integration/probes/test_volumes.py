"""A disk that is a volume: data comes back, ends are clean, and kills lose nothing that a reader would miss."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import machine

READER = pathlib.Path(__file__).resolve().parents[2] / "support/volume_reader.py"


class Volumes(machine.ProbeTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="probe-pool-")
        self.addCleanup(folder.cleanup)
        self.pool = pathlib.Path(folder.name) / "pool"
        self.sheaf("volume", "create", "v", "--size", "64M")
        self.disk = f"volume=v,pool={self.pool}"

    def sheaf(self, *words, code=0):
        done = subprocess.run(
            [str(machine.SHEAF), *words, "--pool", str(self.pool)], capture_output=True, text=True, timeout=120
        )
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def state(self):
        return json.loads(self.sheaf("volume", "show", "v", "-o", "json"))

    def read_independently(self):
        done = subprocess.run(
            ["python3", str(READER), str(self.pool), "v"], capture_output=True, text=True, timeout=300
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_verify(self):
        outcome = self.boot_well("blk", "test=verify verify_mib=16 seed=1", disks=[self.disk])
        self.assertTrue(any(line.startswith("verify ok") for line in outcome.lines), outcome)
        found = self.state()
        self.assertEqual((found["state"], found["holder"]), ("clean", ""))
        self.assertGreater(found["used"], 1 << 20)
        self.read_independently()
        self.assertFalse((self.pool / "volumes/v/control").exists())

    def test_several_lives(self):
        for seed in range(3):
            self.boot_well("blk", f"test=verify verify_mib=4 seed={seed}", cpus=2, disks=[self.disk])
        self.assertEqual(self.state()["state"], "clean")

    def test_a_reboot_opens_it_again(self):
        with machine.Machine(self, "ending", "end=reset", disks=[self.disk], extra=["--grace", "0"]) as guest:
            begun = 0
            while begun < 3:
                begun += guest.read_line() == "ending begins"
            self.assertEqual(self.state()["state"] in ("in_use", "clean"), True)
            self.assertIn("in use by process", self.sheaf("volume", "delete", "v", code=65))
            guest.terminate()
            outcome = guest.finish()
        self.assertGreaterEqual(outcome.report["reboots"], 2, outcome)
        self.assertEqual((self.state()["state"], self.state()["holder"]), ("clean", ""))

    def test_what_is_in_use_stays_in_use(self):
        words = "test=randwrite_qd32 ms=60000 region_mib=32"
        with machine.Machine(self, "blk", words, disks=[self.disk], extra=["--grace", "0"]) as guest:
            guest.read_line()
            self.assertEqual(self.state()["state"], "in_use")
            text = self.sheaf("volume", "delete", "v", code=65)
            self.assertIn(f"in use by process {guest.process.pid} (sheaf run)", text)
            second = self.boot("blk", "", disks=[self.disk])
            self.assertEqual(second.code, 65, second)
            self.assertIn("in use by process", second.errors)
            guest.terminate()
            guest.finish()
        self.assertEqual(self.state()["state"], "clean")

    def test_the_guest_sees_a_larger_volume(self):
        with machine.Machine(self, "blk", "test=resize", disks=[self.disk]) as guest:
            while not (sectors := guest.read_line()).startswith("resize"):
                pass
            self.assertEqual(sectors, f"resize from {(64 << 20) // 512}")
            self.sheaf("volume", "resize", "v", "80M")
            outcome = guest.finish()
        self.assertIn(f"resize to {(80 << 20) // 512}", outcome.lines, outcome)
        self.assertEqual((self.state()["size"], self.state()["state"]), (80 << 20, "clean"))

    def test_verbs_while_a_guest_writes(self):
        words = "test=randwrite_qd32 ms=60000 region_mib=32"
        with machine.Machine(self, "blk", words, disks=[self.disk], extra=["--grace", "0"]) as guest:
            guest.read_line()
            for name in ("a", "b", "c"):
                self.sheaf("snapshot", "create", "v", name)
            self.sheaf("snapshot", "delete", "v", "b")
            self.sheaf("volume", "create", "clone", "--from", "v@c")
            names = [one["name"] for one in json.loads(self.sheaf("snapshot", "list", "v", "-o", "json"))["snapshots"]]
            self.assertEqual(names, ["a", "c"])
            self.assertIn("a machine uses it", self.sheaf("snapshot", "revert", "v", "a", code=65))
            self.assertIn("sound", self.sheaf("volume", "check", "v"))
            guest.terminate()
            guest.finish()
        self.assertEqual(self.state()["state"], "clean")
        self.read_independently()
        self.sheaf("snapshot", "revert", "v", "a")
        for name in ("v", "clone"):
            self.assertIn("sound", self.sheaf("volume", "check", name))
        outcome = self.boot_well("blk", "test=verify verify_mib=4 seed=2", disks=[f"volume=clone,pool={self.pool}"])
        self.assertTrue(any(line.startswith("verify ok") for line in outcome.lines), outcome)

    def kill_under_load(self, victim, after):
        words = "test=randwrite_qd32 ms=60000 region_mib=32"
        with machine.Machine(self, "blk", words, disks=[self.disk]) as guest:
            guest.read_line()
            time.sleep(after)  # of the load; any instant will do
            os.kill(victim(guest), signal.SIGKILL)
            guest.process.wait(timeout=60)
            deadline = time.monotonic() + 10
            # The kernel lets go of what a killed process had in io_uring a little after its end.
            while machine.marked_processes(guest.mark) or self.state()["state"] == "in_use":
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
        self.assertEqual(self.state()["state"], "not_closed")
        self.read_independently()
        outcome = self.boot_well("blk", "test=verify verify_mib=4 seed=9", disks=[self.disk])
        self.assertTrue(any(line.startswith("verify ok") for line in outcome.lines), outcome)
        # A short life may leave checksums of the crash open; then it is not called clean yet.
        self.assertIn("sound", self.sheaf("volume", "check", "v", "--repair"))
        self.assertEqual(self.state()["state"], "clean")
        self.read_independently()

    def test_a_killed_vmm(self):
        def vmm_of(guest):
            children = pathlib.Path(f"/proc/{guest.process.pid}/task/{guest.process.pid}/children").read_text()
            return int(children.split()[0])

        for step in range(3):
            self.kill_under_load(vmm_of, 0.1 + step * 0.3)

    def test_a_killed_keeper(self):
        for step in range(3):
            self.kill_under_load(lambda guest: guest.process.pid, 0.1 + step * 0.3)

    def test_mistakes(self):
        for value, named in [
            (f"volume=none,pool={self.pool}", "does not exist"), ("volume=v,pool=/nonexistent", "/nonexistent"),
            (f"volume=a/b,pool={self.pool}", "a/b"), (f"volume=v,path=x,pool={self.pool}", "path"),
            (f"pool={self.pool}", "pool goes with volume"), (f"volume=v,pool={self.pool},readonly", "readonly"),
        ]:  # fmt: skip
            with self.subTest(value=value):
                outcome = self.boot("hello", "", disks=[value])
                self.assertEqual(outcome.code, 65, outcome)
                self.assertIn(named, outcome.errors)
                self.assertEqual(len(outcome.errors.splitlines()), 1, outcome)
        self.assertEqual(self.state()["state"], "clean")

    def test_one_volume_twice(self):
        outcome = self.boot("hello", "", disks=[self.disk, self.disk])
        self.assertEqual(outcome.code, 65, outcome)
        self.assertIn("in use by process", outcome.errors)
        self.assertEqual(self.state()["state"], "clean")
