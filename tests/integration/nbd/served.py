"""A disk that is served by NBD while a test runs, and what the tools of others make of it."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

SHEAF = None  # set by the runner
RAW_SERVER = None
FOLDER = None
ROUNDS = 4
TIMEOUT_SECONDS = 120


def tool(test, *command, code=0):
    """Runs a program to its end; what it printed. A program that is missing skips the test."""
    if shutil.which(command[0]) is None:
        test.skipTest(f"{command[0]} is not installed")
    ended = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECONDS)
    if ended.returncode != code:
        test.fail(f"{' '.join(map(str, command))}\nended with {ended.returncode}:\n{ended.stdout}")
    return ended.stdout


def libnbd(test):
    """The module of libnbd; the test is skipped where there is none."""
    try:
        import nbd
    except ImportError:
        test.skipTest("python3-libnbd is not installed")
    return nbd


class Server:
    """A process that serves until it is ended; leaving the context ends it in any case."""

    def __init__(self, command, socket):
        self.socket = socket
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.greeting = self.process.stdout.readline()
        if not self.greeting:
            self.process.wait(TIMEOUT_SECONDS)
            raise AssertionError(f"{command} did not serve: {self.log()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(TIMEOUT_SECONDS)
        self.process.stdout.close()
        self.errors.close()

    def log(self):
        self.errors.seek(0)
        return self.errors.read()

    def uri(self, export=""):
        return f"nbd+unix:///{export}?socket={self.socket}"

    def stop(self, test):
        """Ends it as a person would, and sees that it ended well."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(TIMEOUT_SECONDS)
        test.assertEqual(code, 0, self.log())
        test.assertFalse(os.path.exists(self.socket), "the socket was left behind")

    def kill(self):
        self.process.kill()
        self.process.wait(TIMEOUT_SECONDS)


class DiskCase(unittest.TestCase):
    """A folder that goes with the test."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="nbd-", dir=FOLDER)
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def path(self, name):
        return self.folder / name


class RawCase(DiskCase):
    """The disk is a raw file."""

    def make_disk(self, name, size):
        with open(self.path(name), "wb") as file:
            file.truncate(size)

    def serve(self, name, *options):
        words = ["readonly"] if "--readonly" in options else []
        socket = self.path(name + ".sock")
        command = [RAW_SERVER, self.path(name), socket, *words]
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            try:
                return Server(command, socket)
            except AssertionError as reason:
                # The kernel lets go of what a killed process had in io_uring a little after its end.
                if "in use by another process" not in str(reason) or time.monotonic() > deadline:
                    raise


class VolumeCase(DiskCase):
    """The disk is a volume."""

    def pool(self):
        return self.path("pool")

    def sheaf(self, *words):
        """The command that runs Sheaf where the pool is."""
        return [SHEAF, *words]

    def make_disk(self, name, size):
        tool(self, *self.sheaf("volume", "create", name, "--size", size, "--pool", self.pool()))

    def serve(self, name, *options):
        socket = self.path(name + ".sock")
        return Server(self.sheaf("volume", "nbd", name, "--pool", self.pool(), "--socket", socket, *options), socket)
