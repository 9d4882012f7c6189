"""What a client of the volume sees while its copies are killed, frozen and brought back: never a wrong byte or an error,
and a pause that is bounded."""

import json
import threading
import time
import unittest

import cluster

# What a client may have to wait; a machine under load is slower than the engine.
KILLED_SECONDS = 1.0
SILENT_SECONDS = 4.0
LOAD_ALLOWANCE = 4


class Client:
    """Writes blocks one after another, each its number, and notes how long the longest took."""

    def __init__(self, test, nbd):
        self.handle = nbd.NBD()
        self.handle.connect_uri(test.uri())
        self.size = self.handle.get_size()
        self.written = {}
        self.longest = 0.0
        self.error = None
        self.count = 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            while not self.ending.is_set():
                self.count += 1
                place = self.count * 7919 * 4096 % self.size
                began = time.monotonic()
                self.handle.pwrite(self.count.to_bytes(8, "little") * 512, place)
                self.longest = max(self.longest, time.monotonic() - began)
                self.written[place] = self.count
        except Exception as reason:  # whatever it is, the test tells it
            self.error = reason

    def take_longest(self):
        longest, self.longest = self.longest, 0.0
        return longest

    def end(self, test):
        self.ending.set()
        self.thread.join()
        test.assertIsNone(self.error)
        for place, number in self.written.items():
            test.assertEqual(self.handle.pread(4096, place), number.to_bytes(8, "little") * 512, place)
        self.handle.flush()
        self.handle.shutdown()


class FailureTest(cluster.ClusterTest):
    def setUp(self):
        super().setUp()
        try:
            import nbd
        except ImportError:
            self.skipTest("python3-libnbd is not installed")
        self.nbd = nbd
        self.create()
        self.engine = self.attach()
        self.wait_for("the announcement", lambda: self.replicas()["state"] == "attached")

    def wait_for_writes(self, client, count):
        until = client.count + count
        self.wait_for(f"{count} writes", lambda: client.count > until or client.error)

    def detach(self):
        self.assertEqual(self.engine.end(), 0, self.engine.log())


class Stalls(FailureTest):
    def test_killed_ones(self):
        client = Client(self, self.nbd)
        for node in self.nodes:
            self.wait_for_writes(client, 20)
            client.take_longest()
            self.servers[node].kill()
            self.wait_for("the loss", lambda: self.modes()[node] != "RW")
            self.wait_for_writes(client, 20)
            longest = client.take_longest()
            print(f"{node} was killed: the longest write took {longest * 1000:.0f} ms")
            self.assertLess(longest, KILLED_SECONDS * LOAD_ALLOWANCE)
            self.serve(node)
            self.wait_until_healthy()
        client.end(self)
        self.detach()
        self.assert_all_alike()

    def test_silent_ones(self):
        client = Client(self, self.nbd)
        for node in self.nodes:
            self.wait_for_writes(client, 20)
            self.wait_until_healthy()
            client.take_longest()
            self.servers[node].stop()
            self.wait_for("the loss", lambda: self.modes()[node] != "RW")
            self.wait_for_writes(client, 20)
            longest = client.take_longest()
            print(f"{node} was silent: the longest write took {longest * 1000:.0f} ms")
            self.assertLess(longest, SILENT_SECONDS * LOAD_ALLOWANCE)
            self.servers[node].go_on()
            self.wait_until_healthy()
        client.end(self)
        self.detach()
        self.assert_all_alike()

    def test_two_of_three_lost_is_a_pause(self):
        client = Client(self, self.nbd)
        self.wait_for_writes(client, 20)
        self.servers["b"].kill()
        self.servers["c"].kill()
        self.wait_for("the stall", lambda: self.replicas()["robustness"] == "faulted")
        before = client.count
        self.assertIsNone(client.error)
        self.serve("c")
        self.wait_for("going on", lambda: client.count > before + 20 or client.error)
        self.serve("b")
        self.wait_until_healthy()
        client.end(self)
        self.detach()
        self.assert_all_alike()

    def test_a_copy_that_is_made_whole_ends_the_wait_for_another(self):
        client = Client(self, self.nbd)
        self.wait_for_writes(client, 20)
        self.servers["c"].kill()
        self.wait_for("the loss", lambda: self.modes()["c"] != "RW")
        self.wait_for_writes(client, 20)
        self.servers["b"].stop()
        self.wait_for("the stall", lambda: self.replicas()["robustness"] == "faulted")
        before = client.count
        self.serve("c")
        self.wait_for("going on", lambda: client.count > before + 20 or client.error)
        self.wait_for("the other copy", lambda: self.modes() == {"a": "RW", "b": "ERR", "c": "RW"})
        self.servers["b"].go_on()
        self.wait_until_healthy()
        client.end(self)
        self.detach()
        self.assert_all_alike()


class Engines(FailureTest):
    def test_a_killed_one_is_followed_by_another(self):
        client = Client(self, self.nbd)
        self.wait_for_writes(client, 50)
        self.engine.kill()
        client.thread.join()
        written = dict(client.written)
        engine = self.attach(node="b")
        handle = self.nbd.NBD()
        handle.connect_uri(self.uri())
        for place, number in written.items():
            self.assertEqual(handle.pread(4096, place), number.to_bytes(8, "little") * 512, place)
        handle.shutdown()
        self.assertEqual(engine.end(), 0, engine.log())
        self.assert_all_alike()

    def test_the_one_before_ends(self):
        after = self.attach(node="b")
        handle = self.nbd.NBD()
        handle.connect_uri(self.uri())
        handle.pwrite(b"x" * 4096, 0)
        handle.shutdown()
        # It finds out with its next request, and never answers one.
        handle = self.nbd.NBD()
        handle.connect_uri(f"nbd+unix:///?socket={self.folder}/disk-a.nbd")
        with self.assertRaises(self.nbd.Error):
            handle.pwrite(b"y" * 4096, 0)
        self.assertNotEqual(self.engine.process.wait(cluster.TIMEOUT_SECONDS), 0)
        self.assertIn("superseded", self.engine.log())
        self.assertEqual(after.end(), 0, after.log())
        with open(self.assert_all_alike(), "rb") as content:
            self.assertEqual(content.read(4096), b"x" * 4096)


    def test_a_damaged_block_is_put_right_by_the_read_that_finds_it(self):
        content = b"sound block " * 1024
        content = content[:8192]
        handle = self.nbd.NBD()
        handle.connect_uri(self.uri())
        handle.pwrite(content, 1 << 20)
        handle.flush()
        handle.shutdown()
        self.detach()
        self.wait_for("a closed copy", lambda: not self.holder_of("a", "disk"))
        self.damage("a", content)
        self.engine = self.attach(options=("--pool", self.pool("a")))
        handle = self.nbd.NBD()
        handle.connect_uri(self.uri())
        self.assertEqual(handle.pread(8192, 1 << 20), content)
        handle.shutdown()
        self.wait_for("its count", lambda: self.replicas()["healed"] == 1)
        self.detach()
        self.assert_all_alike()

    def damage(self, node, content):
        """One bit of it, wherever the copy has it."""
        for path in (self.pool(node) / "layers").glob("*/data"):
            data = bytearray(path.read_bytes())
            place = data.find(content)
            if place >= 0:
                data[place + 5000] ^= 1
                path.write_bytes(data)
                return
        self.fail("the content is nowhere in the copy")


class Fio(FailureTest):
    def test_verify_through_every_failure(self):
        """fio reads back what it wrote, while each copy is killed and brought back."""
        output = self.folder / "fio.json"
        job = threading.Thread(target=self.run_fio, args=(output,))
        job.start()
        for node in self.nodes:
            self.servers[node].kill()
            self.wait_for("the loss", lambda: self.modes()[node] != "RW")
            self.serve(node)
            self.wait_until_healthy()
        job.join()
        self.assertTrue(output.exists(), "fio did not run")
        found = json.loads(output.read_text())["jobs"][0]
        self.assertEqual(found["error"], 0)
        self.assertGreater(found["write"]["total_ios"], 0)
        self.assertGreater(found["read"]["total_ios"], 0)
        self.detach()
        self.assert_all_alike()

    def run_fio(self, output):
        try:
            self.tool("fio", "--name=verify", "--ioengine=nbd", f"--uri={self.uri()}", "--rw=randrw", "--bs=4k",
                      "--iodepth=16", "--size=32m", "--io_size=256m", "--verify=crc32c", "--verify_backlog=256",
                      "--verify_fatal=1", "--verify_state_save=0", "--randseed=7", "--fsync=64", "--time_based", "--runtime=15",
                      "--output-format=json", f"--output={output}")
        except (AssertionError, unittest.SkipTest) as reason:
            self.fio_said = reason
