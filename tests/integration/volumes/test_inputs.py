"""What a person may get wrong with volumes: one line each, the right exit code, and nothing changed."""

import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import time

import sheaf
from sheaf import BAD_INPUT, HOST, USAGE


class Inputs(sheaf.PoolTest):
    def setUp(self):
        super().setUp()
        self.sheaf("volume", "create", "root", "--size", "16M")

    def test_words(self):
        self.refused(USAGE, ["volume", "frob"], "volume", "frob", pool=False)
        self.refused(USAGE, ["a verb is missing"], "volume", pool=False)
        self.refused(USAGE, ["NAME is missing"], "volume", "create", "--size", "1G")
        self.refused(USAGE, ["one word too many"], "volume", "delete", "a", "b")
        self.refused(USAGE, ["--colour"], "volume", "list", "--colour", "red")
        self.refused(BAD_INPUT, ["-o", "xml"], "volume", "list", "-o", "xml")
        self.refused(USAGE, ["a verb is missing"], "simulate", pool=False)

    def test_names(self):
        for name in ("", "a/b", "..", "../root", "/etc", "A", "a_b", "a b", "a@b", "ä", "a" * 64, ".hidden", "a\nb"):
            for verb in (["create", "--size", "1G"], ["show"], ["delete"]):
                with self.subTest(name=name, verb=verb):
                    self.refused(BAD_INPUT, ["name"], "volume", verb[0], name, *verb[1:])
        self.refused(BAD_INPUT, ["root", "exists already"], "volume", "create", "root", "--size", "1G")
        self.refused(BAD_INPUT, ["none", "does not exist"], "volume", "delete", "none")
        self.refused(BAD_INPUT, ["none", "does not exist"], "volume", "show", "none")
        self.sheaf("volume", "create", "a" * 63, "--size", "1G")

    def test_sizes(self):
        for size in ("0", "1", "4095", "4097", "10000", "64P", "65536T", "17592186048512", "-1", "", "1G2", "99999999999T"):
            with self.subTest(size=size):
                self.refused(BAD_INPUT, ["--size", size], "volume", "create", "new", f"--size={size}")
        self.refused(BAD_INPUT, ["--size is missing"], "volume", "create", "new")
        self.refused(BAD_INPUT, ["--checksum", "maybe"], "volume", "create", "new", "--size", "1G", "--checksum", "maybe")
        self.sheaf("volume", "create", "least", "--size", "4K")
        self.sheaf("volume", "create", "most", "--size", "16T")

    def test_pools(self):
        (self.folder / "file").write_text("text")
        (self.folder / "full").mkdir()
        (self.folder / "full/letter").write_text("dear")
        for path, why in [
            ("none", "does not exist"), ("file", "is not a directory"), ("full", "no pool.json"), ("none/none", "does not exist"),
        ]:  # fmt: skip
            for words in (["list"], ["show", "root"], ["delete", "root"]):
                with self.subTest(path=path, words=words):
                    self.refused(BAD_INPUT, [path, why], "volume", *words, pool=self.folder / path)
        create = ("volume", "create", "root", "--size", "1G")
        self.refused(BAD_INPUT, ["none/none"], *create, pool=self.folder / "none/none")
        self.refused(BAD_INPUT, ["full", "no pool.json"], *create, pool=self.folder / "full")
        self.refused(BAD_INPUT, ["file"], *create, pool=self.folder / "file")
        self.sheaf(*create, pool=self.folder / "none")

    def test_pools_of_another_kind(self):
        about = self.pool / "pool.json"
        for text, why in [
            ('{"version":2}', "version 2"), ("", "pool.json"), ("{", "pool.json"),
            ('{"version":1,"hard_stop_percent":99}', "99"), ('{"version":1,"colour":"red"}', "colour"),
        ]:  # fmt: skip
            about.write_text(text)
            with self.subTest(text=text):
                self.refused(BAD_INPUT, [str(about), why], "volume", "list")
                self.refused(BAD_INPUT, [str(about), why], "volume", "create", "new", "--size", "1G")

    def test_a_volume_in_use(self):
        with open(self.pool / "volumes/root/lock", "r+") as lock:
            # F_OFD_SETLK on byte 0, as an engine does.
            fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
            lock.truncate(0)
            lock.write(json.dumps({"pid": 4711, "verb": "run"}))
            lock.flush()
            self.refused(BAD_INPUT, ["root", "in use by process 4711 (sheaf run)"], "volume", "delete", "root")
            self.assertIn("process 4711", self.sheaf("volume", "list"))
        self.sheaf("volume", "delete", "root")

    def test_damage_is_told_and_nothing_else_suffers(self):
        self.sheaf("volume", "create", "other", "--size", "1G")
        folder = self.pool / "volumes/root"
        for name in ("journal.0", "journal.1"):
            os.truncate(folder / name, 100)
        listed = self.sheaf("volume", "list").splitlines()
        self.assertIn("clean", listed[1])
        self.assertIn("damaged", listed[2])
        (folder / "about.json").unlink()
        self.refused(BAD_INPUT, ["root", "about.json"], "volume", "delete", "root")
        self.sheaf("volume", "delete", "other")

    def test_a_flipped_bit_in_one_copy_costs_nothing(self):
        path = self.pool / "volumes/root/journal.0"
        content = bytearray(path.read_bytes())
        content[4096 + 70] ^= 4
        content[70] ^= 4
        path.write_bytes(content)
        self.assertIn("16 MiB", self.sheaf("volume", "show", "root"))

    def test_a_foreign_file_in_a_volume(self):
        thesis = self.pool / "volumes/root/thesis.txt"
        thesis.write_text("years")
        self.refused(BAD_INPUT, [str(thesis), "not Sheaf's"], "volume", "delete", "root")

    def test_a_pipe_where_a_file_should_be(self):
        path = self.pool / "volumes/root/journal.0"
        path.unlink()
        os.mkfifo(path)
        self.assertIn("damaged", self.sheaf("volume", "list"))

    def test_a_read_only_file_system(self):
        place = self.folder / "mount"
        with self.mounted(place, "-o", "size=32m"):
            pool = place / "pool"
            self.sheaf("volume", "create", "root", "--size", "1G", pool=pool)
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
            self.refused(BAD_INPUT, ["Read-only"], "volume", "create", "new", "--size", "1G", pool=pool)
            self.refused(BAD_INPUT, ["Read-only"], "volume", "delete", "root", pool=pool)
            self.refused(BAD_INPUT, ["Read-only"], "volume", "create", "new", "--size", "1G", pool=place / "other")
            self.assertIn("root", self.sheaf("volume", "list", pool=pool))

    def test_a_full_file_system(self):
        place = self.folder / "mount"
        with self.mounted(place, "-o", "size=1m"):
            pool = place / "pool"
            self.sheaf("volume", "create", "root", "--size", "1G", pool=pool)
            filler = place / "filler"
            with open(filler, "wb", buffering=0) as file:
                try:
                    while file.write(bytes(4096)) == 4096:
                        pass
                except OSError:
                    pass
            self.refused(HOST, ["No space left"], "volume", "create", "new", "--size", "1G", pool=pool)
            self.assertEqual(sorted(path.name for path in (pool / "volumes").iterdir()), ["root"])
            filler.unlink()
            self.sheaf("volume", "create", "new", "--size", "1G", pool=pool)

    def test_a_full_table_of_files(self):
        place = self.folder / "mount"
        with self.mounted(place, "-o", "size=32m,nr_inodes=20"):
            self.sheaf("volume", "create", "root", "--size", "1G", pool=place / "pool")
            self.refused(HOST, ["No space left"], "volume", "create", "new", "--size", "1G", pool=place / "pool")
            self.assertEqual(len(list((place / "pool/layers").iterdir())), 1)

    def test_somebody_else(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("needs root, to be somebody else")
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        binary = self.folder / "sheaf"
        shutil.copy(sheaf.BINARY, binary)
        os.chmod(binary, 0o755)
        os.chmod(self.folder, 0o755)
        saved, sheaf.BINARY = sheaf.BINARY, binary
        try:
            for words in (["list"], ["delete", "root"], ["create", "new", "--size", "1G"]):
                self.refused(BAD_INPUT, ["ermission denied"], "volume", *words, prefix=nobody)
        finally:
            sheaf.BINARY = saved


class Crashes(sheaf.PoolTest):
    """A maker that is killed at any instant leaves nothing in sight, and nothing for good."""

    def test_kills_of_create_and_delete(self):
        self.sheaf("volume", "create", "kept", "--size", "1G")
        for step in range(40):
            words = ["create", f"v{step}", "--size", "1G"] if step % 2 == 0 else ["delete", f"v{step - 1}"]
            process = subprocess.Popen(
                [str(sheaf.BINARY), "volume", *words, "--pool", str(self.pool)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            # The instant of the kill is what varies; none of them may matter.
            time.sleep(step * 0.0005)
            process.send_signal(signal.SIGKILL)
            process.wait()
            for volume in json.loads(self.sheaf("volume", "list", "-o", "json"))["volumes"]:
                self.assertEqual(volume["state"], "clean", volume)
        for volume in json.loads(self.sheaf("volume", "list", "-o", "json"))["volumes"]:
            if volume["name"] != "kept":
                self.sheaf("volume", "delete", volume["name"])
        self.sheaf("volume", "create", "last", "--size", "1G")
        self.sheaf("volume", "delete", "last")
        self.assertEqual([path.name for path in (self.pool / "volumes").iterdir()], ["kept"])
        self.assertEqual(len(self.layers()), 1)
        self.assertEqual(self.size_of("kept"), 1 << 30)

    def size_of(self, name):
        return json.loads(self.sheaf("volume", "show", name, "-o", "json"))["size"]
