"""Manifests in the form of KubeVirt: which are taken, and by which fields the others are refused (docs/api.md, Manifests)."""

import pathlib
import re
import subprocess
import unittest

import daemon

FOLDER = pathlib.Path(__file__).resolve().parent / "manifests"
DOCUMENT = pathlib.Path(__file__).resolve().parents[3] / "docs/api.md"
TAKEN = ["boot-disk-from-http", "cloud-init", "data-volume", "host-disk", "two-claims", "two-networks"]
REFUSED = {
    "container-disk": ["spec.template.spec.volumes[0].containerDisk"],
    "registry-source": ["spec.dataVolumeTemplates[0].spec.source.registry"],
    "old-hardware": ["spec.template.spec.domain.devices.disks[0].disk.bus", "spec.template.spec.domain.devices.interfaces[0].model"],
    "cluster-features": ["spec.instancetype", "spec.template.spec.nodeSelector", "spec.template.spec.evictionStrategy",
                         "spec.template.spec.livenessProbe", "spec.template.spec.domain.features",
                         "spec.template.spec.domain.firmware.bootloader", "spec.template.spec.domain.devices.gpus"],
}


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = daemon.Daemon()
        cls.addClassCleanup(cls.daemon.close)

    def sheaf(self, verb, name, code=0):
        done = subprocess.run([daemon.BINARY, verb, "--socket", self.daemon.socket, "-f", FOLDER / f"{name}.yaml"], text=True,
                              capture_output=True, timeout=daemon.PATIENCE)
        self.assertEqual(done.returncode, code, f"{name}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def test_all_are_named(self):
        self.assertEqual(sorted(path.stem for path in FOLDER.glob("*.yaml")), sorted([*TAKEN, *REFUSED]))
        section = DOCUMENT.read_text().split("### Manifests\n")[1].split("\n#")[0]
        rows = dict(re.findall(r"^\| \[([\w-]+)\]\(\S+\) \|.*\| (.*) \|$", section, re.M))
        self.assertEqual(sorted(rows), sorted([*TAKEN, *REFUSED]))
        for name, fields in rows.items():
            self.assertEqual(re.findall(r"`([^`]+)`", fields), REFUSED.get(name, []), name)

    def test_taken_by_sheaf(self):
        for name in TAKEN:
            self.assertIn(f"/{name} created", self.sheaf("apply", name))
            self.assertNotIn("created", self.sheaf("apply", name))
            self.assertIn(f"/{name} deleted", self.sheaf("delete", name))

    @unittest.skipUnless(daemon.KUBECTL, "kubectl is missing")
    def test_taken_by_kubectl(self):
        for name in TAKEN:
            self.assertIn(f"/{name} created", self.daemon.kubectl("apply", "-f", str(FOLDER / f"{name}.yaml")))
            # A null in a list is a difference to kubectl, though to nobody else.
            self.assertRegex(self.daemon.kubectl("apply", "-f", str(FOLDER / f"{name}.yaml")), f"/{name} (unchanged|configured)")
            self.assertIn(f'"{name}" deleted', self.daemon.kubectl("delete", "-f", str(FOLDER / f"{name}.yaml")))

    def test_refused_by_the_path_of_each_field(self):
        for name, fields in REFUSED.items():
            said = self.sheaf("apply", name, code=65)
            self.assertEqual(re.findall(r'spec[\w.\[\]]+', said), fields, said)

    @unittest.skipUnless(daemon.KUBECTL, "kubectl is missing")
    def test_refused_also_for_kubectl(self):
        for name, fields in REFUSED.items():
            said = self.daemon.kubectl("apply", "-f", str(FOLDER / f"{name}.yaml"), fails=True)
            for field in fields:
                self.assertIn(field.rsplit(".", 1)[1], said)
