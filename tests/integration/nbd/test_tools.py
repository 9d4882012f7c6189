"""What the tools of others make of a disk that is served: each runs on a raw file and on a volume."""

import json
import os
import pathlib
import shlex
import subprocess
import time
import unittest

import served
from served import libnbd, tool

MIB = 1 << 20


def pattern(length, seed):
    """Bytes that repeat nowhere near."""
    line = b"".join(((place * 2654435761 + seed) % (1 << 32)).to_bytes(4, "little") for place in range(16384))
    return (line * (length // len(line) + 1))[:length]


class Tools:
    """The tests; what is served is the other base's."""

    SIZE = 64 * MIB

    def disk(self, *options, name="disk", size=SIZE):
        if not (self.folder / f"{name}.made").exists():
            self.make_disk(name, size)
            (self.folder / f"{name}.made").touch()
        server = self.serve(name, *options)
        self.addCleanup(server.__exit__)
        return server

    def test_nbdinfo_sees_what_there_is(self):
        with self.disk() as server:
            told = json.loads(tool(self, "nbdinfo", "--json", server.uri()))
            export = told["exports"][0]
            self.assertEqual(told["protocol"], "newstyle-fixed")
            self.assertTrue(told["structured"])
            self.assertEqual(export["export-size"], self.SIZE)
            self.assertFalse(export["is_read_only"])
            for word in ("df", "flush", "fua", "multi_conn", "trim", "zero", "fast_zero"):
                self.assertTrue(export[f"can_{word}"], word)
            self.assertIn("base:allocation", export["contexts"])
            listed = json.loads(tool(self, "nbdinfo", "--json", "--list", server.uri()))
            self.assertGreaterEqual(len(listed["exports"]), 1)
            tool(self, "nbdinfo", server.uri("nothing"), code=1)
            server.stop(self)

    def test_nbdinfo_maps_holes(self):
        with self.disk() as server:
            tool(self, "qemu-io", "-f", "raw", "-c", "write -P 7 8M 1M", server.uri())
            extents = json.loads(tool(self, "nbdinfo", "--json", "--map", server.uri()))
            self.assertEqual(sum(extent["length"] for extent in extents), self.SIZE)
            data = [extent for extent in extents if extent["type"] == 0]
            self.assertEqual([(one["offset"], one["length"]) for one in data], [(8 * MIB, MIB)])

    def test_nbdcopy_both_ways(self):
        before, after = self.path("before"), self.path("after")
        with open(before, "wb") as file:
            file.truncate(self.SIZE)
            for place in (0, 5 * MIB + 4096, self.SIZE - 3 * MIB):
                file.seek(place)
                file.write(pattern(2 * MIB + 4096, place))
        with self.disk() as server:
            tool(self, "nbdcopy", "--flush", before, server.uri())
            tool(self, "nbdcopy", server.uri(), after)
            tool(self, "cmp", before, after)
            server.stop(self)
        with self.disk("--readonly") as server:
            tool(self, "nbdcopy", "--synchronous", server.uri(), after)
            tool(self, "cmp", before, after)

    def test_fio_verifies(self):
        with self.disk() as server:
            job = ["--name=v", "--ioengine=nbd", f"--uri={server.uri()}", "--rw=randrw", "--bs=4k",
                   "--verify_state_save=0",
                   "--size=16M", "--iodepth=32", "--verify=crc32c", "--verify_fatal=1", "--fsync=64"]
            said = tool(self, "fio", "--output-format=json", *job)
            report = json.loads(said[said.index("{"):])
            self.assertEqual(report["jobs"][0]["error"], 0)
            self.assertGreater(report["jobs"][0]["write"]["total_ios"], 1000)
            trim = ["--name=t", "--ioengine=nbd", f"--uri={server.uri()}", "--rw=randtrim", "--bs=64k",
                    "--size=16M", "--iodepth=16"]
            tool(self, "fio", *trim)
            mixed = ["--name=m", "--ioengine=nbd", f"--uri={server.uri()}", "--rw=randwrite",
                     "--bsrange=512-128k", "--blockalign=512", "--bs_unaligned=0", "--size=16M", "--iodepth=16",
                     "--verify=crc32c", "--do_verify=1", "--verify_fatal=1", "--verify_state_save=0"]
            tool(self, "fio", *mixed)
            server.stop(self)

    def test_qemu_img(self):
        source, back = self.path("source.qcow2"), self.path("back.raw")
        raw = self.path("source.raw")
        with open(raw, "wb") as file:
            file.truncate(self.SIZE)
            file.seek(3 * MIB)
            file.write(pattern(9 * MIB, 3))
        tool(self, "qemu-img", "convert", "-O", "qcow2", raw, source)
        with self.disk() as server:
            convert = ("qemu-img", "convert", "-n", "-f", "qcow2", "-O", "raw")
            tool(self, *convert, source, server.uri())
            tool(self, "qemu-img", "compare", "-f", "raw", "-F", "raw", raw, server.uri())
            tool(self, "qemu-img", "convert", "-f", "raw", "-O", "raw", server.uri(), back)
            tool(self, "cmp", raw, back)
            tool(self, "qemu-img", "bench", "-f", "raw", "-w", "-c", "2000", "-d", "16", server.uri())
            tool(self, "qemu-img", "bench", "-f", "raw", "-w", "--flush-interval=64", "-c", "512", server.uri())
            mapped = json.loads(tool(self, "qemu-img", "map", "--output=json", "-f", "raw", server.uri()))
            self.assertEqual(sum(extent["length"] for extent in mapped), self.SIZE)
            server.stop(self)

    def test_qemu_io(self):
        with self.disk() as server:
            commands = (
                "write -P 1 0 64k", "write -f -P 2 4096 4096", "write -z -f 8192 8192", "write -z -u 32k 16k",
                "discard 48k 16k", "flush", "read -P 1 0 4096", "read -P 2 4096 4096", "read -P 0 8192 8192",
                "read -P 1 16k 16k", "read -P 0 32k 16k", "aio_write -P 9 1M 3M", "aio_read -P 0 8M 1M",
                "aio_flush", "read -P 9 1M 3M", "write -P 5 513 1", "read -P 5 513 1", "read -P 1 512 1",
                "writev -P 4 5M 4k 64k 512", "read -P 4 5M 68k", f"write -P 3 {self.SIZE - 512} 512",
            )
            words = [word for command in commands for word in ("-c", command)]
            said = tool(self, "qemu-io", "-f", "raw", *words, server.uri())
            self.assertNotIn("Pattern verification failed", said)
            self.assertNotIn("rror", said)
            server.stop(self)

    def test_read_only_stays_as_it_is(self):
        with self.disk("--readonly") as server:
            nbd = libnbd(self)
            handle = nbd.NBD()
            handle.set_strict_mode(0)
            handle.connect_uri(server.uri())
            self.assertTrue(handle.is_read_only())
            for deed in (lambda: handle.pwrite(b"x" * 512, 0), lambda: handle.trim(512, 0),
                         lambda: handle.zero(512, 0)):
                with self.assertRaises(nbd.Error) as refused:
                    deed()
                self.assertEqual(refused.exception.errno, "EPERM")
            self.assertEqual(handle.pread(512, 0), bytes(512))
            handle.shutdown()

    def test_edges(self):
        nbd = libnbd(self)
        with self.disk() as server:
            handle = nbd.NBD()
            handle.set_strict_mode(0)
            handle.add_meta_context("base:allocation")
            handle.connect_uri(server.uri())
            self.assertEqual(handle.get_block_size(nbd.SIZE_MINIMUM), 512)
            self.assertEqual(handle.get_block_size(nbd.SIZE_MAXIMUM), 32 * MIB)
            cases = (
                ("EINVAL", lambda: handle.pread(512, self.SIZE)),
                ("ENOSPC", lambda: handle.pwrite(bytes(1024), self.SIZE - 512)),
                ("ENOSPC", lambda: handle.zero(1024, self.SIZE - 512)),
                ("EINVAL", lambda: handle.trim(1024, self.SIZE - 512)),
                ("EINVAL", lambda: handle.pread(100, 0)),
                ("EINVAL", lambda: handle.pwrite(b"abc", 1)),
                ("EINVAL", lambda: handle.trim(0, 0)),
                ("EINVAL", lambda: handle.cache(512, 0)),
                ("EINVAL", lambda: handle.pread(512, 0, 1 << 9)),
            )
            for expected, deed in cases:
                with self.assertRaises(nbd.Error) as refused:
                    deed()
                self.assertEqual(refused.exception.errno, expected, str(refused.exception))
            whole = pattern(32 * MIB, 5)
            handle.pwrite(whole, 512, nbd.CMD_FLAG_FUA)
            self.assertEqual(handle.pread(32 * MIB, 512), whole)
            self.assertEqual(handle.pread(65536, 0, nbd.CMD_FLAG_DF)[512:], whole[:65024])
            handle.zero(4 * MIB, MIB, nbd.CMD_FLAG_NO_HOLE)
            self.assertEqual(handle.pread(MIB, MIB), bytes(MIB))
            handle.flush()
            handle.shutdown()
            server.stop(self)

    def test_garbage_costs_its_own_connection_only(self):
        import socket
        with self.disk() as server:
            nbd = libnbd(self)
            good = nbd.NBD()
            good.connect_uri(server.uri())
            openings = []
            for words in (os.urandom(4096), b"\0\0\0\3" + b"IHAVEOPT" + b"\xff" * 8, b"GET / HTTP/1.1\r\n\r\n", b""):
                opened = socket.socket(socket.AF_UNIX)
                opened.connect(str(server.socket))
                opened.sendall(words)
                openings.append(opened)
            for _ in range(1000):
                opened = socket.socket(socket.AF_UNIX)
                opened.connect(str(server.socket))
                openings.append(opened)
            good.pwrite(pattern(MIB, 1), 0)
            self.assertEqual(good.pread(MIB, 0), pattern(MIB, 1))
            refused = nbd.NBD()
            with self.assertRaises(nbd.Error):
                refused.connect_uri(server.uri())
            for opened in openings:
                opened.close()
            good.shutdown()
            server.stop(self)
            self.assertLess(len(server.log().splitlines()), 10)

    def test_file_systems_through_fuse(self):
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            self.skipTest("/dev/fuse is missing or may not be opened")
        size = 384 * MIB
        with self.disk(name="files", size=size) as server:
            target = self.path("mounted")
            target.touch()
            fuse = subprocess.Popen(["nbdfuse", str(target), server.uri()], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.addCleanup(fuse.stdout.close)
            self.addCleanup(fuse.wait, served.TIMEOUT_SECONDS)
            self.addCleanup(subprocess.run, ["fusermount3", "-u", str(target)], check=False,
                            stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 20
            while target.stat().st_size != size:
                if fuse.poll() is not None:
                    self.skipTest(f"nbdfuse cannot mount here: {fuse.stdout.read().strip()}")
                self.assertLess(time.monotonic(), deadline, "nbdfuse did not mount")
                time.sleep(0.05)
            tool(self, "mkfs.ext4", "-q", "-F", target)
            tool(self, "e2fsck", "-f", "-n", target)
            tool(self, "mkfs.xfs", "-q", "-f", target)
            tool(self, "xfs_repair", "-n", target)
            tool(self, "fusermount3", "-u", target)
            fuse.wait(served.TIMEOUT_SECONDS)
            server.stop(self)


class RawTools(Tools, served.RawCase):
    """The server alone."""


class VolumeTools(Tools, served.VolumeCase):
    """What `sheaf volume nbd` serves."""


class Snapshots(served.VolumeCase):
    """Exports of snapshots, and what has changed since."""

    SIZE = 16 * MIB

    def map_of(self, uri, context, kind):
        """Where the extents of one kind are."""
        extents = json.loads(tool(self, "nbdinfo", "--json", f"--map={context}", uri))
        self.assertEqual(sum(extent["length"] for extent in extents), self.SIZE)
        return [(extent["offset"], extent["length"]) for extent in extents if extent["type"] == kind]

    def test_are_what_was(self):
        self.make_disk("disk", self.SIZE)
        with self.serve("disk") as server:
            snapshot = (served.SHEAF, "snapshot", "create", "disk", "--pool", self.path("pool"))
            io = ("qemu-io", "-f", "raw")
            tool(self, *io, "-c", "write -P 1 1M 1M", server.uri())
            tool(self, *snapshot, "one")
            tool(self, *io, "-c", "write -P 2 1M 64k", "-c", "discard 1536k 64k", server.uri())
            tool(self, *snapshot, "two")
            tool(self, *io, "-c", "write -P 3 5M 4k", server.uri())
            listed = json.loads(tool(self, "nbdinfo", "--json", "--list", server.uri()))
            self.assertEqual([export["export-name"] for export in listed["exports"]], ["disk", "disk@one", "disk@two"])
            self.assertTrue(listed["exports"][1]["is_read_only"])
            one, two = server.uri("disk@one"), server.uri("disk@two")
            for uri, reads in ((one, ["1 1M 1M", "0 5M 4k"]), (two, ["2 1M 64k", "0 1536k 64k", "0 5M 4k"])):
                words = [word for read in reads for word in ("-c", f"read -P {read}")]
                self.assertNotIn("failed", tool(self, "qemu-io", "-r", "-f", "raw", *words, uri))
            self.assertEqual(self.map_of(one, "base:allocation", 0), [(MIB, MIB)])
            first = [(MIB, 64 << 10), (1536 << 10, 64 << 10)]
            self.assertEqual(self.map_of(two, "sheaf:dirty:one", 1), first)
            self.assertEqual(self.map_of(server.uri(), "sheaf:dirty:one", 1), [*first, (5 * MIB, 4096)])
            self.assertEqual(self.map_of(server.uri(), "sheaf:dirty:two", 1), [(5 * MIB, 4096)])
            told = json.loads(tool(self, "nbdinfo", "--json", one))["exports"][0]
            self.assertEqual(told["contexts"], ["base:allocation"])
            tool(self, "nbdinfo", server.uri("disk@none"), code=1)
            tool(self, "nbdinfo", server.uri("other@one"), code=1)
            server.stop(self)


class Mistakes(served.VolumeCase):
    """What a person may get wrong is told in one line."""

    def refused(self, words, told, code=65):
        said = tool(self, served.SHEAF, "volume", "nbd", *words, "--pool", self.path("pool"), code=code)
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertIn(told, said)

    def test_are_told(self):
        self.make_disk("disk", 16 * MIB)
        socket = self.path("x.sock")
        self.refused(["disk"], "--socket")
        self.refused(["disk", "--socket", socket, "--listen", "127.0.0.1:0"], "--socket")
        self.refused(["nothing", "--socket", socket], "nothing")
        self.refused(["../disk", "--socket", socket], "../disk")
        self.refused(["disk", "--listen", "0.0.0.0:10809"], "other machines")
        self.refused(["disk", "--listen", "127.0.0.1:123456"], "127.0.0.1:123456")
        socket.write_text("precious")
        self.refused(["disk", "--socket", socket], "x.sock")
        self.assertEqual(socket.read_text(), "precious")
        with self.serve("disk") as server:
            self.refused(["disk", "--socket", self.path("other.sock")], "disk")
            self.make_disk("other", 16 * MIB)
            self.refused(["other", "--socket", server.socket], "disk.sock")
            server.stop(self)

    def test_a_port_works_as_well(self):
        self.make_disk("disk", 16 * MIB)
        command = [served.SHEAF, "volume", "nbd", "disk", "--pool", self.path("pool"), "--listen", "127.0.0.1:0"]
        with served.Server(command, self.path("none")) as server:
            uri = server.greeting.split()[-1]
            self.assertTrue(uri.startswith("nbd://127.0.0.1:"), server.greeting)
            tool(self, "qemu-io", "-f", "raw", "-c", "write -P 7 1M 1M", "-c", "read -P 7 1M 1M", uri)
            server.stop(self)


class Readme(served.VolumeCase):
    """What the README tells people to type."""

    def test_its_commands_work(self):
        text = (pathlib.Path(__file__).resolve().parents[3] / "README.md").read_text()
        block = next(part for part in text.split("```") if "sheaf volume nbd" in part)
        with open(self.path("copy.raw"), "wb") as file:
            file.write(pattern(MIB, 9))
            file.truncate(256 * MIB)
        self.path("pool").mkdir()
        server = None
        for line in block.splitlines()[1:]:
            # Smaller, so that it is quick.
            line = line.replace("10G", "256M")
            for written, here in (("/run/", f"{self.folder}/"), ("copy.raw", f"{self.folder}/copy.raw"),
                                  ("/srv/pool", f"{self.folder}/pool")):
                line = line.replace(written, here)
            words = shlex.split(line, comments=True)
            if words[0] == "sheaf":
                words[0] = str(served.SHEAF)
            if "&" in words:
                words.remove("&")
                server = served.Server(words, self.path("data.sock"))
                self.addCleanup(server.__exit__)
            else:
                tool(self, *words)
        with open(self.path("copy.raw"), "rb") as file:
            self.assertEqual(file.read(MIB), pattern(MIB, 9))
            self.assertEqual(file.seek(0, os.SEEK_END), 256 * MIB)
        server.stop(self)


if __name__ == "__main__":
    unittest.main()
