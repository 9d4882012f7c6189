"""A volume that is served by NBD while a test runs, and a client that knows as much of NBD as that takes."""

import socket
import struct
import subprocess

import sheaf

READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
GREETING, OPTION, REQUEST, REPLY = b"NBDMAGIC", b"IHAVEOPT", 0x25609513, 0x67446698


class Client:
    """One connection to an export; each call is answered before it returns."""

    def __init__(self, path, export=""):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        greeting = self.take(18)
        assert greeting[:16] == GREETING + OPTION, greeting
        name = export.encode()
        self.socket.sendall(struct.pack(">I8sII", 3, OPTION, 1, len(name)) + name)
        self.size, self.flags = struct.unpack(">QH", self.take(10))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.socket.sendall(struct.pack(">IHHQQI", REQUEST, 0, DISCONNECT, 0, 0, 0))
        except OSError:
            pass  # the server was killed
        self.socket.close()

    def take(self, length):
        data = b""
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            if not piece:
                raise ConnectionError("the server closed the connection")
            data += piece
        return data

    def ask(self, command, offset, length, content=b""):
        self.socket.sendall(struct.pack(">IHHQQI", REQUEST, 0, command, 7, offset, length) + content)
        magic, error, cookie = struct.unpack(">IIQ", self.take(16))
        assert (magic, cookie) == (REPLY, 7)
        if error:
            raise OSError(error, f"NBD command {command} at {offset}")
        return self.take(length) if command == READ else b""

    def read(self, offset, length):
        return self.ask(READ, offset, length)

    def write(self, offset, content):
        self.ask(WRITE, offset, len(content), content)

    def flush(self):
        self.ask(FLUSH, 0, 0)

    def all(self):
        step = 8 << 20
        return b"".join(self.read(place, min(step, self.size - place)) for place in range(0, self.size, step))


class Server:
    """`sheaf volume nbd` of one volume; leaving the context ends it in any case."""

    def __init__(self, test, name):
        self.test = test
        self.path = test.folder / f"{name}.sock"
        self.process = subprocess.Popen(
            [str(sheaf.BINARY), "volume", "nbd", name, "--pool", str(test.pool), "--socket", str(self.path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if not self.process.stdout.readline():
            test.fail(f"volume nbd {name} did not serve: {self.process.communicate()[1]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.stdout.close()
        self.process.stderr.close()

    def client(self, export=""):
        return Client(self.path, export)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(60)
        self.test.assertEqual(code, 0, self.process.stderr.read())
