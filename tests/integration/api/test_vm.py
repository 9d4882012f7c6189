"""`sheaf vm` against a server that says what it was asked: the verbs that act on machines, and their consoles."""

import base64
import hashlib
import json
import os
import pathlib
import pty
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import daemon

ACTIONS = "/apis/subresources.kubevirt.io/v1/namespaces/default/"


class Server:
    """One connection after another: notes each request, and answers by the last word of its path."""

    def __init__(self, folder):
        self.path = folder / "api.sock"
        self.asked = []
        self.typed = b""
        self.left = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                self._answer(client, stream)
            self.left.set()

    def _answer(self, client, stream):
        method, target, _ = stream.readline().decode().split()
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = stream.read(int(headers.get("content-length", 0))).decode()
        self.asked.append((method, target, body))
        if target.endswith("/console"):
            return self._console(client, stream, headers)
        if "/log" in target:
            return client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\none\nt\r\n3\r\nwo\n\r\n0\r\n\r\n")
        status = 409 if target.endswith("/broken/start") else 202
        text = json.dumps({"kind": "Status", "code": status, "message": "it is \x1b[1mbroken", "reason": "Conflict"}) if status == 409 else ""
        client.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: {len(text)}\r\nWarning: 299 - \"mind the gap\"\r\n\r\n{text}".encode())

    def _console(self, client, stream, headers):
        accept = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        if "/liar/" in self.asked[-1][1]:
            accept = b"AAAA"
        client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: "
                     + headers["sec-websocket-protocol"].encode() + b"\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n\x82\x06login:\x89\x01p")
        ponged = False
        while True:
            head = stream.read(2)
            if len(head) < 2:
                return
            length = head[1] & 0x7f
            assert head[1] & 0x80 and length < 126, head
            mask, masked = stream.read(4), stream.read(length)
            payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))
            if head[0] == 0x88:
                return
            if head[0] == 0x8a:
                assert payload == b"p"
                ponged = True
                self._tell(client, b"\x02\x01 \x80\x00")
            else:
                self.typed += payload
                self._tell(client, b"\x82" + bytes([length]) + payload)
            if ponged and b"bye" in self.typed:
                self._tell(client, b"\x88\x02\x03\xe8")

    @staticmethod
    def _tell(client, frame):
        """Who has left hears nothing; what he said before is read all the same."""
        try:
            client.sendall(frame)
        except OSError:
            pass


class VmVerbs(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-vm-"))
        self.addCleanup(shutil.rmtree, folder)
        self.server = Server(folder)
        self.addCleanup(self.server.close)

    def sheaf(self, *words, code=0, stdin=""):
        done = subprocess.run([daemon.BINARY, "vm", *words, "--socket", self.server.path], input=stdin, text=True,
                              capture_output=True, timeout=daemon.PATIENCE)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def test_actions(self):
        for verb, said, asked in (("start", "is starting", "virtualmachines/web/start"), ("stop", "is stopping", "virtualmachines/web/stop"),
                                  ("restart", "is restarting", "virtualmachines/web/restart"),
                                  ("pause", "is paused", "virtualmachineinstances/web/pause"),
                                  ("unpause", "goes on", "virtualmachineinstances/web/unpause")):
            told = self.sheaf(verb, "web")
            self.assertIn(f"virtualmachine.kubevirt.io/web {said}", told)
            self.assertIn("Warning: mind the gap", told)
            self.assertEqual(self.server.asked[-1], ("PUT", ACTIONS + asked, ""))
        self.sheaf("stop", "web", "--force")
        self.assertEqual(json.loads(self.server.asked[-1][2]), {"gracePeriod": 0})
        self.assertIn("it is ?[1mbroken", self.sheaf("start", "broken", code=65))

    def test_logs(self):
        log = ACTIONS + "virtualmachineinstances/web/log"
        for words, asked in (((), log), (("-f",), log + "?follow=true"), (("--tail", "3"), log + "?tailLines=3"),
                             (("-f", "--tail", "0"), log + "?follow=true&tailLines=0")):
            self.assertEqual(self.sheaf("logs", "web", *words), "one\ntwo\n")
            self.assertEqual(self.server.asked[-1][:2], ("GET", asked))
        self.assertIn("--tail", self.sheaf("logs", "web", "--tail", "many", code=65))

    def test_console(self):
        said = self.sheaf("console", "web", stdin="root bye")
        self.assertIn(said, ("login: root bye", "login:root bye "))  # the answer to a ping has its own way
        self.assertEqual(self.server.asked[-1][:2], ("GET", ACTIONS + "virtualmachineinstances/web/console"))
        self.assertIn("handshake is none", self.sheaf("console", "liar", code=65))

    def test_console_on_a_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([daemon.BINARY, "vm", "console", "web", "--socket", self.server.path], stdin=theirs, stdout=theirs,
                                   stderr=subprocess.PIPE, text=True)
        os.close(theirs)
        seen = b""
        while b"login:" not in seen:
            seen += os.read(ours, 1000)
        os.write(ours, b"abc\x1dnever")
        _, said = process.communicate(timeout=daemon.PATIENCE)
        os.close(ours)
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("Ctrl-] leaves it", said)
        self.assertTrue(self.server.left.wait(daemon.PATIENCE))
        self.assertEqual(self.server.typed, b"abc")
