"""Snapshots, clones, sizes and checks of a volume that is at rest, and of one that is served meanwhile."""

import contextlib
import json
import os
import subprocess
import time
import unittest

import served
import sheaf
from sheaf import BAD_INPUT, HOST

MIB = 1 << 20
SIZE = 16 * MIB


def block(value, length=MIB):
    return bytes([value]) * length


class LayerTest(sheaf.PoolTest):
    def setUp(self):
        super().setUp()
        self.sheaf("volume", "create", "root", "--size", "16M")

    @contextlib.contextmanager
    def client(self, name, export=""):
        """A client of the volume while a server of its own serves it."""
        with served.Server(self, name) as server:
            with server.client(export) as client:
                yield client
            server.stop()

    def write(self, offset, content, name="root"):
        with self.client(name) as client:
            client.write(offset, content)
            client.flush()

    def content(self, name="root", export=""):
        with self.client(name, export) as client:
            return client.all()

    def exported(self, name):
        """What an export of NAME[@SNAPSHOT] gives."""
        target = self.folder / "exported.raw"
        self.sheaf("volume", "export", name, str(target), "--force")
        content = target.read_bytes()
        target.unlink()
        return content

    def snapshots(self, name="root"):
        return json.loads(self.sheaf("snapshot", "list", name, "-o", "json"))["snapshots"]

    def shown(self, name="root"):
        return json.loads(self.sheaf("volume", "show", name, "-o", "json"))

    def data_files(self):
        return [path / "data" for path in (self.pool / "layers").iterdir()]

    def until(self, condition, what):
        """Merging goes on behind requests; it has ended when this returns."""
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def flip(self, value):
        """Changes one bit of the first block that holds nothing but the value; where it was in the file."""
        for path in self.data_files():
            with open(path, "r+b") as file:
                content = file.read()
                place = content.find(block(value, 4096))
                if place < 0:
                    continue
                file.seek(place + 17)
                file.write(bytes([value ^ 4]))
                os.fsync(file.fileno())
                return
        self.fail(f"no block of {value} is there")


class Either:
    """The tests; whether the volume is served meanwhile is the other base's."""

    def test_a_snapshot_keeps_what_was(self):
        self.write(MIB, block(1))
        self.sheaf("snapshot", "create", "root", "before")
        self.write(MIB, block(2))
        self.write(5 * MIB, block(3))
        self.assertEqual(self.snapshots()[0]["name"], "before")
        self.assertEqual(self.snapshots()[0]["size"], SIZE)
        self.assertGreaterEqual(self.snapshots()[0]["own"], MIB)
        listed = self.sheaf("snapshot", "list", "root").splitlines()
        self.assertEqual(listed[0].split(), ["NAME", "CREATED", "SIZE", "OWN"])
        self.assertRegex(listed[1], r"^before +20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ +16 MiB +1 MiB$")
        self.assertIn("name: before\n", self.sheaf("snapshot", "list", "root", "-o", "yaml"))
        was = bytes(MIB) + block(1) + bytes(14 * MIB)
        self.assertEqual(self.exported("root@before"), was)
        self.assertEqual(self.content(export="root@before"), was)
        now = bytes(MIB) + block(2) + bytes(3 * MIB) + block(3) + bytes(10 * MIB)
        self.assertEqual(self.content(), now)
        self.sheaf("snapshot", "delete", "root", "before")
        self.assertEqual(self.snapshots(), [])
        self.until(lambda: len(self.layers()) == 1, "the snapshot's layer stays")
        self.assertEqual(self.content(), now)

    def test_any_of_many_snapshots_can_go(self):
        for number in range(1, 6):
            self.write(number * MIB, block(number))
            self.sheaf("snapshot", "create", "root", f"s{number}")
        for number in (3, 5, 1):
            self.sheaf("snapshot", "delete", "root", f"s{number}")
        self.assertEqual([one["name"] for one in self.snapshots()], ["s2", "s4"])
        self.assertEqual(self.exported("root@s2"), bytes(MIB) + block(1) + block(2) + bytes(13 * MIB))
        self.assertEqual(self.exported("root@s4")[4 * MIB :], block(4) + bytes(11 * MIB))
        self.assertEqual(self.content()[5 * MIB : 6 * MIB], block(5))
        self.assertIn("sound", self.sheaf("volume", "check", "root"))

    def test_a_volume_grows(self):
        self.sheaf("volume", "resize", "root", "20M")
        self.assertEqual(self.shown()["size"], 20 * MIB)
        self.write(18 * MIB, block(7))
        self.sheaf("volume", "resize", "root", "20M")
        self.refused(BAD_INPUT, ["volume root", "only grows"], "volume", "resize", "root", "16M", changes=True)
        self.assertEqual(self.content(), bytes(18 * MIB) + block(7) + bytes(MIB))
        self.assertIn("sound", self.sheaf("volume", "check", "root"))

    def test_a_clone_lives_on_its_own(self):
        self.write(MIB, block(1))
        self.sheaf("snapshot", "create", "root", "base")
        self.write(MIB, block(2))
        create = ("volume", "create", "clone", "--from", "root@base")
        self.refused(BAD_INPUT, ["8388608 bytes are less than the 16777216"], *create, "--size", "8M", changes=True)
        before = len(self.layers())
        self.sheaf(*create, "--size", "18M")
        self.assertEqual(len(self.layers()), before + 1)
        was = bytes(MIB) + block(1) + bytes(16 * MIB)
        self.assertEqual(self.exported("clone"), was)
        self.assertGreater(self.shown("clone")["shared"], MIB)
        self.write(17 * MIB, block(3), "clone")
        self.write(MIB, block(4), "clone")
        self.assertEqual(self.content()[MIB : 2 * MIB], block(2))
        self.assertEqual(self.exported("root@base")[MIB : 2 * MIB], block(1))
        self.sheaf("snapshot", "delete", "root", "base")
        now = bytes(MIB) + block(4) + bytes(15 * MIB) + block(3)
        self.assertEqual(self.exported("clone"), now)
        self.release()
        self.sheaf("volume", "delete", "root")
        self.assertEqual(self.exported("clone"), now)
        self.assertIn("sound", self.sheaf("volume", "check", "clone"))
        self.sheaf("volume", "delete", "clone")
        self.assertEqual(self.layers(), [])

    def test_a_clone_is_made_independent(self):
        self.write(MIB, block(1))
        self.sheaf("snapshot", "create", "root", "base")
        self.sheaf("volume", "create", "clone", "--from", "root@base")
        self.sheaf("volume", "flatten", "clone")
        self.assertEqual((self.shown("clone")["shared"], self.shown("clone")["layers"]), (0, 1))
        self.assertEqual(self.exported("clone"), bytes(MIB) + block(1) + bytes(14 * MIB))
        self.assertIn("sound", self.sheaf("volume", "check", "clone"))
        # One that needs nothing of others stays as it is.
        self.sheaf("volume", "flatten", "root")
        self.assertEqual(self.content()[MIB : 2 * MIB], block(1))

    def test_a_clone_of_a_clone(self):
        self.write(MIB, block(1))
        self.sheaf("snapshot", "create", "root", "s")
        self.sheaf("volume", "create", "child", "--from", "root@s")
        self.write(2 * MIB, block(2), "child")
        self.sheaf("snapshot", "create", "child", "s")
        self.sheaf("volume", "create", "grandchild", "--from", "child@s")
        self.sheaf("volume", "delete", "child")
        self.assertEqual(self.exported("grandchild"), bytes(MIB) + block(1) + block(2) + bytes(13 * MIB))
        self.sheaf("volume", "flatten", "grandchild")
        self.assertEqual(self.exported("grandchild"), bytes(MIB) + block(1) + block(2) + bytes(13 * MIB))
        self.assertIn("sound", self.sheaf("volume", "check", "grandchild"))

    def test_a_check_reads_everything(self):
        self.write(MIB, block(9))
        self.sheaf("snapshot", "create", "root", "s")
        self.write(3 * MIB, block(5))
        self.assertEqual(
            self.sheaf("volume", "check", "root"), "volume root: sound; 3 MiB and 1 snapshots were read\n"
        )
        self.assertEqual(
            json.loads(self.sheaf("volume", "check", "root", "-o", "json")),
            {"volume": "root", "report": {"found": [], "damaged": [], "bytes": 3 * MIB, "snapshots": 1}},
        )

    def test_a_check_finds_a_flipped_bit(self):
        self.write(MIB, block(9))
        self.sheaf("snapshot", "create", "root", "s")
        self.flip(9)
        done = self.call("volume", "check", "root")
        self.assertEqual(done.returncode, BAD_INPUT, done)
        self.assertIn(f"damaged: the volume: 4 KiB at {MIB}: ", done.stdout)
        self.assertIn(f"damaged: snapshot s: 4 KiB at {MIB}: ", done.stdout)
        self.assertIn("volume root: damaged; 2 MiB", done.stdout)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        report = json.loads(self.call("volume", "check", "root", "-o", "json").stdout)["report"]
        self.assertEqual(len(report["damaged"]), 2)
        # What is written again is whole again, and the snapshot stays as it is.
        self.write(MIB, block(8, 4096))
        done = self.call("volume", "check", "root")
        self.assertNotIn("the volume", done.stdout)
        self.assertIn("snapshot s", done.stdout)

    def test_mistakes(self):
        self.sheaf("snapshot", "create", "root", "there")
        for words, told in [
            (("snapshot", "create", "root", "there"), ["volume root", "there"]),
            (("snapshot", "delete", "root", "none"), ["volume root", "none"]),
            (("volume", "create", "x", "--from", "root@none"), ["volume root", "none"]),
            (("volume", "export", "root@none", str(self.folder / "x")), ["volume root", "none"]),
            (("volume", "resize", "root", "8M"), ["volume root", "8388608"]),
        ]:
            with self.subTest(words=words):
                before = self.pieces()
                self.refused(BAD_INPUT, told, *words, changes=True)
                self.assertEqual(self.pieces(), before)

    def pieces(self):
        """What is in the pool, but for what an engine leaves while it runs."""
        return sorted(str(path) for path in self.pool.rglob("*") if path.name not in ("control", "lock"))


class AtRest(Either, LayerTest):
    """Nobody has the volume: the verb does it itself."""

    def release(self):
        pass

    def test_a_revert(self):
        self.write(MIB, block(1))
        self.sheaf("snapshot", "create", "root", "before")
        self.write(MIB, block(2))
        self.sheaf("snapshot", "create", "root", "after")
        self.write(2 * MIB, block(3))
        self.sheaf("snapshot", "revert", "root", "before")
        self.assertEqual(self.content(), bytes(MIB) + block(1) + bytes(14 * MIB))
        self.assertEqual([one["name"] for one in self.snapshots()], ["before", "after"])
        self.sheaf("snapshot", "revert", "root", "after")
        self.assertEqual(self.content(), bytes(MIB) + block(2) + bytes(14 * MIB))
        self.assertEqual(self.read_independently("root"), bytes(MIB) + block(2) + bytes(14 * MIB))
        self.refused(BAD_INPUT, ["volume root", "none"], "snapshot", "revert", "root", "none", changes=True)

    def test_a_repair(self):
        (self.pool / "volumes/root/about.json").write_text("nonsense")
        done = self.call("volume", "check", "root")
        self.assertEqual(done.returncode, BAD_INPUT, done)
        self.assertIn("--repair", done.stdout)
        self.assertIn("written anew", self.sheaf("volume", "check", "root", "--repair"))
        self.assertEqual(
            self.sheaf("volume", "check", "root"), "volume root: sound; 0 bytes and 0 snapshots were read\n"
        )

    def test_an_image_is_shared(self):
        raw = self.folder / "disk.raw"
        raw.write_bytes(block(1) + bytes(3 * MIB))
        self.sheaf("image", "import", str(raw), "--name", "debian")
        for name in ("a", "b"):
            self.sheaf("volume", "create", name, "--from", "debian", "--size", "8M")
            self.assertGreaterEqual(self.shown(name)["shared"], MIB)
            self.assertEqual(self.exported(name), block(1) + bytes(7 * MIB))
        self.write(0, block(2), "a")
        target = self.folder / "again.raw"
        self.sheaf("image", "export", "debian", str(target))
        self.assertEqual(target.read_bytes(), raw.read_bytes())
        self.sheaf("image", "delete", "debian")
        self.sheaf("volume", "delete", "a")
        self.assertEqual(self.exported("b"), block(1) + bytes(7 * MIB))
        self.sheaf("volume", "delete", "b")
        self.sheaf("volume", "delete", "root")
        self.assertEqual(self.layers(), [])

    def test_many_clones_at_once(self):
        self.write(0, block(1))
        self.sheaf("snapshot", "create", "root", "s")
        words = [str(sheaf.BINARY), "volume", "create", "--from", "root@s", "--pool", str(self.pool)]
        making = [subprocess.Popen([*words, f"c{number}"], stderr=subprocess.PIPE) for number in range(8)]
        for process in making:
            errors = process.communicate(timeout=60)[1]
            self.assertEqual((process.returncode, errors), (0, b""))
        for number in range(8):
            self.assertEqual(self.exported(f"c{number}")[:MIB], block(1))

    def test_words(self):
        self.sheaf("snapshot", "create", "root", "s")
        for name in ("", "a/b", "..", "/etc", "A", "a b", "ä", "a" * 64, ".hidden", "a@b"):
            with self.subTest(name=name):
                for verb in ("create", "delete", "revert"):
                    self.refused(BAD_INPUT, ["name"], "snapshot", verb, "root", name)
                    self.refused(BAD_INPUT, ["name"], "snapshot", verb, name, "s")
                self.refused(BAD_INPUT, ["name"], "volume", "create", "x", "--from", f"root@{name}")
                self.refused(BAD_INPUT, ["name"], "volume", "export", f"root@{name}", str(self.folder / "x"))
        for size in ("0", "1", "4095", "4097", "64P", "65536T", "", "1G2"):
            with self.subTest(size=size):
                self.refused(BAD_INPUT, ["SIZE", size], "volume", "resize", "root", size)
                words = ("volume", "create", "x", "--from", "root@s", f"--size={size}")
                self.refused(BAD_INPUT, ["--size", size], *words)
        for verb in (("snapshot", "list"), ("volume", "check"), ("volume", "flatten")):
            self.refused(BAD_INPUT, ["none", "does not exist"], *verb, "none")
        self.refused(BAD_INPUT, ["image none", "does not exist"], "volume", "create", "x", "--from", "none")
        self.refused(BAD_INPUT, ["volume none", "does not exist"], "volume", "create", "x", "--from", "none@s")
        self.refused(BAD_INPUT, ["root", "exists already"], "volume", "create", "root", "--from", "root@s")
        self.refused(BAD_INPUT, ["-o", "xml"], "snapshot", "list", "root", "-o", "xml")

    def test_help(self):
        for words in (
            "snapshot", "snapshot create", "snapshot list", "snapshot revert", "snapshot delete",
            "volume resize", "volume flatten", "volume check", "volume export",
        ):  # fmt: skip
            with self.subTest(words=words):
                text = self.sheaf(*words.split(), "--help", pool=False)
                self.assertIn(f"Usage: sheaf {words}", text)
                self.assertIn("Example:\n", text)


class Served(Either, LayerTest):
    """`sheaf volume nbd` has the volume all the time, and a client of it; the verb asks."""

    def setUp(self):
        super().setUp()
        self.server = self.enterContext(served.Server(self, "root"))
        self.own = self.enterContext(self.server.client())
        self.serving = True
        self.addCleanup(self.release)

    def release(self):
        """Ends the server as a person would; the volume is whole then."""
        if not self.serving:
            return
        self.serving = False
        self.own.__exit__()
        self.server.stop()
        self.assertEqual(self.shown()["state"], "clean")

    @contextlib.contextmanager
    def client(self, name, export=""):
        if name != "root":
            with super().client(name, export) as client:
                yield client
            return
        with self.server.client(export) as client:
            yield client

    def test_a_revert_is_refused(self):
        self.write(MIB, block(1))
        self.sheaf("snapshot", "create", "root", "before")
        self.write(MIB, block(2))
        told = ["volume root", "served by NBD"]
        self.refused(BAD_INPUT, told, "snapshot", "revert", "root", "before", changes=True)
        self.assertEqual(self.content()[MIB : 2 * MIB], block(2))

    def test_others_are_told_who_has_it(self):
        told = ["volume root", f"in use by process {self.server.process.pid} (sheaf volume nbd)"]
        self.refused(BAD_INPUT, told, "volume", "delete", "root", changes=True)
        self.refused(BAD_INPUT, told, "volume", "check", "root", "--repair", changes=True)
        self.refused(BAD_INPUT, told, "volume", "export", "root", str(self.folder / "x"), changes=True)
        self.assertFalse((self.folder / "x").exists())

    def test_a_client_of_a_snapshot_keeps_it(self):
        self.write(MIB, block(1))
        self.sheaf("snapshot", "create", "root", "s")
        self.write(MIB, block(2))
        with self.server.client("root@s") as client:
            self.sheaf("snapshot", "delete", "root", "s")
            self.assertEqual(client.read(MIB, MIB), block(1))
            with self.assertRaises(OSError):
                client.write(0, block(3))
            with self.assertRaises(ConnectionError):
                self.server.client("root@s")
        self.until(lambda: len(self.layers()) == 1, "the snapshot's layer stays")

    def test_who_connects_sees_the_size(self):
        self.sheaf("volume", "resize", "root", "20M")
        self.assertEqual(self.own.size, SIZE)
        with self.server.client() as client:
            self.assertEqual(client.size, 20 * MIB)


class Kills(LayerTest):
    """The server is killed while it makes or deletes a snapshot: nothing is lost, and nothing is half there."""

    ROUNDS = 24

    def setUp(self):
        super().setUp()
        self.expected = {}  # snapshots that are there for certain, and what they hold
        self.disk = bytearray(SIZE)

    def round(self, number):
        words = ["create", "root", f"s{number}"] if number % 3 else ["delete", "root", sorted(self.expected)[0]]
        with served.Server(self, "root") as server:
            with server.client() as client:
                content = block(number + 1, 256 << 10)
                place = number % 16 * MIB
                client.write(place, content)
                self.disk[place : place + len(content)] = content
                client.flush()
                asking = subprocess.Popen(
                    [str(sheaf.BINARY), "snapshot", *words, "--pool", str(self.pool)],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                )  # fmt: skip
                # The instant of the kill is what varies; none of them may matter.
                time.sleep(number % 12 * 0.001)
                server.kill()
                errors = asking.communicate(timeout=60)[1]
        return words, asking.returncode, errors

    def settle(self, words, code, errors):
        """What has to be there after a round. One that was cut short may have come to be, or not."""
        self.assertIn(code, (0, HOST), errors)
        self.assertEqual(len(errors.splitlines()), 0 if code == 0 else 1, errors)
        names = [one["name"] for one in self.snapshots()]
        verb, name = words[0], words[2]
        if code == 0:
            self.assertEqual(name in names, verb == "create", words)
        if verb == "create" and name in names:
            self.expected[name] = bytes(self.disk)
        if verb == "delete" and name not in names:
            del self.expected[name]
        self.assertEqual(sorted(names), sorted(self.expected))

    def test_of_the_server(self):
        self.sheaf("snapshot", "create", "root", "s00")
        self.expected["s00"] = bytes(SIZE)
        cut_short = 0
        for number in range(self.ROUNDS):
            words, code, errors = self.round(number)
            self.settle(words, code, errors)
            cut_short += code != 0
            self.assertIn("sound", self.sheaf("volume", "check", "root"))
            if not self.expected:
                self.sheaf("snapshot", "create", "root", "s00")
                self.expected["s00"] = bytes(self.disk)
        self.assertEqual(self.content(), bytes(self.disk))
        for name, content in self.expected.items():
            self.assertEqual(self.exported(f"root@{name}"), content, name)
        self.assertEqual(self.read_independently("root"), bytes(self.disk))
        self.assertEqual(len(self.layers()), 1 + len(self.expected))
        print(f"{cut_short} of {self.ROUNDS} were cut short", end=" ")

    def test_of_makers_of_clones(self):
        self.write(0, block(1))
        self.sheaf("snapshot", "create", "root", "s")
        words = [str(sheaf.BINARY), "volume", "create", "--from", "root@s", "--pool", str(self.pool)]
        made = []
        for number in range(16):
            process = subprocess.Popen([*words, f"c{number}"], stderr=subprocess.DEVNULL)
            time.sleep(number * 0.0007)
            process.kill()
            process.wait()
            self.assertIn("sound", self.sheaf("volume", "check", "root"))
            listed = json.loads(self.sheaf("volume", "list", "-o", "json"))["volumes"]
            made = [one["name"] for one in listed if one["name"] != "root"]
            for name in made:
                self.assertIn("sound", self.sheaf("volume", "check", name))
        for name in made:
            self.assertEqual(self.exported(name)[:MIB], block(1))
            self.sheaf("volume", "delete", name)
        self.sheaf("snapshot", "delete", "root", "s")
        self.sheaf("volume", "delete", "root")
        # What was cut short is swept by whoever makes or removes something.
        self.assertEqual(self.layers(), [])
        self.assertEqual(list((self.pool / "volumes").iterdir()), [])


if __name__ == "__main__":
    unittest.main()
