"""Many clients, and clients that mean no good: all others are served meanwhile, and nothing grows."""

import itertools
import json
import os
import resource
import socket
import threading
import unittest

import daemon

VOLUMES = "/apis/sheaf.io/v1/namespaces/default/volumes"


def volume(name):
    return json.dumps({"metadata": {"name": name}, "spec": {"size": "1Gi"}})


class Load(unittest.TestCase):
    def setUp(self):
        self.daemon = daemon.Daemon()
        self.addCleanup(self.daemon.close)

    def metric(self, name):
        lines = self.daemon.ask("GET", "/metrics")[1].splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith(name + " ")))

    def rounds(self, client, count, failures):
        """Each makes, reads, changes, lists and deletes an object."""
        connection = daemon.UnixConnection(self.daemon.socket)
        patch = {"Content-Type": "application/merge-patch+json"}
        for number in range(count):
            name = f"v{client}-{number}"
            for method, target, body, headers in (
                    ("POST", VOLUMES, volume(name), {}), ("GET", f"{VOLUMES}/{name}", None, {}),
                    ("PATCH", f"{VOLUMES}/{name}", '{"metadata":{"labels":{"a":"b"}}}', patch),
                    ("GET", VOLUMES + "?limit=5", None, {}), ("DELETE", f"{VOLUMES}/{name}", None, {})):
                connection.request(method, target, body, headers)
                response = connection.getresponse()
                said = response.read()
                if response.status not in (200, 201):
                    failures.append((method, target, response.status, said))
        connection.close()

    def mixed(self, clients, count):
        failures = []
        threads = [threading.Thread(target=self.rounds, args=(client, count, failures)) for client in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertFalse(failures[:3])

    def test_ten_thousand_requests(self):
        self.mixed(8, 50)
        before = self.metric("process_resident_memory_bytes")
        self.mixed(8, 200)
        self.assertLess(self.metric("process_resident_memory_bytes") - before, 8 << 20)

    def test_ten_thousand_connections(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most < 12_000:
            self.skipTest(f"this process may open {most} descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (12_000, most))
        served = daemon.UnixConnection(self.daemon.socket)
        served.request("GET", "/healthz")
        served.getresponse().read()
        sockets = []
        for _ in range(10_000):
            client = socket.socket()
            client.connect(("127.0.0.1", self.daemon.port()))
            sockets.append(client)
        # By the socket of this host there is room all the while, however many come by TCP.
        served.request("GET", VOLUMES)
        self.assertEqual(served.getresponse().status, 200)
        self.assertEqual(self.daemon.ask("GET", "/healthz"), (200, "ok"))
        self.assertLess(self.metric("process_open_fds"), 1300)
        for client in sockets:
            client.close()
        # And again by TLS, once they have gone.
        for _ in range(100):
            try:
                self.assertEqual(self.daemon.ask_by_tls("GET", "/healthz"), (200, "ok"))
                break
            except OSError:
                continue  # there was no room yet
        else:
            self.fail("nobody is served any more")

    def test_memory_of_bodies(self):
        """Bodies that never end are bounded together; who has none of it is served."""
        before = self.metric("process_resident_memory_bytes")
        head = b"POST " + VOLUMES.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1500000\r\n\r\n"
        sockets = []
        for _ in range(80):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(daemon.PATIENCE)
            client.connect(str(self.daemon.socket))
            try:
                client.sendall(head + b" " * 1_400_000)
            except OSError:
                pass  # it was refused before it had said everything
            sockets.append(client)
        self.assertEqual(self.daemon.ask("GET", VOLUMES)[0], 200)
        self.assertLess(self.metric("process_resident_memory_bytes") - before, 200 << 20)
        refused = 0
        for client in sockets:
            client.setblocking(False)
            try:
                refused += client.recv(100).startswith(b"HTTP/1.1 503")
            except BlockingIOError:
                pass
            except ConnectionError:
                refused += 1
            client.close()
        self.assertGreater(refused, 20)

    def test_wrong_requests(self):
        name = json.dumps({"metadata": {"name": "a", "labels": {"x": "\ud800"}}})
        for target, body, status in (
                ("/apis/sheaf.io/v1/namespaces/../volumes", None, 400), ("/apis//v1", None, 400), ("/api/v1/%2e%2e/x", None, 400),
                ("/api/v1/namespaces/%00", None, 400), ("/api/v1/namespaces/%ff", None, 400), ("/api/v1/namespaces/a%2fb", None, 400),
                (VOLUMES + "?labelSelector=%ff", None, 400), (VOLUMES + "?limit=-1", None, 400), (VOLUMES, '{"a":' * 5000, 400),
                (VOLUMES, b"\xff\xfe", 400), (VOLUMES, name, 400), (VOLUMES, '{"a":1,"a":2}', 400), (VOLUMES, "[" * 1_000_000, 400)):
            connection = daemon.UnixConnection(self.daemon.socket)
            connection.request("GET" if body is None else "POST", target, body)
            response = connection.getresponse()
            said = response.read()
            self.assertEqual(response.status, status, (target, said))
            self.assertEqual(json.loads(said)["kind"], "Status")
            connection.close()

    def test_slow_clients(self):
        """Each says a little and then nothing, in every phase; they hold up nobody."""
        sockets = []
        pieces = (b"G", b"GET / HTTP/1.1\r\nHost", b"POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        for _, piece in zip(range(300), itertools.cycle(pieces)):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(self.daemon.socket))
            client.sendall(piece)
            sockets.append(client)
        for _, piece in zip(range(100), itertools.cycle((b"", b"\x16\x03\x01\x02\x00", os.urandom(20)))):
            client = socket.create_connection(("127.0.0.1", self.daemon.port()))
            client.sendall(piece)
            sockets.append(client)
        self.assertEqual(self.daemon.ask("GET", VOLUMES)[0], 200)
        self.assertEqual(self.daemon.ask_by_tls("GET", VOLUMES)[0], 200)
        # One that does not hear what it asked for.
        deaf = socket.socket(socket.AF_UNIX)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        deaf.connect(str(self.daemon.socket))
        deaf.sendall(b"GET /openapi/v2 HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        self.assertEqual(self.daemon.ask("GET", VOLUMES)[0], 200)
        sockets.append(deaf)
        code, said = self.daemon.stop()
        self.assertEqual(code, 0, said)
        for client in sockets:
            client.close()
        self.daemon.start()
