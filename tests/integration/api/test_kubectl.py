"""kubectl as it is, against the daemon, over TLS."""

import json
import subprocess
import unittest

import daemon

MACHINE = """
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: web
  labels: {app: web}
spec:
  runStrategy: Always
  template:
    metadata:
      labels: {app: web}
    spec:
      domain:
        cpu: {cores: 2}
        resources:
          requests: {memory: 1Gi}
        devices:
          disks:
          - name: root
            disk: {bus: virtio}
      volumes:
      - name: root
        persistentVolumeClaim: {claimName: web}
"""


@unittest.skipUnless(daemon.KUBECTL, "needs kubectl (Debian's kubernetes-client)")
class Kubectl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = daemon.Daemon()
        cls.addClassCleanup(cls.daemon.close)

    def kubectl(self, *words, **more):
        return self.daemon.kubectl(*words, **more)

    def tearDown(self):
        self.kubectl("delete", "vm,volumes,secrets", "--all")

    def minor(self):
        said = self.kubectl("version", "--client", "-o", "json")
        return int(json.loads(said)["clientVersion"]["minor"].strip("+"))

    def test_resources(self):
        said = self.kubectl("api-resources")
        for word in ("virtualmachines", "kubevirt.io", "VirtualMachineInstance", "vmi,vmis", "namespaces"):
            self.assertIn(word, said)
        self.assertIn("sheaf.io/v1", self.kubectl("api-versions"))
        self.assertIn("sheaf", self.kubectl("version"))

    def test_apply(self):
        self.assertIn("created", self.kubectl("apply", "-f", "-", stdin=MACHINE))
        self.assertIn("unchanged", self.kubectl("apply", "-f", "-", stdin=MACHINE))
        changed = MACHINE.replace("cores: 2", "cores: 4").replace("labels: {app: web}", "labels: {tier: x}", 1)
        self.assertIn("configured", self.kubectl("apply", "-f", "-", stdin=changed))
        machine = json.loads(self.kubectl("get", "vm", "web", "-o", "json"))
        self.assertEqual(machine["spec"]["template"]["spec"]["domain"]["cpu"]["cores"], 4)
        self.assertEqual(machine["metadata"]["labels"], {"tier": "x"})
        self.assertEqual(machine["metadata"]["generation"], 2)
        secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n"
        self.assertIn("created", self.kubectl("apply", "-f", "-", stdin=secret))
        self.assertIn("configured", self.kubectl("apply", "-f", "-", stdin=secret.replace("a: b", "a: c")))

    def test_apply_by_the_server(self):
        self.assertIn("serverside-applied", self.kubectl("apply", "--server-side", "-f", "-", stdin=MACHINE))
        before = self.kubectl("get", "vm", "web", "-o", "jsonpath={.metadata.resourceVersion}")
        self.assertIn("serverside-applied", self.kubectl("apply", "--server-side", "-f", "-", stdin=MACHINE))
        self.assertEqual(self.kubectl("get", "vm", "web", "-o", "jsonpath={.metadata.resourceVersion}"), before)
        changed = MACHINE.replace("cores: 2", "cores: 4")
        self.kubectl("apply", "--server-side", "-f", "-", stdin=changed)
        self.assertIn("cores: 4", self.kubectl("get", "vm", "web", "-o", "yaml"))
        other = ("apply", "--server-side", "--field-manager", "other", "-f", "-")
        self.assertIn("conflict", self.kubectl(*other, stdin=MACHINE, fails=True))
        self.kubectl(*other, "--force-conflicts", stdin=MACHINE)
        self.assertIn("cores: 2", self.kubectl("get", "vm", "web", "-o", "yaml"))

    def test_apply_refuses(self):
        wrong = MACHINE.replace("cores: 2", "cores: 2, turbo: 1")
        self.assertIn("turbo", self.kubectl("apply", "-f", "-", stdin=wrong, fails=True))
        # Where kubectl asks for it, what is unknown is left out. 1.20 cannot ask, and it is refused.
        lenient = self.minor() >= 25
        said = self.kubectl("apply", "--validate=false", "-f", "-", stdin=wrong, fails=not lenient)
        self.assertIn("created" if lenient else "spec.template.spec.domain.cpu.turbo", said)
        said = self.kubectl("apply", "-f", "-", stdin=MACHINE.replace("name: root\n            disk", "name: r\n            disk"), fails=True)
        self.assertIn("spec.template.spec.domain.devices.disks[0].name", said)

    def test_get(self):
        self.assertIn("No resources found", self.kubectl("get", "vm"))
        self.kubectl("create", "-f", "-", stdin=MACHINE)
        table = self.kubectl("get", "vm").split("\n")
        self.assertEqual(table[0].split(), ["NAME", "STATUS", "STRATEGY", "READY", "AGE"])
        self.assertEqual(table[1].split()[0], "web")
        self.assertIn("Always", table[1])
        self.assertIn("NAMESPACE", self.kubectl("get", "vm", "-A"))
        self.assertIn("web", self.kubectl("get", "vm", "web", "-o", "wide"))
        self.assertIn("cores: 2", self.kubectl("get", "vm", "web", "-o", "yaml"))
        self.assertIn("virtualmachine.kubevirt.io/web", self.kubectl("get", "vm", "-l", "app=web", "-o", "name"))
        self.assertEqual("", self.kubectl("get", "vm", "-l", "app!=web", "-o", "name"))
        self.assertIn("NotFound", self.kubectl("get", "vm", "none", fails=True))

    def test_change(self):
        self.kubectl("create", "-f", "-", stdin=MACHINE)
        self.assertIn("patched", self.kubectl("patch", "vm", "web", "--type=merge", "-p", '{"spec":{"runStrategy":"Halted"}}'))
        self.assertIn("patched", self.kubectl("patch", "vm", "web", "--type=json", "-p",
                                              '[{"op":"replace","path":"/spec/runStrategy","value":"Manual"}]'))
        self.assertIn("labeled", self.kubectl("label", "vm", "web", "tier=front"))
        self.assertIn("annotated", self.kubectl("annotate", "vm", "web", "note=x"))
        said = self.kubectl("describe", "vm", "web")
        for word in ("tier=front", "Run Strategy:", "Manual", "Events:"):
            self.assertIn(word, said)
        self.assertIn("deleted", self.kubectl("delete", "vm", "web"))

    def test_edit(self):
        self.kubectl("create", "-f", "-", stdin=MACHINE)
        done = subprocess.run(self.daemon.command("edit", "vm", "web"), capture_output=True, text=True, timeout=daemon.PATIENCE,
                              env={**self.daemon.environment(), "KUBE_EDITOR": "sed -i s/Always/Halted/"})
        self.assertIn("edited", done.stdout, done.stderr)

    def test_events(self):
        self.kubectl("create", "-f", "-", stdin=MACHINE)
        uid = self.kubectl("get", "vm", "web", "-o", "jsonpath={.metadata.uid}")
        event = {"metadata": {"name": "web.1"}, "reason": "Started", "message": "it runs", "type": "Normal",
                 "lastTimestamp": "2026-01-01T00:00:00Z", "firstTimestamp": "2026-01-01T00:00:00Z", "count": 1,
                 "source": {"component": "sheaf"},
                 "involvedObject": {"kind": "VirtualMachine", "name": "web", "namespace": "default", "uid": uid}}
        status, said = self.daemon.ask("POST", "/api/v1/namespaces/default/events", event)
        self.assertEqual(status, 201, said)
        self.assertIn("it runs", self.kubectl("describe", "vm", "web"))
        self.assertIn("Started", self.kubectl("get", "events"))
        self.kubectl("delete", "event", "web.1")

    def test_explain(self):
        self.assertIn("runStrategy", self.kubectl("explain", "vm.spec"))
        self.assertIn("cores", self.kubectl("explain", "vm.spec.template.spec.domain.cpu"))

    def begin(self, *words):
        """A kubectl that goes on; its lines can be read."""
        process = subprocess.Popen(self.daemon.command(*words), stdout=subprocess.PIPE, text=True,
                                   env=self.daemon.environment())
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_watch(self):
        watch = self.begin("get", "vm", "-w", "-o", "name")
        self.kubectl("create", "-f", "-", stdin=MACHINE)
        self.assertEqual(watch.stdout.readline(), "virtualmachine.kubevirt.io/web\n")
        self.kubectl("label", "vm", "web", "x=y")
        self.assertEqual(watch.stdout.readline(), "virtualmachine.kubevirt.io/web\n")

    def test_wait(self):
        self.kubectl("create", "-f", "-", stdin="apiVersion: sheaf.io/v1\nkind: Volume\nmetadata: {name: web}\nspec: {size: 1Gi}\n")
        wait = self.begin("wait", "vol/web", "--for=condition=Ready", "--timeout=50s")
        self.assertIn("condition met", wait.stdout.readline())
        self.kubectl("delete", "vol", "web")

    def test_namespaces(self):
        self.assertIn("Active", self.kubectl("get", "ns", "default"))
        self.kubectl("create", "namespace", "other")
        self.kubectl("-n", "other", "create", "secret", "generic", "s", "--from-literal=a=b")
        self.assertIn("Opaque", self.kubectl("-n", "other", "get", "secret", "s"))
        self.assertIn("1", self.kubectl("-n", "other", "describe", "secret", "s"))
        self.assertIn("Active", self.kubectl("describe", "namespace", "other"))
        self.kubectl("delete", "namespace", "other")
        self.assertIn("NotFound", self.kubectl("get", "ns", "other", fails=True))
