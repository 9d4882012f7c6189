"""A daemon in a folder of its own, a way for kubectl to its socket, and what they say."""

import http.client
import json
import os
import pathlib
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

BINARY = None
KUBECTL = shutil.which("kubectl")
PATIENCE = 60  # seconds


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("sheaf", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


class Bridge:
    """kubectl speaks to TCP ports alone: one of loopback leads to the socket."""

    def __init__(self, path):
        self.path = str(path)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        with client, socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as ready:
            server.connect(self.path)
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    try:
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        key.data.sendall(data)
                    except OSError:
                        return

    def close(self):
        self.listener.close()


class Daemon:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-api-"))
        self.socket = self.folder / "api.sock"
        self.bridge = None
        self.start()

    def start(self):
        """Ready once it says so to NOTIFY_SOCKET."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = self.folder / "notify"
            path.unlink(missing_ok=True)
            notify.bind(str(path))
            notify.settimeout(PATIENCE)
            self.process = subprocess.Popen(
                [BINARY, "daemon", "--state-dir", self.folder / "state", "--socket", self.socket],
                env={**os.environ, "NOTIFY_SOCKET": str(path)}, stderr=subprocess.PIPE, text=True)
            said = notify.recv(100)
        if said != b"READY=1":
            raise AssertionError(said)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said

    def close_keeping_folder(self):
        if self.process.poll() is None:
            self.stop()
        if self.bridge:
            self.bridge.close()

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

    def command(self, *words):
        if not self.bridge:
            self.bridge = Bridge(self.socket)
        return [KUBECTL, "--server", f"http://127.0.0.1:{self.bridge.port}",
                "--cache-dir", str(self.folder / "cache"), *words]

    def environment(self):
        config = self.folder / "kubeconfig"
        config.write_text("apiVersion: v1\nkind: Config\n")
        return {**os.environ, "HOME": str(self.folder), "KUBECONFIG": str(config)}

    def kubectl(self, *words, stdin=None, fails=False):
        done = subprocess.run(self.command(*words), input=stdin, capture_output=True, text=True,
                              timeout=PATIENCE, env=self.environment())
        if fails != (done.returncode != 0):
            raise AssertionError(f"kubectl {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr
