"""One pool in a folder of its own, and the program that works on it."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import unittest

BINARY = None  # set by the runner
USAGE, BAD_INPUT, HOST, INTERNAL = 64, 65, 69, 70
READER = pathlib.Path(__file__).resolve().parents[2] / "support/volume_reader.py"


class PoolTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="volumes-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.pool = self.folder / "pool"

    def call(self, *words, pool=None, prefix=()):
        command = [*prefix, str(BINARY), *words]
        if pool is not False:
            command += ["--pool", str(pool or self.pool)]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def sheaf(self, *words, **options):
        """What the verb printed; it must end well and complain of nothing."""
        done = self.call(*words, **options)
        about = f"sheaf {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        self.assertEqual((done.returncode, done.stderr), (0, ""), about)
        return done.stdout

    def files(self):
        """Every path below the folder with what is in it, locks aside: their text is for people."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            if path.name == "lock" or path.is_dir():
                found[name] = None
            elif path.is_file():
                found[name] = path.read_bytes()
        return found

    def refused(self, code, named, *words, changes=False, **options):
        """One line on standard error that holds every piece of `named`, this exit code, and nothing changed."""
        before = None if changes else self.files()
        done = self.call(*words, **options)
        about = f"sheaf {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        self.assertEqual(done.returncode, code, about)
        self.assertEqual(done.stdout, "", about)
        self.assertEqual(len(done.stderr.splitlines()), 1, about)
        for piece in named:
            self.assertIn(piece, done.stderr, about)
        if not changes:
            self.assertEqual(self.files(), before, about)

    def layers(self):
        return sorted(path.name for path in (self.pool / "layers").iterdir())

    def read_independently(self, name):
        """The content as a reader that is no part of Sheaf finds it."""
        raw = self.folder / "raw"
        done = subprocess.run(
            ["python3", str(READER), str(self.pool), name, "--raw", str(raw)], capture_output=True, text=True, timeout=300
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        content = raw.read_bytes()
        raw.unlink()
        return content

    @contextlib.contextmanager
    def mounted(self, path, *options):
        """A file system in memory at the path."""
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        path.mkdir(exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", *options, "none", str(path)], check=False).returncode:
            self.skipTest("no file system can be mounted here")
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", str(path)], check=True)
