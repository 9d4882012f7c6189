"""A daemon of its own for a benchmark, and what is asked of it."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import harness

OBJECTS = "/apis/sheaf.io/v1/namespaces/default"
VIRTUAL = "/apis/kubevirt.io/v1/namespaces/default"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("sheaf", timeout=harness.TIMEOUT_SECONDS)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(harness.TIMEOUT_SECONDS)
        self.sock.connect(str(self.path))


class Daemon:
    """A daemon in a folder of its own."""

    def __init__(self, setting):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-api-", dir=setting.directory))
        self.machines = self.folder / "state/machines"
        self.log = open(self.folder / "log", "w+", encoding="utf-8")
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(str(self.folder / "notify"))
        notify.settimeout(harness.TIMEOUT_SECONDS)
        command = [str(setting.sheaf), "daemon", "--state-dir", str(self.folder / "state"),
                   "--socket", str(self.folder / "api"), "--listen", "none"]  # fmt: skip
        environment = {**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify")}
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        with contextlib.closing(notify):
            if notify.recv(100) != b"READY=1":
                raise harness.Failed(f"the daemon does not start: {self.said()}")
        self.connection = UnixConnection(self.folder / "api")

    def said(self):
        self.log.seek(0)
        return self.log.read()[-500:]

    def ask(self, method, target, body=None, wanted=(200, 201)):
        self.connection.request(method, target, body if body is None else json.dumps(body))
        response = self.connection.getresponse()
        text = response.read()
        if response.status not in wanted:
            raise harness.Failed(f"{method} {target}: {response.status} {text[-500:].decode()}")
        return response.status, json.loads(text)

    def until(self, holds, what):
        """Polls, at the side of what is measured."""
        deadline = time.monotonic() + harness.TIMEOUT_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise harness.Failed(f"{what} never came; the daemon said: {self.said()}")
            time.sleep(0.01)

    def until_ready(self, target):
        self.until(lambda: self.ask("GET", target)[1].get("status", {}).get("phase") == "Ready", target)

    def remove(self, target):
        self.ask("DELETE", target)
        self.until(lambda: self.ask("GET", target, wanted=(200, 404))[0] == 404, f"the end of {target}")

    def close(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait(timeout=harness.TIMEOUT_SECONDS)
        self.log.close()
        shutil.rmtree(self.folder)
