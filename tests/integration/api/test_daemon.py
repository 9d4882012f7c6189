"""The daemon as a process: its start, its end, what it keeps, and clients that mean no good."""

import os
import resource
import signal
import socket
import stat
import subprocess
import threading
import unittest

import daemon

VOLUMES = "/apis/sheaf.io/v1/namespaces/default/volumes"


def volume(name):
    return {"metadata": {"name": name}, "spec": {"size": "1Gi"}}


class Process(unittest.TestCase):
    def setUp(self):
        self.daemon = daemon.Daemon()
        self.addCleanup(self.daemon.close)

    def test_ends_in_order(self):
        self.assertEqual(stat.S_IMODE(self.daemon.socket.stat().st_mode), 0o600)
        watch = daemon.UnixConnection(self.daemon.socket)
        watch.request("GET", VOLUMES + "?watch=true")
        response = watch.getresponse()
        self.assertEqual(response.status, 200)
        code, said = self.daemon.stop()
        self.assertEqual((code, response.read()), (0, b""), said)
        self.assertFalse(self.daemon.socket.exists())

    def test_keeps_what_it_answered(self):
        for number in range(20):
            self.assertEqual(self.daemon.ask("POST", VOLUMES, volume(f"v{number}"))[0], 201)
        def kept():
            items = self.daemon.ask("GET", VOLUMES)[1]["items"]
            return [(one["metadata"]["name"], one["metadata"]["uid"], one["spec"]) for one in items]
        before = kept()
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        self.assertEqual(kept(), before)
        self.assertEqual(len(before), 20)

    def test_sweeps_after_a_kill(self):
        self.daemon.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "n", "finalizers": ["example.org/x"]}})
        self.daemon.ask("DELETE", "/api/v1/namespaces/n")
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        status, said = self.daemon.ask("PATCH", "/api/v1/namespaces/n", {"metadata": {"finalizers": None}},
                                       {"Content-Type": "application/merge-patch+json"})
        self.assertEqual(status, 200, said)
        watch = daemon.UnixConnection(self.daemon.socket)
        watch.request("GET", "/api/v1/namespaces?watch=true&fieldSelector=metadata.name%3Dn")
        response = watch.getresponse()
        while self.daemon.ask("GET", "/api/v1/namespaces/n")[0] == 200:
            self.assertTrue(response.readline())  # something changed
        watch.close()

    def test_tells_the_watchdog(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = self.daemon.folder / "watched"
            notify.bind(str(path))
            notify.settimeout(daemon.PATIENCE)
            other = subprocess.Popen(
                [daemon.BINARY, "daemon", "--state-dir", self.daemon.folder / "other", "--socket", self.daemon.folder / "o",
                 "--listen", "none"],
                env={**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"}, stderr=subprocess.DEVNULL)
            said = [notify.recv(100) for _ in range(4)]
            other.terminate()
            self.assertEqual(other.wait(daemon.PATIENCE), 0)
        self.assertGreaterEqual(said.count(b"WATCHDOG=1"), 3)
        self.assertEqual(said.count(b"READY=1"), 1)

    def test_is_alone(self):
        for words in (["--state-dir", self.daemon.folder / "state", "--socket", self.daemon.folder / "other"],
                      ["--state-dir", self.daemon.folder / "other", "--socket", self.daemon.socket]):
            done = subprocess.run([daemon.BINARY, "daemon", "--listen", "none", *words], capture_output=True, text=True, timeout=daemon.PATIENCE)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, "another daemon|somebody listens")
        self.assertEqual(self.daemon.ask("GET", "/healthz"), (200, "ok"))

    def test_hostile_clients(self):
        sockets = []
        for said in (b"\0" * 100_000, b"GET /" + b"x" * 100_000, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000,
                     b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", b"GET / HTTP/1.1\r\nHos", b""):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(daemon.PATIENCE)
            client.connect(str(self.daemon.socket))
            try:
                client.sendall(said)
            except OSError:
                pass  # it was told what is wrong before it had said everything
            sockets.append(client)
        self.assertEqual(self.daemon.ask("GET", "/healthz"), (200, "ok"))
        for client in sockets:
            client.close()
        deep = "[" * 100_000
        connection = daemon.UnixConnection(self.daemon.socket)
        connection.request("POST", VOLUMES, deep)
        self.assertEqual(connection.getresponse().status, 400)

    def test_many_connections(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
        sockets = []
        for _ in range(1200):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(self.daemon.socket))  # waits where the backlog is full
            client.settimeout(daemon.PATIENCE)
            sockets.append(client)
        sockets[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertTrue(sockets[0].recv(1000).startswith(b"HTTP/1.1 200"))
        # The last of those that are too many were told so, or were closed.
        self.assertIn(sockets[-1].recv(12), (b"HTTP/1.1 503", b""))
        for client in sockets:
            client.close()

    def test_watches_see_everything_in_order(self):
        count, changes = 200, 30
        seen = [[] for _ in range(count)]
        failures = []

        def follow(place, response):
            for _ in range(changes):
                line = response.readline()
                seen[place].append(line)

        threads = []
        for place in range(count):
            watch = daemon.UnixConnection(self.daemon.socket)
            watch.request("GET", VOLUMES + "?watch=true")
            response = watch.getresponse()
            threads.append(threading.Thread(target=follow, args=(place, response)))
            threads[-1].start()
        for number in range(changes):
            status, said = self.daemon.ask("POST", VOLUMES, volume(f"w{number}"))
            if status != 201:
                failures.append(said)
        for thread in threads:
            thread.join()
        self.assertFalse(failures)
        self.assertEqual(len({tuple(lines) for lines in seen}), 1)
        self.assertEqual(len(set(seen[0])), changes)
