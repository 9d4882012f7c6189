"""Machines without a kernel: what firmware finds, in which order it gets the disks, and what cannot start.

The firmware is a probe (firmware/guests/firmware.cpp) that looks at all that EDK II's platform reads of the
machine, so this holds also where EDK II was not built. tests/lab/tests/uefi boots Debian with the real one.
"""

import datetime
import os
import re
import struct
import subprocess
import tempfile
import zlib

import machine

BAD_INPUT = 65
SECTOR = 512
DISK = re.compile(r"firmware disk (\S+) slot=(\d+) sectors=(\d+) (ro|rw) holds=(\w+)")


def boot_sector():
    return bytes(510) + b"\x55\xaa"


def protective_record():
    """The first sector of a disk that says that a GPT follows."""
    record = bytearray(boot_sector())
    record[446 + 4] = 0xEE
    return bytes(record)


def partition_table(sectors, damage=False):
    """A GPT without partitions, both copies, for a disk of so many sectors."""
    entries = bytes(128 * 128)
    disk = bytearray(sectors * SECTOR)
    disk[:SECTOR] = boot_sector()
    for own, other, place in ((1, sectors - 1, 2), (sectors - 1, 1, sectors - 33)):
        header = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, own, other, 34, sectors - 34,
                             bytes(16), place, 128, 128, zlib.crc32(entries))  # fmt: skip
        crc = zlib.crc32(header) ^ (1 if damage else 0)
        header = header[:16] + struct.pack("<I", crc) + header[20:]
        disk[own * SECTOR : own * SECTOR + len(header)] = header
    return bytes(disk)


def iso_image(catalogue):
    """The volume descriptors of an ISO 9660 file system, with or without El Torito's."""
    primary = b"\x01CD001\x01".ljust(2048, b"\0")
    boot = b"\x00CD001\x01EL TORITO SPECIFICATION".ljust(2048, b"\0")
    end = b"\xffCD001\x01".ljust(2048, b"\0")
    return (bytes(16 * 2048) + primary + (boot if catalogue else b"") + end).ljust(64 * 2048, b"\0")


class Firmware(machine.ProbeTest):
    def file(self, content):
        handle, path = tempfile.mkstemp(suffix=".raw", prefix="probe-disk-")
        self.addCleanup(os.unlink, path)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return path

    def boot_firmware(self, **options):
        outcome = self.boot_well("firmware", **{"start": "firmware", **options})
        self.assertEqual(outcome.report["how"], "powered_off")
        self.assertEqual(outcome.lines[-1], "firmware done", outcome)
        return outcome

    def test_finds_the_platform(self):
        before = datetime.datetime.now(datetime.timezone.utc)
        outcome = self.boot_firmware(cpus=2)
        for line in ("firmware platform ok", "firmware acpi processors=2", "firmware timer ok"):
            self.assertIn(line, outcome.lines, outcome)
        clock = next(line for line in outcome.lines if line.startswith("firmware clock "))
        told = datetime.datetime(*map(int, clock.split()[2:]), tzinfo=datetime.timezone.utc)
        self.assertLess(abs(told - before), datetime.timedelta(minutes=2), outcome)

    def test_memory_on_both_sides_of_the_hole(self):
        for memory, below, above in (("64M", 64, 0), ("3G", 3072, 0), ("4G", 3072, 1024)):
            with self.subTest(memory=memory):
                outcome = self.boot_firmware(memory=memory)
                line = f"firmware memory below={below << 20} above={above << 20}"
                self.assertIn(line, outcome.lines, outcome)

    def test_disks_come_in_boot_order(self):
        sizes = {"first": 64, "second": 4096, "third": 2048}
        paths = {
            "first": self.file(boot_sector() * sizes["first"]),
            "second": self.file(partition_table(sizes["second"])),
            "third": self.file(bytes(sizes["third"] * SECTOR)),
        }
        cdrom = self.file(iso_image(True))
        outcome = self.boot_firmware(
            disks=[
                f"path={paths['third']},serial=third",
                f"path={paths['second']},serial=second,boot=2",
                f"path={paths['first']},serial=first,boot=1,readonly",
            ],
            extra=["--cdrom", cdrom],
        )
        found = [DISK.fullmatch(line).groups() for line in outcome.lines if line.startswith("firmware disk")]
        self.assertEqual(
            found,
            [
                ("first", "1", "64", "ro", "mbr"),
                ("second", "2", "4096", "rw", "gpt"),
                ("third", "3", "2048", "rw", "nothing"),
                ("disk3", "4", "256", "ro", "iso"),
            ],
            outcome,
        )

    def test_a_disk_without_a_kernel_starts_what_is_named_uefi(self):
        disk = self.file(partition_table(4096))
        outcome = self.boot_firmware(start="default", disks=[f"path={disk}"])
        self.assertIn("holds=gpt", outcome.output, outcome)

    def refused(self, named, *words, firmware=None):
        environment = {**os.environ, "SHEAF_UEFI": firmware or str(machine.GUESTS / "firmware.elf")}
        before = machine.sheaf_files()
        done = subprocess.run([str(machine.SHEAF), "run", *words], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)  # fmt: skip
        about = f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        self.assertEqual(done.returncode, BAD_INPUT, about)
        self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1), about)
        for piece in named:
            self.assertIn(piece, done.stderr, about)
        self.assertEqual(machine.sheaf_files(), before, about)

    def test_disks_that_cannot_start(self):
        for content, why in (
            (bytes(1 << 20), "holds nothing that firmware could start"),
            (partition_table(4096, damage=True), "damaged partition table"),
            (iso_image(False), "ISO image without a boot catalogue"),
            (b"QFI\xfb".ljust(1 << 16, b"\0"), "qcow2"),
            (protective_record().ljust(1 << 20, b"\0"), "both copies of it are gone"),
        ):
            for option in ("--disk", "--cdrom"):
                path = self.file(content)
                with self.subTest(why=why, option=option):
                    self.refused([path, why], option, f"path={path}" if option == "--disk" else path)

    def test_one_disk_that_starts_is_enough(self):
        good, empty = self.file(partition_table(4096)), self.file(bytes(1 << 20))
        self.boot_firmware(start="default", disks=[f"path={empty}", f"path={good}"])

    def test_more_processors_than_uefi_starts(self):
        disk = self.file(partition_table(4096))
        self.refused(["--cpus", "at most 64, not 65"], "--disk", f"path={disk}", "--cpus", "65")

    def test_no_firmware(self):
        disk = self.file(partition_table(4096))
        self.refused(["/nonexistent/uefi.fd", "No such file"], "--disk", f"path={disk}", firmware="/nonexistent/uefi.fd")
        text = self.file(b"#!/bin/sh\n" * 900)
        self.refused([text], "--disk", f"path={disk}", firmware=text)
