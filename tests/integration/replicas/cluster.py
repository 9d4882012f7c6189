"""Three hosts on one machine, as processes: each a pool and its server of copies, a store between them, and the volume's
engine, served by NBD."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

BINARY = None  # set by the runner
USAGE, BAD_INPUT, HOST = 64, 65, 69
READER = pathlib.Path(__file__).resolve().parents[2] / "support/volume_reader.py"
NODES = ("a", "b", "c")
TIMEOUT_SECONDS = 120


class Process:
    """One that says a line when it serves."""

    def __init__(self, command):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def wait_until_it_serves(self):
        self.greeting = self.process.stdout.readline()
        if not self.greeting:
            raise AssertionError(f"{self.process.args} did not serve: {self.log()}")
        return self

    def log(self):
        self.errors.seek(0)
        return self.errors.read()

    def running(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait(TIMEOUT_SECONDS)

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        """As a person would; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(TIMEOUT_SECONDS)

    def close(self):
        if self.running():
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        self.process.stdout.close()
        self.errors.close()


class ClusterTest(unittest.TestCase):
    """The servers of a, b and c run, over unix sockets; nothing is made yet."""

    nodes = NODES

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="replicas-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.servers = {}
        for node in self.nodes:
            self.serve(node)

    def kv(self):
        return f"sqlite:{self.folder}/kv"

    def pool(self, node):
        return self.folder / f"pool-{node}"

    def address(self, node):
        return f"unix:{self.folder}/{node}.sock"

    def start(self, *words):
        process = Process([BINARY, *words])
        self.addCleanup(process.close)
        return process.wait_until_it_serves()

    def serve(self, node):
        """Starts the server of a node; before, it does not run."""
        self.servers[node] = self.start("replica", "serve", "--node", node, "--pool", self.pool(node),
                                        "--listen", self.address(node), "--kv", self.kv())
        return self.servers[node]

    def attach(self, name="disk", node="a", options=()):
        """The engine, as a process on that node, and where its clients connect."""
        self.socket = self.folder / f"{name}-{node}.nbd"
        return self.start("volume", "nbd", name, "--kv", self.kv(), "--node", node, "--socket", self.socket, *options)

    def uri(self):
        return f"nbd+unix:///?socket={self.socket}"

    def call(self, *words):
        command = [str(word) for word in (BINARY, *words)]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)

    def sheaf(self, *words):
        """What the verb printed; it must end well and complain of nothing."""
        done = self.call(*words)
        about = f"sheaf {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        self.assertEqual((done.returncode, done.stderr), (0, ""), about)
        return done.stdout

    def refused(self, code, named, *words):
        """One line on standard error that holds every piece of `named`, and this exit code."""
        done = self.call(*words)
        about = f"sheaf {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (code, "", 1), about)
        for piece in named:
            self.assertIn(piece, done.stderr, about)
        return done.stderr

    def create(self, name="disk", size="32M", nodes=None):
        places = ",".join(f"{node}={self.address(node)}" for node in nodes or self.nodes)
        return self.sheaf("volume", "create", name, "--size", size, "--nodes", places, "--kv", self.kv())

    def replicas(self, name="disk"):
        return json.loads(self.sheaf("volume", "replicas", name, "--kv", self.kv(), "-o", "json"))

    def modes(self, name="disk"):
        return {copy["node"]: copy["mode"] for copy in self.replicas(name)["copies"]}

    def wait_for(self, what, condition, seconds=60):
        """Looks again and again until it holds: what is waited for happens in other processes."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"{what} did not come in {seconds} s: {self.replicas()}")
            time.sleep(0.05)

    def wait_until_healthy(self, name="disk"):
        self.wait_for("a healthy volume", lambda: self.replicas(name)["robustness"] == "healthy")

    def tool(self, *command):
        """Runs a program of others to its end; what it printed. One that is missing skips the test."""
        if shutil.which(command[0]) is None:
            self.skipTest(f"{command[0]} is not installed")
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def holder_of(self, node, name):
        volumes = json.loads(self.sheaf("volume", "list", "--pool", self.pool(node), "-o", "json"))["volumes"]
        return next(volume["holder"] for volume in volumes if volume["name"] == name)

    def content_of(self, node, name="disk"):
        """A copy as it is, by NBD, when nobody has it open."""
        self.wait_for("a closed copy", lambda: not self.holder_of(node, name))
        socket, raw = self.folder / "copy.nbd", self.folder / f"{node}.raw"
        copy = self.start("volume", "nbd", name, "--copy", "--pool", self.pool(node), "--socket", socket)
        self.tool("nbdcopy", f"nbd+unix:///?socket={socket}", raw)
        self.assertEqual(copy.end(), 0, copy.log())
        return raw

    def read_independently(self, node, name="disk"):
        """A copy as a reader that is no part of Sheaf finds it, which takes its time."""
        raw = self.folder / f"{node}-read.raw"
        done = subprocess.run(["python3", str(READER), str(self.pool(node)), name, "--raw", str(raw)],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return raw

    def assert_all_alike(self, name="disk"):
        """Detached: every copy, byte for byte."""
        first, *others = [self.content_of(node, name) for node in self.nodes]
        for other in others:
            self.tool("cmp", first, other)
        return first


def port_of(greeting):
    """Of "... at ADDRESS:PORT"."""
    return int(re.search(r":(\d+)\s*$", greeting).group(1))
