"""A guest that breaks the rules: the VMM survives, the device is working or marked."""

import contextlib
import socket
import tempfile

import machine
import tap


class Hostile(machine.ProbeTest):
    def attack(self, words, taps=(), extra=()):
        disk = self.make_disk(8)
        outcome = self.boot("hostile", words, disks=[f"path={disk},format=raw"], taps=taps, extra=extra)
        failed = [line for line in outcome.lines if line.startswith("case ") and " FAIL " in line]
        self.assertEqual(failed, [], f"{len(failed)} cases failed, exit code {outcome.code}")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertRegex(outcome.lines[-1], r"^hostile done \d+ cases 0 failures$")
        self.outcome = outcome
        return int(outcome.lines[-1].split()[2])

    def test_disk(self):
        self.assertGreaterEqual(self.attack(""), 150)

    def test_disk_and_card(self):
        link = tap.Tap(self)
        self.assertGreaterEqual(self.attack("seed=2", [f"tap={link.name}"]), 175)

    def test_companions(self):
        """Entropy, balloon and sockets; programs of the host listen on some of the ports."""
        with tempfile.TemporaryDirectory(prefix="vsock-") as folder, contextlib.ExitStack() as listeners:
            path = f"{folder}/v"
            for port in (1, 2):
                listener = listeners.enter_context(socket.socket(socket.AF_UNIX))
                listener.bind(f"{path}_{port}")
                listener.listen(200)
            for seed in range(1, 6):
                with self.subTest(seed=seed):
                    words = f"seed={seed} case=rng_garbage,balloon_garbage,vsock_garbage"
                    extra = ["--balloon", "--vsock", f"3,socket={path}"]
                    self.assertEqual(self.attack(words, extra=extra), 3)
                    balloon = self.outcome.report["balloon"]
                    self.assertGreater(balloon["reported_bytes"], 0, balloon)
                    self.assertGreater(balloon["refused"], 0, balloon)
                    self.assertGreater(balloon["guest_updates"], 0, balloon)

    def test_platform(self):
        """Clock, timer, power registers, panic device and generation identifier."""
        words = "case=clock_in_every_width,clock_set_to_times_that_do_not_exist,clock_memory_overwritten,"
        words += "timer_in_every_width,power_registers_in_every_width,panic_device_in_every_width,"
        words += "generation_id_overwritten"
        self.assertEqual(self.attack(words), 7)
        self.assertNotIn("balloon", self.outcome.report)

    def test_seeds(self):
        fuzz = (
            "fuzz_registers,fuzz_registers_before_driver_ok,fuzz_config_space,fuzz_hole,"
            "fuzz_ecam_of_nobody,fuzz_io_apic,fuzz_ports,ring_of_garbage,config_space_of_garbage"
        )
        for seed in range(3, 8):
            with self.subTest(seed=seed):
                self.assertEqual(self.attack(f"seed={seed} fuzz=3000 case={fuzz}"), 9)
