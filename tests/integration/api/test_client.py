"""The verbs of Sheaf itself about objects, against the daemon, and beside kubectl."""

import json
import os
import pathlib
import re
import subprocess
import unittest

import daemon

VOLUME = "apiVersion: sheaf.io/v1\nkind: Volume\nmetadata: {name: %s, labels: {app: \"yes\"}}\nspec: {size: %s}\n"


class Client(unittest.TestCase):
    def setUp(self):
        self.daemon = daemon.Daemon()
        self.addCleanup(self.daemon.close)

    def sheaf(self, *words, stdin=None, code=0, env=None):
        done = subprocess.run([daemon.BINARY, *words, "--socket", self.daemon.socket], input=stdin, text=True,
                              capture_output=True, timeout=daemon.PATIENCE, env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def apply(self, text, code=0):
        return self.sheaf("apply", "-f", "-", stdin=text, code=code)

    def test_kinds(self):
        said = self.sheaf("kinds")
        self.assertRegex(said, r"virtualmachines +vm.* +kubevirt.io/v1 +yes +VirtualMachine\n")
        self.assertIn("volumes\n", self.sheaf("kinds", "-o", "name"))
        self.assertIn("the server has no kind \"pods\"", self.sheaf("get", "pods", code=65))

    def test_apply(self):
        self.assertEqual(self.apply(VOLUME % ("a", "1Gi")), "volume.sheaf.io/a created\n")
        self.assertEqual(self.apply(VOLUME % ("a", "1Gi")), "volume.sheaf.io/a unchanged\n")
        self.assertEqual(self.apply(VOLUME % ("a", "2Gi")), "volume.sheaf.io/a configured\n")
        found = json.loads(self.sheaf("get", "volume", "a", "-o", "json"))
        self.assertEqual((found["spec"]["size"], found["metadata"]["labels"]), ("2Gi", {"app": "yes"}))
        # What the file no longer says goes, what somebody else has said stays.
        status, said = self.daemon.ask("PATCH", "/apis/sheaf.io/v1/namespaces/default/volumes/a", {"metadata": {"labels": {"o": "x"}}},
                                       {"Content-Type": "application/merge-patch+json"})
        self.assertEqual(status, 200, said)
        self.apply((VOLUME % ("a", "2Gi")).replace('{app: "yes"}', "{}"))
        found = json.loads(self.sheaf("get", "volume", "a", "-o", "json"))
        self.assertEqual(found["metadata"]["labels"], {"o": "x"})

    def test_apply_goes_on_after_a_mistake(self):
        several = "---\n".join([VOLUME % ("a", "1Gi"), VOLUME % ("b", "lots"), "kind: Volume\n", VOLUME % ("c", "1Gi")])
        said = self.apply(several, code=65)
        for word in ("volume.sheaf.io/a created", "volume.sheaf.io/c created", "spec.size", "it has no apiVersion"):
            self.assertIn(word, said)
        self.assertIn("line 2", self.apply("a: 1\na: 2\n", code=65))
        self.assertIn("there is no object in -", self.apply("# nothing\n", code=65))
        self.assertIn("No such file", self.sheaf("apply", "-f", "/nonexistent", code=65))
        self.assertEqual(self.sheaf("apply", "-f", "-", "--dry-run", stdin=VOLUME % ("d", "1Gi")), "volume.sheaf.io/d created\n")
        self.assertIn("not found", self.sheaf("get", "volume", "d", code=65))

    def test_lists(self):
        kinds = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
            f"- {{apiVersion: v1, kind: Secret, metadata: {{name: v{n:04}}}, type: Opaque}}\n" for n in range(600))
        self.assertEqual(self.apply(kinds).count("created"), 600)
        lines = self.sheaf("get", "secrets").splitlines()
        self.assertEqual((len(lines), lines[0].split()[0], lines[600].split()[0]), (601, "NAME", "v0599"))
        self.assertTrue(self.sheaf("get", "secrets", "-A").startswith("NAMESPACE"))
        self.assertEqual(len(json.loads(self.sheaf("get", "secrets", "-o", "json"))["items"]), 600)
        self.assertEqual(self.sheaf("get", "secrets", "v0001", "-o", "name"), "secret/v0001\n")
        self.assertEqual(self.sheaf("get", "secrets", "-l", "app=yes", "-o", "name"), "")
        self.assertIn("there are no images in default", self.sheaf("get", "images"))
        self.assertIn("600", str(self.sheaf("delete", "secrets", "--all").count("deleted")))
        self.assertIn("there are no secrets", self.sheaf("get", "secrets"))

    def test_delete(self):
        self.apply("---\n".join(VOLUME % (name, "1Gi") for name in "abc"))
        self.assertEqual(self.sheaf("delete", "vol", "a", "b"), "volume.sheaf.io/a deleted\nvolume.sheaf.io/b deleted\n")
        self.assertEqual(self.sheaf("delete", "-f", "-", stdin=VOLUME % ("c", "1Gi")), "volume.sheaf.io/c deleted\n")
        self.assertIn("not found", self.sheaf("delete", "vol", "c", code=65))
        self.sheaf("delete", "vol", "c", "--ignore-missing")
        self.assertIn("a NAME, or -l, or --all", self.sheaf("delete", "vol", code=65))
        self.assertIn("either KIND and NAME, or -f", self.sheaf("delete", code=65))

    def test_delete_waits(self):
        self.apply((VOLUME % ("a", "1Gi")).replace("name: a", "name: a, finalizers: [example.org/x]"))
        process = subprocess.Popen([daemon.BINARY, "delete", "vol", "a", "--socket", self.daemon.socket], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        watch = self.begin("watch", "vol", "-o", "json")
        while not json.loads(watch.stdout.readline())["object"]["metadata"].get("deletionTimestamp"):
            pass
        self.assertIsNone(process.poll())
        self.daemon.ask("PATCH", "/apis/sheaf.io/v1/namespaces/default/volumes/a", {"metadata": {"finalizers": None}},
                        {"Content-Type": "application/merge-patch+json"})
        self.assertEqual(process.communicate(timeout=daemon.PATIENCE)[0], "volume.sheaf.io/a deleted\n")

    def begin(self, *words):
        process = subprocess.Popen([daemon.BINARY, *words, "--socket", self.daemon.socket], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_watch(self):
        self.apply(VOLUME % ("a", "1Gi"))
        watch = self.begin("watch", "vol")
        self.assertEqual(watch.stdout.readline().split()[:2], ["EVENT", "NAME"])
        self.assertEqual(watch.stdout.readline().split()[:2], ["ADDED", "a"])
        follow = self.begin("get", "vol", "a", "-w", "-o", "name")
        self.assertEqual(follow.stdout.readline(), "volume.sheaf.io/a\n")
        self.apply(VOLUME % ("b", "1Gi"))
        def seen():
            # What the daemon does about a volume is seen as well.
            words = watch.stdout.readline().split()[:2]
            return words if words[:1] != ["MODIFIED"] else seen()
        self.assertEqual(seen(), ["ADDED", "b"])
        self.apply(VOLUME % ("a", "2Gi"))
        self.assertEqual(follow.stdout.readline(), "volume.sheaf.io/a\n")
        self.sheaf("delete", "vol", "b")
        self.assertEqual(seen(), ["DELETED", "b"])
        self.daemon.stop()
        self.assertEqual(watch.wait(daemon.PATIENCE), 69)

    def test_describe(self):
        self.apply(VOLUME % ("a", "1Gi"))
        self.apply("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hidden}\n")
        said = self.sheaf("describe", "vol", "a")
        for word in ("Name:        a", "Labels:      app=yes", "Spec:\n  size: 1Gi", "Events:      <none>"):
            self.assertIn(word, said)
        said = self.sheaf("describe", "secret", "s")
        self.assertIn("password: 6 bytes", said)
        self.assertNotIn("aGlkZGVu", said)

    def test_edit(self):
        self.apply(VOLUME % ("a", "1Gi"))
        edit = lambda command, code=0: self.sheaf("edit", "vol", "a", code=code, env={"VISUAL": command, "TMPDIR": str(self.daemon.folder)})
        self.assertEqual(edit("sed -i s/1Gi/2Gi/"), "volume.sheaf.io/a edited\n")
        self.assertEqual(edit("true"), "volume.sheaf.io/a unchanged\n")
        self.assertEqual(list(self.daemon.folder.glob("sheaf-edit*")), [])
        said = edit("sed -i s/2Gi/lots/", code=65)
        self.assertIn("spec.size", said)
        kept, = self.daemon.folder.glob("sheaf-edit*")
        self.assertIn(str(kept), said)
        self.assertIn("size: lots", kept.read_text())
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        self.assertIn("ended with 3", edit("sh -c 'exit 3' --", code=70))

    def test_says_what_to_do(self):
        nowhere = pathlib.Path(self.daemon.folder) / "nowhere"
        done = subprocess.run([daemon.BINARY, "get", "vm", "--socket", nowhere], capture_output=True, text=True, timeout=daemon.PATIENCE)
        self.assertEqual(done.returncode, 69)
        self.assertIn(f"no daemon listens at {nowhere}; start one with", done.stderr)

    @unittest.skipUnless(daemon.KUBECTL, "needs kubectl (Debian's kubernetes-client)")
    def test_is_at_one_with_kubectl(self):
        strange = VOLUME % ("a", "1Gi") + "\n---\n" + ("apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {n: '1', m: 0o7}}\n"
                                                      "data: {a: &x aGk=, 1: *x, no: aGk=}\n").replace(", m: 0o7", "")
        self.apply(strange)
        said = self.daemon.kubectl("apply", "-f", "-", stdin=strange)
        self.assertEqual(said.count("unchanged"), 2, said)
        self.assertEqual(self.apply(strange).count("unchanged"), 2)
        ours = json.loads(self.sheaf("get", "secret", "s", "-o", "json"))
        self.daemon.kubectl("delete", "secret", "s")
        self.daemon.kubectl("apply", "-f", "-", stdin=strange)
        theirs = json.loads(self.sheaf("get", "secret", "s", "-o", "json"))
        self.assertEqual(ours["data"], theirs["data"])
        self.assertEqual(ours["metadata"]["annotations"], theirs["metadata"]["annotations"])

    def test_readme(self):
        text = (pathlib.Path(__file__).resolve().parents[3] / "README.md").read_text()
        lines, = re.findall(r"## Objects\n.*?```sh\n(.*?)```", text, re.DOTALL)
        lines = lines.replace("/run/sheaf/api.sock", str(self.daemon.socket))
        (self.daemon.folder / "sheaf").symlink_to(daemon.BINARY)
        done = subprocess.run(["bash", "-exc", lines], capture_output=True, text=True, cwd=self.daemon.folder, timeout=daemon.PATIENCE,
                              env={**os.environ, "PATH": f"{self.daemon.folder}:{os.environ['PATH']}", "EDITOR": "sed -i s/Halted/Always/",
                                   "SHEAF_SOCKET": str(self.daemon.socket)})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for word in ("web created", "web configured", "web edited", "volume.sheaf.io/web-root deleted"):
            self.assertIn(word, done.stdout)

    def test_machines(self):
        said = self.sheaf("vm", "create", "web", "--image", "debian", "--disk", "20Gi", "--memory", "lots", code=65)
        self.assertIn("spec.template.spec.domain.memory.guest", said)
        self.assertIn("there are no volumes", self.sheaf("get", "volumes"))
        key = self.daemon.folder / "key.pub"
        key.write_text("ssh-ed25519 AAAA me\n")
        self.sheaf("vm", "create", "web", "--image", "debian", "--disk", "20Gi", "--ssh-key", key, "--network", "lan", "--start")
        machine = json.loads(self.sheaf("vm", "list", "-o", "json"))["items"][0]
        self.assertEqual(machine["spec"]["runStrategy"], "Always")
        self.assertIn("ssh-ed25519 AAAA me", json.dumps(machine))
        self.assertIn("already exists", self.sheaf("vm", "create", "web", "--kernel", "linux", code=65))
        self.assertIn("--image is missing", self.sheaf("vm", "create", "x", code=65))
        self.assertIn("--disk is missing", self.sheaf("vm", "create", "x", "--image", "debian", code=65))
        self.assertIn("Name:        web", self.sheaf("vm", "show", "web"))
        self.assertIn("volume.sheaf.io/web-root is kept", self.sheaf("vm", "delete", "web"))
        self.assertIn("web-root", self.sheaf("get", "volumes"))
