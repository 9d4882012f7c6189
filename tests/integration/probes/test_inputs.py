"""What a person may get wrong: each mistake is one line that names what and why, and leaves nothing behind."""

import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import unittest
import unittest.mock

import machine

USAGE, BAD_INPUT, HOST = 64, 65, 69


def truncated_bzimage():
    """The real-mode header of a Linux kernel of which the rest is missing (boot protocol 2.15)."""
    image = bytearray(4096)
    image[0x1F1] = 4  # setup sectors
    struct.pack_into("<I", image, 0x1F4, 0x100000)  # the size of what follows, in paragraphs
    struct.pack_into("<H", image, 0x1FE, 0xAA55)
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, 0x020F)
    image[0x211] = 1  # loaded high
    struct.pack_into("<H", image, 0x236, 1)  # with a 64-bit entry
    return bytes(image)


class Inputs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="inputs-")
        self.addCleanup(self.folder.cleanup)
        self.kernel = str(machine.GUESTS / "hello.elf")
        self.before = set()

    def file(self, name, content=b""):
        path = pathlib.Path(self.folder.name) / name
        path.write_bytes(content)
        return str(path)

    def run_sheaf(self, *words, prefix=()):
        self.before = machine.sheaf_files()
        return subprocess.run(
            [*prefix, str(machine.SHEAF), *words],
            cwd=self.folder.name,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def refused(self, code, named, *words, prefix=()):
        """One line on standard error that holds every piece of `named`, nothing else, and this exit code."""
        there = sorted(os.listdir(self.folder.name))
        done = self.run_sheaf(*words, prefix=prefix)
        about = f"sheaf {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        self.assertEqual(done.returncode, code, about)
        self.assertEqual(done.stdout, "", about)
        self.assertEqual(len(done.stderr.splitlines()), 1, about)
        for piece in named:
            self.assertIn(piece, done.stderr, about)
        self.assertEqual(sorted(os.listdir(self.folder.name)), there, about)
        self.assertEqual(machine.sheaf_files(), self.before, about)

    def refused_run(self, code, named, *words, kernel=None, prefix=()):
        self.refused(code, named, "run", "--kernel", kernel or self.kernel, *words, prefix=prefix)

    def test_verbs_and_options(self):
        self.refused(USAGE, ["frob", "--help"], "frob")
        self.refused(USAGE, ["--kernel", "--help"], "run")
        self.refused_run(USAGE, ["--frob"], "--frob")
        self.refused_run(USAGE, ["--cpus"], "--cpus")
        self.refused_run(USAGE, ["surplus"], "surplus")

    def test_numbers(self):
        for option, value in [
            ("--cpus", "0"), ("--cpus", "-1"), ("--cpus", "two"), ("--cpus", "255"), ("--cpus", "1.5"),
            ("--cpus", "99999999999999999999"), ("--memory", "0"), ("--memory", "1K"), ("--memory", "12Q"),
            ("--memory", "99999999999G"), ("--memory", ""), ("--grace", "soon"), ("--grace", "-3"),
        ]:  # fmt: skip
            with self.subTest(option=option, value=value):
                self.refused_run(BAD_INPUT, [option, value], option, value)

    def test_words_of_a_choice(self):
        self.refused_run(BAD_INPUT, ["--on-reboot", "sometimes"], "--on-reboot", "sometimes")

    def test_kernels(self):
        folder = self.folder.name
        for path, why in [
            ("/nonexistent/vmlinuz", "No such file"),
            (folder, "is a directory"),
            (self.file("empty"), "empty"),
            (self.file("text", b"#!/bin/sh\n" * 900), "not a kernel"),
            (self.file("cut", truncated_bzimage()), ""),
            (self.file("elf", b"\x7fELF" + bytes(60)), ""),
            (self.file("short-elf", b"\x7fELF"), ""),
            ("", ""),
        ]:
            with self.subTest(path=path):
                self.refused_run(BAD_INPUT, [path, why], kernel=path or " ")

    def test_a_kernel_larger_than_memory(self):
        size = 32 << 20
        header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 1 << 20, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        segment = struct.pack("<IIQQQQQQ", 1, 7, 0, 1 << 20, 1 << 20, size, size, 4096)
        path = self.file("large", (header + segment).ljust(size, b"\0"))
        self.refused_run(BAD_INPUT, [path], "--memory", "16M", kernel=path)

    def test_initrds(self):
        self.refused_run(BAD_INPUT, ["/nonexistent", "No such file"], "--initrd", "/nonexistent")
        self.refused_run(BAD_INPUT, [self.folder.name, "is a directory"], "--initrd", self.folder.name)

    def test_disks(self):
        disk = self.file("disk.raw", bytes(1 << 20))
        for value, named in [
            ("path=/nonexistent", ["/nonexistent", "does not exist"]),
            (f"path={self.folder.name}", [self.folder.name, "is a directory"]),
            ("", ["--disk"]),
            (disk, ["--disk"]),
            (f"path={disk},format=floppy", ["floppy"]),
            (f"path={disk},speed=high", ["speed"]),
            (f"path={disk},path={disk}", ["path"]),
            (f"path={disk},serial={'s' * 60}", ["serial"]),
            ("path=/dev/null", ["/dev/null"]),
        ]:
            with self.subTest(value=value):
                self.refused_run(BAD_INPUT, named, "--disk", value)

    def test_an_empty_disk(self):
        path = self.file("empty.raw")
        self.refused_run(BAD_INPUT, [path], "--disk", f"path={path}")

    def test_images_that_are_not_raw(self):
        path = self.file("image.qcow2", b"QFI\xfb".ljust(1 << 16, b"\0"))
        for words in (["--disk", f"path={path}"], ["--disk", f"path={path},readonly"], ["--cdrom", path]):
            self.refused_run(BAD_INPUT, [path, "is a qcow2 image, not raw", "qemu-img convert"], *words)
        done = self.run_sheaf("run", "--kernel", self.kernel, "--disk", f"path={path},format=raw")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_odd_images(self):
        odd = self.file("odd.iso", bytes(32 * 2048 + 100))
        for option, prefix in (("--cdrom", ""), ("--disk", "path=")):
            for path, why in (
                (odd, "65636 bytes is not a multiple of 512"),
                ("/nonexistent.iso", "does not exist"),
                (self.folder.name, "is a directory"),
                (self.file("empty.iso"), "is empty"),
            ):
                self.refused_run(BAD_INPUT, [path, why], option, prefix + path)
        self.refused_run(BAD_INPUT, ["--cdrom is empty"], "--cdrom", "")

    def test_one_disk_twice(self):
        disk = self.file("disk.raw", bytes(1 << 20))
        self.refused_run(BAD_INPUT, [disk], "--disk", f"path={disk}", "--disk", f"path={disk}")

    def test_vsocks(self):
        taken = self.file("taken")
        for value, named in [
            ("3", ["--vsock", "socket"]),
            ("2,socket=v", ["--vsock", "2"]),
            ("4294967295,socket=v", ["4294967295"]),
            ("3,path=v", ["path"]),
            ("3,socket=" + "v" * 100, ["at most 96"]),
            (f"3,socket={taken}", [taken, "in use"]),
            ("3,socket=/nonexistent/v", ["/nonexistent/v", "No such file"]),
        ]:
            with self.subTest(value=value):
                self.refused_run(BAD_INPUT, named, "--vsock", value)

    def test_debuggers(self):
        taken = self.file("taken")
        for value, named in [
            ("g", ["--gdb", "unix:PATH"]),
            ("tcp:1234", ["--gdb", "unix:PATH"]),
            ("unix:", ["--gdb", "no socket"]),
            ("unix:g,now", ["--gdb", "now"]),
            ("unix:g,wait,wait", ["--gdb", "wait,wait"]),
            ("unix:" + "g" * 200, ["gdb socket", "1 to 107"]),
            (f"unix:{taken}", [taken, "in use"]),
            (f"unix:{self.folder.name}", [self.folder.name, "in use"]),
            ("unix:/nonexistent/g", ["/nonexistent/g", "No such file"]),
        ]:
            with self.subTest(value=value):
                self.refused_run(BAD_INPUT, named, "--gdb", value)

    def test_cards(self):
        for value, named in [
            ("tap=nonexistent0", ["nonexistent0", "ip tuntap add"]),
            ("tap=a-name-longer-than-15", ["a-name-longer-than-15"]),
            ("tap=lo", ["lo"]),
            ("tap=", ["tap"]),
            ("mac=52:54:00:00:00:01", ["tap"]),
            ("tap=t,mac=nonsense", ["MAC", "nonsense"]),
            ("tap=t,mac=ff:ff:ff:ff:ff:ff", ["ff:ff:ff:ff:ff:ff"]),
            ("tap=t,mtu=1", ["mtu"]),
            ("tap=t,mtu=70000", ["mtu"]),
        ]:
            with self.subTest(value=value):
                self.refused_run(BAD_INPUT, named, "--net", value)

    def test_places_to_write(self):
        for option, value in [
            ("--report", "/nonexistent/report"), ("--pid-file", "/nonexistent/pid"),
            ("--console", "/nonexistent/console"), ("--console", "unix:/nonexistent/socket"),
            ("--console", f"unix:/{'long/' * 40}"), ("--console", self.folder.name),
        ]:  # fmt: skip
            with self.subTest(option=option, value=value):
                self.refused_run(BAD_INPUT, [value.removeprefix("unix:")], option, value)

    def test_a_console_socket_in_use(self):
        path = pathlib.Path(self.folder.name) / "console"
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            self.refused_run(BAD_INPUT, [str(path), "in use"], "--console", f"unix:{path}")

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root, to be somebody else")
    def test_no_permission(self):
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chmod(self.folder.name, 0o755)
        readable = self.file("kernel", pathlib.Path(self.kernel).read_bytes())
        secret = self.file("secret", b"secret")
        os.chmod(secret, 0o600)
        binary = self.file("sheaf", machine.SHEAF.read_bytes())
        os.chmod(binary, 0o755)
        with self.as_binary(binary):
            for words in (["--initrd", secret], ["--disk", f"path={secret}"]):
                with self.subTest(words=words):
                    self.refused_run(BAD_INPUT, [secret, "ermission"], *words, kernel=readable, prefix=nobody)
            self.refused_run(BAD_INPUT, [secret, "ermission"], kernel=secret, prefix=nobody)
            if not os.stat("/dev/kvm").st_mode & 0o006:
                self.refused_run(HOST, ["/dev/kvm"], kernel=readable, prefix=nobody)

    def as_binary(self, path):
        return unittest.mock.patch.object(machine, "SHEAF", pathlib.Path(path))

    def test_help_and_version(self):
        for words in (["--help"], ["run", "--help"], ["doctor", "--help"], ["--version"]):
            with self.subTest(words=words):
                done = self.run_sheaf(*words)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                if words[-1] == "--help" and len(words) > 1:
                    self.assertIn("Example:", done.stdout)


class Doctor(unittest.TestCase):
    def test_json(self):
        done = subprocess.run([machine.SHEAF, "doctor", "--json"], capture_output=True, text=True, timeout=60)
        self.assertIn(done.returncode, (0, HOST), done)
        found = json.loads(done.stdout)
        self.assertIn(found["kvm"]["ring0"], ("hardware", "emulated"))
        self.assertGreater(found["kvm"]["instructions_per_second"], 0)
        for finding in found["findings"]:
            with self.subTest(finding=finding):
                self.assertIn(finding["health"], ("ok", "degraded", "missing"))
                self.assertTrue(finding["detail"])
                self.assertEqual(finding["health"] == "ok", finding["remedy"] == "")
        topics = {finding["topic"] for finding in found["findings"]}
        for topic in ("kernel", "io_uring", "cgroups", "huge pages", "tap", "bridge", "VLAN", "nftables", "memory", "disk"):
            self.assertIn(topic, topics)

    def test_a_line_a_finding(self):
        done = subprocess.run([machine.SHEAF, "doctor"], capture_output=True, text=True, timeout=60)
        self.assertIn("kvm ring 0", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^ *(ok|degraded|missing)\b")
