"""What the verbs about volumes do when nothing is wrong."""

import json
import pathlib
import re
import shlex

import sheaf


class Verbs(sheaf.PoolTest):
    def test_create_list_show_delete(self):
        self.sheaf("volume", "create", "root", "--size", "10G")
        self.sheaf("volume", "create", "data", "--size", "1T", "--checksum", "off")
        listed = self.sheaf("volume", "list").splitlines()
        self.assertEqual(listed[0].split(), ["NAME", "SIZE", "USED", "STATE"])
        self.assertRegex(listed[1], r"^data +1 TiB +.*clean$")
        self.assertRegex(listed[2], r"^root +10 GiB +.*clean$")
        shown = dict(line.split(maxsplit=1) for line in self.sheaf("volume", "show", "root").splitlines())
        self.assertEqual((shown["size"], shown["checksums"], shown["layers"]), ("10 GiB", "on", "1"))
        self.sheaf("volume", "delete", "data")
        self.sheaf("volume", "delete", "root")
        self.assertEqual(self.sheaf("volume", "list").splitlines(), ["NAME   SIZE   USED   STATE"])
        self.assertEqual(self.layers(), [])
        self.assertEqual(list((self.pool / "volumes").iterdir()), [])

    def test_output_for_programs(self):
        self.sheaf("volume", "create", "root", "--size", "4K")
        found = json.loads(self.sheaf("volume", "list", "-o", "json"))["volumes"]
        self.assertEqual([volume["name"] for volume in found], ["root"])
        self.assertEqual((found[0]["size"], found[0]["state"], found[0]["checksums"]), (4096, "clean", True))
        yaml = self.sheaf("volume", "show", "root", "-o", "yaml")
        self.assertIn("name: root\n", yaml)
        self.assertIn("size: 4096\n", yaml)

    def test_a_new_volume_takes_no_space_and_reads_as_zeros(self):
        self.sheaf("volume", "create", "root", "--size", "2M")
        self.assertEqual(self.read_independently("root"), bytes(2 << 20))
        found = json.loads(self.sheaf("volume", "show", "root", "-o", "json"))
        self.assertLess(found["used"], 64 << 10)

    def test_what_others_put_into_the_pool_stays(self):
        self.sheaf("volume", "create", "root", "--size", "1G")
        (self.pool / "volumes/notes.txt").write_text("mine")
        (self.pool / "layers/.new-mine").mkdir()
        self.assertEqual(len(self.sheaf("volume", "list").splitlines()), 2)
        self.sheaf("volume", "delete", "root")
        self.assertEqual((self.pool / "volumes/notes.txt").read_text(), "mine")
        self.assertTrue((self.pool / "layers/.new-mine").is_dir())

    def test_the_commands_of_the_readme(self):
        readme = (pathlib.Path(__file__).resolve().parents[3] / "README.md").read_text()
        block = re.search(r"## Volumes\n```sh\n(.*?)```", readme, re.DOTALL).group(1)
        ran = 0
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            # Machines are what integration.probes.Volumes is for.
            if words[:2] == ["sheaf", "run"]:
                continue
            self.assertEqual(words[0], "sheaf", line)
            self.sheaf(*[str(self.pool) if word == "/srv/pool" else word for word in words[1:]], pool=False)
            ran += 1
        self.assertGreater(ran, 3)

    def test_help(self):
        for words in (["volume"], ["volume", "create"], ["volume", "list"], ["simulate"], ["simulate", "volume"]):
            with self.subTest(words=words):
                text = self.sheaf(*words, "--help", pool=False)
                self.assertIn(f"Usage: sheaf {' '.join(words)}", text)
                self.assertIn("Example:\n", text)
        self.assertTrue(re.search(r"^  create ", self.sheaf("volume", "--help", pool=False), re.MULTILINE))
