"""Volumes, images and snapshots as objects that become true; no guest is started."""

import hashlib
import http.server
import json
import signal
import socket
import subprocess
import threading
import time
import unittest

import daemon

VOLUMES = "/apis/sheaf.io/v1/namespaces/default/volumes"
IMAGES = "/apis/sheaf.io/v1/namespaces/default/images"
SNAPSHOTS = "/apis/sheaf.io/v1/namespaces/default/snapshots"
MERGE = {"Content-Type": "application/merge-patch+json"}


class Disks(unittest.TestCase):
    def setUp(self):
        self.daemon = daemon.Daemon()
        self.addCleanup(self.daemon.close)

    def make(self, path, name, spec):
        status, said = self.daemon.ask("POST", path, {"metadata": {"name": name}, "spec": spec})
        self.assertEqual(status, 201, said)
        return said

    def wait(self, path, name, holds):
        """The object for which it holds; None stands for one that is gone. Follows a watch."""
        watch = daemon.UnixConnection(self.daemon.socket)
        self.addCleanup(watch.close)
        watch.request("GET", f"{path}?watch=true&fieldSelector=metadata.name%3D{name}")
        response = watch.getresponse()
        status, said = self.daemon.ask("GET", f"{path}/{name}")
        now = said if status == 200 else None
        while not holds(now):
            event = json.loads(response.readline())
            now = None if event["type"] == "DELETED" else event["object"]
        return now

    @staticmethod
    def reason(one):
        conditions = (one or {}).get("status", {}).get("conditions", [])
        return {c["type"]: c["reason"] for c in conditions}.get("Ready")

    def wait_ready(self, path, name):
        return self.wait(path, name, lambda one: one and one.get("status", {}).get("phase") == "Ready")

    def delete(self, path, name):
        self.daemon.ask("DELETE", f"{path}/{name}")
        self.wait(path, name, lambda one: one is None)

    def pool(self, *words):
        done = subprocess.run([daemon.BINARY, *words, "--pool", self.daemon.folder / "state/pool"],
                              capture_output=True, text=True, timeout=daemon.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def volumes(self):
        return {one["name"]: one for one in json.loads(self.pool("volume", "list", "-o", "json"))["volumes"]}

    def file(self, name, content):
        path = self.daemon.folder / name
        path.write_bytes(content)
        return f"file://{path}", hashlib.sha256(content).hexdigest()

    def test_a_volume_becomes_grows_and_goes(self):
        self.make(VOLUMES, "v", {"size": "64Mi"})
        name = self.wait_ready(VOLUMES, "v")["status"]["volume"]
        self.assertEqual(self.volumes()[name]["size"], 64 << 20)
        status, said = self.daemon.ask("PATCH", f"{VOLUMES}/v", {"spec": {"size": "96Mi"}}, MERGE)
        self.assertEqual(status, 200, said)
        self.wait(VOLUMES, "v", lambda one: one["status"]["size"] == "96Mi")
        self.assertEqual(self.volumes()[name]["size"], 96 << 20)
        status, said = self.daemon.ask("PATCH", f"{VOLUMES}/v", {"spec": {"size": "32Mi"}}, MERGE)
        self.assertEqual((status, said["details"]["causes"][0]["field"]), (422, "spec.size"))
        self.delete(VOLUMES, "v")
        self.assertEqual(self.volumes(), {})

    def test_a_volume_begins_as_an_image_snapshot_or_volume(self):
        content = bytes(range(256)) * 4096
        url, digest = self.file("disk.raw", content)
        self.make(VOLUMES, "root", {"size": "2Mi", "source": {"image": "base"}})
        self.wait(VOLUMES, "root", lambda one: self.reason(one) == "SourceNotFound")
        self.make(IMAGES, "base", {"source": {"url": url, "sha256": digest}})
        self.assertEqual(self.wait_ready(IMAGES, "base")["status"]["sha256"], digest)
        self.wait_ready(VOLUMES, "root")
        self.make(SNAPSHOTS, "before", {"volume": "root"})
        self.wait_ready(SNAPSHOTS, "before")
        self.make(VOLUMES, "again", {"size": "2Mi", "source": {"snapshot": "before"}})
        self.make(VOLUMES, "copy", {"size": "4Mi", "source": {"volume": "root"}})
        for name in ("again", "copy"):
            disk = self.wait_ready(VOLUMES, name)["status"]["volume"]
            out = self.daemon.folder / f"{name}.raw"
            self.pool("volume", "export", disk, str(out))
            exported = out.read_bytes()
            self.assertEqual(exported[:len(content)], content)
            self.assertFalse(any(exported[len(content):]))
        self.daemon.ask("DELETE", f"{VOLUMES}/root")
        self.wait(VOLUMES, "root", lambda one: self.reason(one) == "HasSnapshots")
        self.delete(SNAPSHOTS, "before")
        self.wait(VOLUMES, "root", lambda one: one is None)
        self.delete(IMAGES, "base")
        self.assertEqual(len(self.volumes()), 2)
        for name in self.volumes():
            self.pool("volume", "check", name)

    def test_an_image_by_http_and_one_that_is_not_what_was_meant(self):
        content = b"kernel" * 1000

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/k" else 404)
                self.end_headers()
                self.wfile.write(content if self.path == "/k" else b"")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}"
        self.make(IMAGES, "k", {"kind": "kernel", "source": {"url": f"{url}/k"}})
        status = self.wait_ready(IMAGES, "k")["status"]
        self.assertEqual(status["sha256"], hashlib.sha256(content).hexdigest())
        kept = self.daemon.folder / "state/kernels" / status["image"]
        self.assertEqual(kept.read_bytes(), content)
        self.make(IMAGES, "none", {"source": {"url": f"{url}/none"}})
        said = self.wait(IMAGES, "none", lambda one: self.reason(one) == "Failing")
        self.assertIn("404", said["status"]["conditions"][0]["message"])
        self.make(IMAGES, "wrong", {"kind": "kernel", "source": {"url": f"{url}/k", "sha256": "0" * 64}})
        said = self.wait(IMAGES, "wrong", lambda one: self.reason(one) == "Invalid")
        self.assertIn("has the SHA-256", said["status"]["conditions"][0]["message"])
        for name in ("k", "none", "wrong"):
            self.delete(IMAGES, name)
        self.assertFalse(kept.exists())
        self.assertEqual(list((self.daemon.folder / "state/kernels").iterdir()), [])
        events = self.daemon.ask("GET", "/api/v1/namespaces/default/events")[1]["items"]
        self.assertIn(("none", "Failing"), {(e["involvedObject"]["name"], e["reason"]) for e in events})

    def test_in_use_a_volume_stays(self):
        self.make(VOLUMES, "v", {"size": "4Mi"})
        name = self.wait_ready(VOLUMES, "v")["status"]["volume"]
        served = subprocess.Popen([daemon.BINARY, "volume", "nbd", name, "--pool", self.daemon.folder / "state/pool",
                                   "--socket", self.daemon.folder / "nbd"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(served.stdout.close)
        self.addCleanup(served.wait)
        self.addCleanup(served.kill)
        deadline = time.monotonic() + daemon.PATIENCE
        while not (self.daemon.folder / "nbd").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.daemon.ask("PATCH", f"{VOLUMES}/v", {"spec": {"size": "8Mi"}}, MERGE)
        self.wait(VOLUMES, "v", lambda one: one["status"]["size"] == "8Mi")
        self.daemon.ask("DELETE", f"{VOLUMES}/v")
        said = self.wait(VOLUMES, "v", lambda one: self.reason(one) == "InUse")
        self.assertIn("volume nbd", said["status"]["conditions"][0]["message"])
        served.terminate()
        served.wait()
        self.wait(VOLUMES, "v", lambda one: one is None)
        self.assertEqual(self.volumes(), {})

    def test_killed_again_and_again_nothing_is_lost_or_doubled(self):
        content = b"\1" * (8 << 20)
        url, _ = self.file("disk.raw", content)
        self.make(IMAGES, "base", {"source": {"url": url}})
        for turn in range(10):
            self.make(VOLUMES, f"v{turn}", {"size": "16Mi", "source": {"image": "base"} if turn % 2 else {}})
            if turn > 2:
                self.daemon.ask("DELETE", f"{VOLUMES}/v{turn - 3}")
            self.daemon.stop(signal.SIGKILL)
            self.daemon.start()
        for turn in range(10):
            if turn < 7:
                self.wait(VOLUMES, f"v{turn}", lambda one: one is None)
            else:
                self.wait_ready(VOLUMES, f"v{turn}")
        self.assertEqual(len(self.volumes()), 3)
        for turn in range(7, 10):
            self.delete(VOLUMES, f"v{turn}")
        self.delete(IMAGES, "base")
        pool = self.daemon.folder / "state/pool"
        for shelf in ("volumes", "images", "layers"):
            left = [one.name for one in (pool / shelf).iterdir() if not one.name.startswith(".")]
            self.assertEqual(left, [], shelf)

    def test_the_node(self):
        nodes = "/apis/sheaf.io/v1/nodes"
        name = socket.gethostname().lower()
        node = self.wait(nodes, name, lambda one: self.reason(one))
        self.assertTrue(node["status"]["nodeInfo"]["bootID"])
        self.assertGreaterEqual(int(node["status"]["capacity"]["cpu"]), 1)

    def test_claims(self):
        claims = "/api/v1/namespaces/default/persistentvolumeclaims"
        data = "/apis/cdi.kubevirt.io/v1beta1/namespaces/default/datavolumes"
        url, _ = self.file("disk.raw", b"\2" * (1 << 20))
        self.make(IMAGES, "base", {"source": {"url": url}})
        self.make(claims, "c", {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10M"}}})
        self.make(data, "d", {"sourceRef": {"kind": "Image", "name": "base"},
                              "storage": {"resources": {"requests": {"storage": "2Mi"}}}})
        self.wait(claims, "c", lambda one: one["status"].get("phase") == "Bound" if "status" in one else False)
        self.wait(data, "d", lambda one: one["status"].get("phase") == "Succeeded" if "status" in one else False)
        self.assertEqual(sorted(one["size"] for one in self.volumes().values()), [2 << 20, 10002432])
        self.delete(claims, "c")
        self.delete(data, "d")
        self.assertEqual(self.volumes(), {})

    def test_networks(self):
        networks = "/apis/sheaf.io/v1/namespaces/default/networks"
        if self.reason(self.wait(networks, "default", self.reason)) == "NotPermitted":
            self.skipTest("needs the right to make a bridge")
        self.make(networks, "n", {"bridge": {"name": "test-bridge", "create": True, "address": "10.9.8.7/24"}})
        uid = self.wait_ready(networks, "n")["metadata"]["uid"]
        said = "".join(subprocess.run(["ip", what, "show", "test-bridge"], capture_output=True, text=True).stdout
                       for what in ("link", "address"))
        for word in (f"alias sheaf:{uid}", "inet 10.9.8.7/24", ",UP"):
            self.assertIn(word, said)
        subprocess.run(["ip", "link", "add", "foreign", "type", "bridge"], check=True)
        self.make(networks, "taken", {"bridge": {"name": "foreign", "create": True}})
        self.wait(networks, "taken", lambda one: self.reason(one) == "BridgeTaken")
        self.make(networks, "shared", {"bridge": {"name": "foreign"}})
        self.wait_ready(networks, "shared")
        for name in ("n", "taken", "shared"):
            self.delete(networks, name)
        left = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True).stdout
        self.assertIn("foreign", left)
        self.assertNotIn("test-bridge", left)
        subprocess.run(["ip", "link", "delete", "foreign"], check=True)
