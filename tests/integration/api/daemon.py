"""A daemon in a folder of its own, kubectl as its client, and what they say."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

BINARY = None
KUBECTL = shutil.which("kubectl")
PATIENCE = 60  # seconds
LISTEN = "127.0.0.1:0"  # any port that is free


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("sheaf", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


class Daemon:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-api-"))
        self.socket = self.folder / "api.sock"
        self.state = self.folder / "state"
        self.log = self.folder / "log"
        self.start()

    def start(self):
        """Ready once it says so to NOTIFY_SOCKET."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = self.folder / "notify"
            path.unlink(missing_ok=True)
            notify.bind(str(path))
            notify.settimeout(PATIENCE)
            # A pipe that nobody reads would be full one day, and the daemon would wait for that.
            with open(self.log, "w", encoding="utf-8") as log:
                self.process = subprocess.Popen(
                    [BINARY, "daemon", "--state-dir", self.state, "--socket", self.socket, "--listen", LISTEN],
                    env={**os.environ, "NOTIFY_SOCKET": str(path)}, stderr=log)
            said = notify.recv(100)
        if said != b"READY=1":
            raise AssertionError(said)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=PATIENCE)
        return self.process.returncode, self.log.read_text()

    def close_keeping_folder(self):
        if self.process.poll() is None:
            self.stop()

    def close(self):
        self.close_keeping_folder()
        shutil.rmtree(self.folder)

    def ask(self, method, target, body=None, headers=None):
        connection = UnixConnection(self.socket)
        connection.request(method, target, body if body is None else json.dumps(body), headers or {})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text.startswith(b"{") else text.decode()

    def port(self):
        return int((self.state / "pki/address").read_text().rsplit(":", 1)[1])

    def tls(self, user="admin"):
        """What a client needs to believe the daemon, and to be believed; without a user only the first."""
        context = ssl.create_default_context(cafile=self.state / "pki/authority.crt")
        if user:
            context.load_cert_chain(self.state / f"pki/{user}.pem")
        return context

    def ask_by_tls(self, method, target, body=None, headers=None, context=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port(), timeout=PATIENCE, context=context or self.tls())
        connection.request(method, target, body if body is None else json.dumps(body), headers or {})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text.startswith(b"{") else text.decode()

    def command(self, *words):
        return [KUBECTL, "--cache-dir", str(self.folder / "cache"), *words]

    def kubeconfig(self, *words):
        done = subprocess.run([BINARY, "kubeconfig", "--state-dir", self.state, *words], capture_output=True, text=True,
                              check=True, timeout=PATIENCE)
        config = self.folder / ("kubeconfig" + "-".join(words))
        config.write_text(done.stdout)
        config.chmod(0o600)
        return config

    def environment(self, config=None):
        return {**os.environ, "HOME": str(self.folder), "KUBECONFIG": str(config or self.kubeconfig())}

    def kubectl(self, *words, stdin=None, fails=False, config=None):
        done = subprocess.run(self.command(*words), input=stdin, capture_output=True, text=True,
                              timeout=PATIENCE, env=self.environment(config))
        if fails != (done.returncode != 0):
            raise AssertionError(f"kubectl {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr
