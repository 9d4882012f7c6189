"""Who may what: by the unix socket, by certificates and by tokens; and TLS that is none."""

import hashlib
import json
import os
import pathlib
import socket
import ssl
import stat
import subprocess
import unittest

import daemon

SECRETS = "/api/v1/namespaces/default/secrets"
VOLUMES = "/apis/sheaf.io/v1/namespaces/default/volumes"
POLICY = {
    "tokens": [{"sha256": hashlib.sha256(b"open sesame").hexdigest(), "user": "ci", "groups": ["builders"]}],
    "bindings": [{"role": "editor", "groups": ["builders"], "namespaces": ["default"]},
                 {"role": "viewer", "users": ["eve"]}],
}


def volume(name):
    return {"metadata": {"name": name}, "spec": {"size": "1Gi"}}


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = daemon.Daemon()
        cls.addClassCleanup(cls.daemon.close)

    def write_policy(self, policy):
        path = self.daemon.state / "access.json"
        path.write_text(policy if isinstance(policy, str) else json.dumps(policy))
        path.chmod(0o600)

    def by_token(self, method, target, body=None, token="open sesame"):
        return self.daemon.ask_by_tls(method, target, body, {"Authorization": f"Bearer {token}"}, self.daemon.tls(None))

    def test_secrets_are_the_owners(self):
        pki = self.daemon.state / "pki"
        self.assertEqual(stat.S_IMODE(pki.stat().st_mode), 0o700)
        for name in ("authority.pem", "server.pem", "admin.pem"):
            self.assertEqual(stat.S_IMODE((pki / name).stat().st_mode), 0o600)

    def test_administrator(self):
        self.assertEqual(self.daemon.ask_by_tls("POST", VOLUMES, volume("a"))[0], 201)
        self.assertEqual(self.daemon.ask_by_tls("DELETE", VOLUMES + "/a")[0], 200)
        self.assertEqual(self.daemon.ask_by_tls("GET", "/apis")[0], 200)

    def test_nobody(self):
        nobody = self.daemon.tls(None)
        for method, target in (("GET", "/apis"), ("GET", SECRETS), ("POST", VOLUMES), ("GET", "/metrics"), ("GET", "/x/../y")):
            status, said = self.daemon.ask_by_tls(method, target, context=nobody)
            self.assertEqual((status, said["reason"]), (401, "Unauthorized"))
        self.assertEqual(self.daemon.ask_by_tls("GET", "/healthz", context=nobody), (200, "ok"))
        self.assertEqual(self.by_token("GET", "/apis", token="open sesame ")[0], 401)

    def test_roles(self):
        self.write_policy(POLICY)
        self.assertEqual(self.by_token("POST", VOLUMES, volume("t"))[0], 201)
        self.assertEqual(self.by_token("GET", SECRETS)[0], 200)
        status, said = self.by_token("GET", "/apis/sheaf.io/v1/volumes")
        self.assertEqual((status, said["reason"]), (403, "Forbidden"))
        self.assertIn('User "ci" cannot list resource "volumes"', said["message"])
        self.assertEqual(self.by_token("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})[0], 403)
        machine = {"metadata": {"name": "m"}, "spec": {"runStrategy": "Halted", "template": {"spec": {
            "domain": {"devices": {"disks": [{"name": "d", "disk": {}}]}},
            "volumes": [{"name": "d", "hostDisk": {"path": "/etc/shadow", "type": "Disk"}}]}}}}
        status, said = self.by_token("POST", "/apis/kubevirt.io/v1/namespaces/default/virtualmachines", machine)
        self.assertEqual(status, 403, said)
        self.assertIn("only an admin of the cluster may", said["message"])
        status, said = self.daemon.ask("POST", "/apis/kubevirt.io/v1/namespaces/default/virtualmachines", machine)
        self.assertEqual(status, 201, said)
        status, said = self.by_token("PATCH", "/apis/kubevirt.io/v1/namespaces/default/virtualmachines/m")
        self.assertEqual(status, 415, said)
        self.assertEqual(self.by_token("DELETE", VOLUMES + "/t")[0], 200)
        # A file that makes no sense changes nothing; one that is gone takes everything.
        self.write_policy('{"tokens": [{}]}')
        self.assertEqual(self.by_token("GET", SECRETS)[0], 200)
        (self.daemon.state / "access.json").unlink()
        self.assertEqual(self.by_token("GET", SECRETS)[0], 401)

    def test_viewer_by_certificate(self):
        self.write_policy(POLICY)
        config = self.daemon.kubeconfig("--user", "eve")
        if not daemon.KUBECTL:
            self.skipTest("needs kubectl")
        self.daemon.kubectl("get", "volumes", "-A", config=config)
        self.assertIn("Forbidden", self.daemon.kubectl("get", "secrets", config=config, fails=True))
        self.assertIn("Forbidden", self.daemon.kubectl("delete", "ns", "default", config=config, fails=True))

    def test_a_stranger_of_this_host(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        # The way to the socket is made open: what keeps the stranger out is the daemon.
        self.daemon.folder.chmod(0o755)
        self.daemon.socket.chmod(0o666)
        code = ("import os, socket; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
                f"s = socket.socket(socket.AF_UNIX); s.connect('{self.daemon.socket}')\n"
                "s.sendall(b'GET /healthz HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); print(s.recv(1000).decode())")
        said = subprocess.run(["python3", "-c", code], capture_output=True, text=True, check=True, timeout=daemon.PATIENCE)
        self.assertTrue(said.stdout.startswith("HTTP/1.1 403"), said.stdout)
        self.daemon.socket.chmod(0o600)

    def test_wrong_certificates(self):
        folder = pathlib.Path(self.daemon.folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                        "-subj", "/O=system:masters/CN=admin", "-keyout", folder / "own.key", "-out", folder / "own.crt"],
                       check=True, capture_output=True)
        own = self.daemon.tls(None)
        own.load_cert_chain(folder / "own.crt", folder / "own.key")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.daemon.ask_by_tls("GET", "/apis", context=own)
        # The server's own certificate is none of a client.
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.daemon.ask_by_tls("GET", "/apis", context=self.daemon.tls("server"))
        self.assertEqual(self.daemon.ask_by_tls("GET", "/healthz"), (200, "ok"))

    def test_no_tls(self):
        sockets = []
        for said in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", os.urandom(4096), b"\x16\x03\x01\xff\xff" + b"\0" * 4096, b"\x16", b""):
            client = socket.create_connection(("127.0.0.1", self.daemon.port()), timeout=daemon.PATIENCE)
            client.sendall(said)
            sockets.append(client)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode, old.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.daemon.ask_by_tls("GET", "/healthz", context=old)
        self.assertEqual(self.daemon.ask_by_tls("GET", "/healthz"), (200, "ok"))
        for client in sockets:
            client.close()

    def test_certificates_stay(self):
        files = [self.daemon.state / "pki" / name for name in ("authority.pem", "server.pem", "admin.pem")]
        before = [file.read_text() for file in files]
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual([file.read_text() for file in files], before)
        self.assertEqual(self.daemon.ask_by_tls("GET", "/apis")[0], 200)

    def test_init(self):
        state = self.daemon.folder / "fresh"
        for _ in range(2):
            subprocess.run([daemon.BINARY, "daemon", "init", "--state-dir", state, "--listen", "192.0.2.7:6444"], check=True,
                           timeout=daemon.PATIENCE)
        said = subprocess.run(["openssl", "x509", "-in", state / "pki/server.pem", "-noout", "-text"], capture_output=True, text=True,
                              check=True).stdout
        for word in ("IP Address:192.0.2.7", "DNS:localhost", "TLS Web Server Authentication", "prime256v1"):
            self.assertIn(word, said)
        subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", state / "pki/authority.crt", "-purpose", "sslserver",
                        state / "pki/server.pem"], check=True, capture_output=True)
        done = subprocess.run([daemon.BINARY, "kubeconfig", "--state-dir", state], capture_output=True, text=True,
                              timeout=daemon.PATIENCE)
        self.assertIn("no daemon with TLS has run", done.stderr)

    def test_mistakes_are_told(self):
        for words, reason in ((["--listen", "localhost:1"], "neither"), (["--listen", "1.2.3.4:99999"], "neither"),
                              (["--listen", f"127.0.0.1:{self.daemon.port()}"], "somebody listens there")):
            done = subprocess.run([daemon.BINARY, "daemon", "--state-dir", self.daemon.folder / "other", "--socket",
                                   self.daemon.folder / "other.sock", *words], capture_output=True, text=True, timeout=daemon.PATIENCE)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(reason, done.stderr)
            self.assertFalse((self.daemon.folder / "other.sock").exists())
