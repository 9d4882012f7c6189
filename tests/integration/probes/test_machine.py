"""Processors, interrupts, exits, and every way to end."""

import machine


class Hello(machine.ProbeTest):
    def test_prints_its_line(self):
        outcome = self.boot_well("hello")
        self.assertEqual(outcome.output, "sheaf-probe hello\n")
        self.assertEqual(outcome.report["how"], "powered_off")

    def test_starts_with_little_and_much_memory(self):
        for memory in ("8M", "512M", "4G"):
            with self.subTest(memory=memory):
                outcome = self.boot_well("hello", memory=memory)
                self.assertEqual(outcome.output, "sheaf-probe hello\n")

    def test_ten_in_a_row(self):
        for number in range(10):
            with self.subTest(number=number):
                self.boot_well("hello")


class Smp(machine.ProbeTest):
    def test_all_processors_count(self):
        for cpus in (1, 2, 4):
            with self.subTest(cpus=cpus):
                outcome = self.boot_well("smp", f"cpus={cpus} count=200000", cpus=cpus)
                self.assertIn(f"smp ok cpus={cpus} madt={cpus}", outcome.lines, outcome)


class Interrupts(machine.ProbeTest):
    def test_msix(self):
        disk = self.make_disk(1)
        outcome = self.boot_well("irq", "count=500", disks=[f"path={disk},format=raw"])
        self.assertIn("irq ok", outcome.lines, outcome)


class Exits(machine.ProbeTest):
    def test_every_exit_returns(self):
        disk = self.make_disk(1)
        outcome = self.boot_well("exits", "count=2000", disks=[f"path={disk},format=raw"])
        names = [line.split()[1] for line in outcome.lines if line.startswith("metric ")]
        self.assertEqual(names, ["port_write", "mmio_read", "mmio_write", "doorbell"], outcome)


class Ending(machine.ProbeTest):
    def expect(self, words, code, how, extra=()):
        outcome = self.boot("ending", words, extra=extra)
        self.assertEqual(outcome.code, code, outcome)
        self.assertIn("ending begins", outcome.lines, outcome)
        self.assertEqual(outcome.report["how"], how, outcome)

    def test_power_off(self):
        self.expect("end=poweroff", 0, "powered_off")

    def test_reset_that_exits(self):
        self.expect("end=reset", 0, "reset", ["--on-reboot", "exit"])

    def test_panic(self):
        self.expect("end=panic", 1, "panicked")

    def test_the_report_of_a_crash_holds_the_end_of_the_console(self):
        outcome = self.boot("ending", "end=panic lines=5000")
        console = outcome.report["console"]
        self.assertEqual(len(console), 64 * 1024)
        self.assertTrue(outcome.output.endswith(console), console[-200:])
        self.assertIn("line 4999 of many", console)
        quiet = self.boot("ending", "end=poweroff lines=5000")
        self.assertEqual(len(quiet.report["console"].splitlines()), 20)

    def test_triple_fault(self):
        self.expect("end=crash", 1, "triple_faulted")

    def test_reset_that_restarts(self):
        with machine.Machine(self, "ending", "end=reset", extra=["--grace", "0"]) as guest:
            for _ in range(3):
                self.assertEqual(guest.read_line(), "ending begins")
            guest.terminate()
            # Forced off, unless the guest's own reset came first: then it has ended, as it was asked to.
            outcome = guest.finish()
            self.assertIn((outcome.code, outcome.report["how"]), [(2, "forced_off"), (0, "reset")])

    def test_sigterm_forces_a_guest_that_does_not_listen(self):
        with machine.Machine(self, "ending", "end=hang", extra=["--grace", "1"]) as guest:
            self.assertEqual(guest.read_line(), "ending begins")
            guest.terminate()
            outcome = guest.finish()
        self.assertEqual(outcome.code, 2, outcome)
        self.assertEqual(outcome.report["how"], "forced_off", outcome)

    def test_a_killed_keeper_takes_its_guest_along(self):
        with machine.Machine(self, "ending", "end=hang") as guest:
            self.assertEqual(guest.read_line(), "ending begins")
            guest.process.kill()
            self.assertEqual(guest.finish().code, -9)
