"""Every `sheaf run` in the documents and in --help, as it stands there: only what it names is put in its place."""

import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

import machine
import tap
from test_firmware import boot_sector, iso_image

ROOT = pathlib.Path(__file__).resolve().parents[3]
# What a person has when following an example: a kernel that ends by itself, disks, an image.
FILES = {
    "vmlinuz": lambda: (machine.GUESTS / "hello.elf").read_bytes(),
    "initrd.img": lambda: bytes(4096),
    "root.raw": lambda: bytes(1 << 20),
    "data.raw": lambda: bytes(1 << 20),
    "debian.raw": lambda: boot_sector().ljust(1 << 20, b"\0"),
    "image.iso": lambda: iso_image(True),
    "uefi.fd": lambda: (machine.GUESTS / "firmware.elf").read_bytes(),
}
# Options that an example must show, and those that need somebody on the other side.
WANTED = {"--kernel", "--initrd", "--cmdline", "--cpus", "--memory", "--disk", "--net", "--firmware", "--cdrom",
          "--vsock", "--balloon", "--report"}  # fmt: skip
ELSEWHERE = {"--gdb"}


def examples():
    """(where, command) for each line of a code block that begins with `sheaf run`."""
    help_text = subprocess.run([machine.SHEAF, "run", "--help"], capture_output=True, text=True, check=True).stdout
    sources = {"sheaf run --help": help_text}
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        sources[str(path.relative_to(ROOT))] = path.read_text()
    for where, text in sources.items():
        for line in text.replace("\\\n", " ").splitlines():
            if found := re.match(r"(?:    |  )?(sheaf run --.*)", line):
                yield where, found[1]


class Documents(unittest.TestCase):
    link = None

    def tap_name(self):
        """One tap for all examples; without root they are skipped."""
        self.link = self.link or tap.Tap(self)
        return self.link.name

    def follow(self, folder, command):
        words = shlex.split(command, comments=True)
        words[0] = str(machine.SHEAF)
        if any(word.startswith("tap=tap0") for word in words):
            words = [word.replace("tap=tap0", f"tap={self.tap_name()}") for word in words]
        words = [word.replace("/run/", f"{folder}/").replace("/srv/pool", f"{folder}/pool") for word in words]
        if any("volume=root" in word for word in words):
            make = [machine.SHEAF, "volume", "create", "root", "--size", "1M", "--pool", f"{folder}/pool"]
            subprocess.run(make, capture_output=True, check=True, timeout=60)
        return subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "SHEAF_UEFI": f"{folder}/uefi.fd"})  # fmt: skip

    def test_examples(self):
        shown = set()
        for where, command in examples():
            options = set(re.findall(r"(?<=\s)--[a-z-]+", command))
            if options & ELSEWHERE:
                continue
            with self.subTest(where=where, command=command), tempfile.TemporaryDirectory(prefix="example-") as folder:
                for name, content in FILES.items():
                    (pathlib.Path(folder) / name).write_bytes(content())
                done = self.follow(folder, command)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                ends = "sheaf-probe hello" if "--kernel" in options else "firmware done"
                self.assertIn(ends, done.stdout)
            shown |= options
        self.assertEqual(WANTED - shown, set(), "options that no document shows by an example")
