"""One `sheaf run` of a probe guest, and the proof that it leaves nothing behind."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

SHEAF = None  # set by the runner: the binary and the folder of the probes
GUESTS = None
TIMEOUT_SECONDS = 120
MARK = "SHEAF_TEST_MARK"

# Where a program may leave files besides its working directory.
SHARED_FOLDERS = ("/tmp", "/dev/shm", "/run", "/var/tmp")


def marked_processes(mark):
    """Processes whose environment holds the mark, zombies aside."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(f"{folder.name} {(folder / 'comm').read_text().strip()}")
        except OSError:
            continue
    return found


def sheaf_files():
    return {
        str(path)
        for folder in SHARED_FOLDERS
        if os.path.isdir(folder)
        for path in pathlib.Path(folder).glob("*sheaf*")
    }


class Outcome:
    """How one run ended."""

    def __init__(self, code, output, errors, report):
        self.code = code
        self.output = output
        self.errors = errors
        self.report = report
        self.lines = output.splitlines()

    def __str__(self):
        return f"exit code {self.code}\noutput:\n{self.output[-3000:]}\nerrors:\n{self.errors[-3000:]}"


class Machine:
    """A running guest. `finish` waits for its end; leaving the context ends it in any case."""

    def __init__(self, test, probe, words="", cpus=1, memory="64M", disks=(), taps=(), extra=(), start="kernel"):
        self.test = test
        self.mark = f"{MARK}={uuid.uuid4()}"
        self.folder = tempfile.TemporaryDirectory(prefix="probe-")
        self.report_path = pathlib.Path(self.folder.name) / "report.json"
        self.work = pathlib.Path(self.folder.name) / "work"
        self.work.mkdir()
        self.before = sheaf_files()
        image = str(GUESTS / f"{probe}.elf")
        starts = {
            "kernel": ["--kernel", image, "--cmdline", words],
            "firmware": ["--firmware", image],
            "default": [],  # what is named "uefi"
        }
        command = [
            str(SHEAF), "run", *starts[start], "--cpus", str(cpus), "--memory", memory,
            "--console", "stdio", "--report", str(self.report_path), *extra,
        ]  # fmt: skip
        for disk in disks:
            command += ["--disk", disk]
        for tap in taps:
            command += ["--net", tap]
        key, value = self.mark.split("=")
        self.process = subprocess.Popen(
            command,
            cwd=self.work,
            env={**os.environ, key: value, "TMPDIR": str(self.work), "SHEAF_UEFI": image},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # Whoever waits for a line gets the end of the output instead of waiting for ever.
        self.watchdog = threading.Timer(TIMEOUT_SECONDS + 10, self.kill_everything)
        self.watchdog.daemon = True
        self.watchdog.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
        self.kill_everything()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        self.folder.cleanup()

    def kill_everything(self):
        """The keeper, and whatever of this run is alive without it and may hold its pipes."""
        if self.process.poll() is None:
            self.process.kill()
        for process in marked_processes(self.mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.split()[0]), signal.SIGKILL)

    def read_line(self):
        """The next whole line of the console."""
        return self.process.stdout.readline().decode(errors="replace").strip()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def finish(self, seconds=TIMEOUT_SECONDS):
        """Waits for the end, checks that nothing is left behind, and tells how it went."""
        try:
            output, errors = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill_everything()
            output, errors = self.process.communicate()
            text = output.decode(errors="replace")[-3000:]
            self.test.fail(f"no end within {seconds} s; the console said:\n{text}")
        report = None
        if self.report_path.exists():
            report = json.loads(self.report_path.read_text())
        outcome = Outcome(
            self.process.returncode,
            output.decode(errors="replace").replace("\r", ""),
            errors.decode(errors="replace"),
            report,
        )
        self.check_nothing_left(outcome)
        return outcome

    def check_nothing_left(self, outcome):
        # A process that was told to end may still be on its way out of the kernel.
        deadline = time.monotonic() + 2
        while (left := marked_processes(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.test.assertEqual(left, [], f"processes left behind; {outcome}")
        files = [str(path) for path in self.work.rglob("*")]
        self.test.assertEqual(files, [], f"files left in the working directory; {outcome}")
        self.test.assertEqual(sheaf_files() - self.before, set(), f"files left behind; {outcome}")


class ProbeTest(unittest.TestCase):
    """A test that boots probes."""

    def boot(self, probe, words="", **options):
        with Machine(self, probe, words, **options) as machine:
            return machine.finish()

    def boot_well(self, probe, words="", **options):
        """Boots a probe that must end with a power-off, and gives its outcome."""
        outcome = self.boot(probe, words, **options)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertNotIn("FAIL", outcome.output, outcome)
        return outcome

    def make_disk(self, mebibytes, pattern=b""):
        """A raw disk of random or repeated bytes that goes away with the test."""
        handle, path = tempfile.mkstemp(suffix=".raw", prefix="probe-disk-")
        self.addCleanup(os.unlink, path)
        with os.fdopen(handle, "wb") as file:
            unit = pattern * ((1 << 20) // len(pattern)) if pattern else os.urandom(1 << 20)
            for _ in range(mebibytes):
                file.write(unit)
        return path
