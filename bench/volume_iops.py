"""Volumes: requests per second through the engine, and CPU time per request.

The peer is `raw`, io_uring on a file in the same directory (raw_io.cpp beside volume_io.cpp), or
`qcow2`: the NBD server beside qemu-nbd on a qcow2 file, fio in front of both."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import harness

LANE = "host"
PEERS = ("raw", "qcow2")
RATES = ("randread_qd1", "randread_qd32", "randwrite_qd1", "randwrite_qd32", "read_128k", "write_128k")
DURABLE = "durable_write_qd1"
FIRST_TOUCH = "first_touch_qd32"
CPU_METRIC = "randread_qd32"
RATE_MS = 300
CPU_MS = 1500
HOT_MIB = 1024
FIO_SECONDS = 2


class Pool:
    """A pool of volumes in a folder of its own."""

    def __init__(self, setting, folder):
        self.sheaf = setting.sheaf
        self.program = setting.beside("bench/volume_io")
        self.path = folder / "pool"

    def create(self, name):
        command = [self.sheaf, "volume", "create", name, "--size", f"{HOT_MIB}M", "--pool", self.path]
        harness.run_quietly(command)

    def delete(self, name):
        harness.run_quietly([self.sheaf, "volume", "delete", name, "--pool", self.path])

    def run(self, name, words):
        command = [self.program, self.path, name, f"region_mib={HOT_MIB}", *words.split()]
        return harness.Running([str(word) for word in command]).finish("blk done", (0,))


class RawFile:
    """io_uring on a file that is allocated and written."""

    def __init__(self, setting, folder):
        self.program = harness.compiled(setting.root, "raw_io")
        self.path = harness.data_file(folder, HOT_MIB)

    def run(self, words):
        command = [self.program, self.path, f"region_mib={HOT_MIB}", *words.split()]
        return harness.Running([str(word) for word in command]).finish("blk done", (0,))


class Server:
    """A program that serves a disk by NBD at a unix socket."""

    def __init__(self, command, path):
        self.path = path
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise harness.Failed(f"{command[0]} does not serve {path}")
            time.sleep(0.01)

    def answers(self):
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(self.path))
            return True
        return False

    def cpu_seconds(self):
        """User and system time of all its threads, the kernel's workers for io_uring among them."""
        words = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def load(self, metric):
        """(requests per second, CPU microseconds of the server for each) under fio."""
        order, _, depth = metric.partition("_")
        if metric == DURABLE:
            words = ["--rw=randwrite", "--bs=4k", "--iodepth=1", "--fsync=1"]
        elif depth == "128k":
            words = [f"--rw={order}", "--bs=128k", "--iodepth=32"]
        else:
            words = [f"--rw={order}", "--bs=4k", f"--iodepth={depth.removeprefix('qd')}"]
        command = [
            "fio", "--name=load", "--ioengine=nbd", f"--uri=nbd+unix:///?socket={self.path}",
            f"--size={HOT_MIB}m", f"--runtime={FIO_SECONDS}", "--time_based", "--output-format=json", *words,
        ]  # fmt: skip
        before = self.cpu_seconds()
        text = subprocess.run(command, capture_output=True, text=True, check=False)
        spent = self.cpu_seconds() - before
        if text.returncode != 0:
            raise harness.Failed(f"fio: {text.stderr[-500:]}")
        job = json.loads(text.stdout[text.stdout.index("{") :])["jobs"][0]
        side = job["read" if "read" in order else "write"]
        return side["iops"], spent * 1e6 / side["total_ios"]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def measure(setting):
    for where, cpu in ((setting.directory, False), (pathlib.Path("/dev/shm"), True)):
        if cpu and not setting.wanted("cpu_per_io"):
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-bench-", dir=where))
        try:
            pool = Pool(setting, folder)
            pool.create("hot")
            pool.run("hot", "test=fill")
            beside = {"raw": beside_raw, "qcow2": beside_qcow2}[setting.peer]
            beside(setting, folder, pool, cpu)
        finally:
            shutil.rmtree(folder)


def report(metric, unit, sheaf, peer_name, peer):
    harness.report("volume_iops", metric, unit, sheaf, peer_name, peer, lane=LANE)


def beside_raw(setting, folder, pool, cpu):
    raw = RawFile(setting, folder)
    if cpu:
        cpu_beside_raw(setting, pool, raw)
        return
    rates_beside_raw(setting, pool, raw)
    if setting.wanted(FIRST_TOUCH):
        first_touch(setting, pool, raw)


def rates_beside_raw(setting, pool, raw):
    metrics = [metric for metric in (*RATES, DURABLE) if setting.wanted(metric)]
    if not metrics:
        return
    words = f"test={','.join(metrics)} ms={RATE_MS}"
    ours = {metric: [] for metric in metrics}
    theirs = {metric: [] for metric in metrics}
    for number in range(setting.runs):
        harness.progress(f"volume_iops {number + 1}/{setting.runs}")
        for values, result in ((ours, pool.run("hot", words)), (theirs, raw.run(words))):
            found = harness.read_metrics(result, metrics)
            for metric in metrics:
                values[metric].append(found[metric]["iops"])
    harness.progress("")
    for metric in metrics:
        report(metric, "iops", ours[metric], "raw-io_uring", theirs[metric])


def first_touch(setting, pool, raw):
    """Writes where nothing was, beside writes of the peer where something is."""
    ours, theirs = [], []
    for _ in range(setting.runs):
        pool.create("cold")
        found = harness.read_metrics(pool.run("cold", f"test={FIRST_TOUCH}"), [FIRST_TOUCH])
        ours.append(found[FIRST_TOUCH]["iops"])
        pool.delete("cold")
        found = harness.read_metrics(raw.run(f"test=randwrite_qd32 ms={RATE_MS}"), ["randwrite_qd32"])
        theirs.append(found["randwrite_qd32"]["iops"])
    report(FIRST_TOUCH, "iops", ours, "raw-io_uring-overwrite", theirs)


def cpu_beside_raw(setting, pool, raw):
    ours, theirs = [], []
    for _ in range(setting.runs):
        ours.append(cpu_microseconds(lambda words: pool.run("hot", words)))
        theirs.append(cpu_microseconds(raw.run))
    report("cpu_per_io", "us", ours, "raw-io_uring", theirs)


def cpu_microseconds(run):
    """CPU time of one request, the start of the program taken off."""
    idle = run(f"test=none ms={CPU_MS}").cpu_seconds
    result = run(f"test={CPU_METRIC} ms={CPU_MS}")
    requests = harness.read_metrics(result, [CPU_METRIC])[CPU_METRIC]["ops"]
    return (result.cpu_seconds - idle) * 1e6 / requests


def beside_qcow2(setting, folder, pool, cpu):
    servers = []
    try:
        servers.append(serve_volume(setting, folder, pool))
        servers.append(serve_qcow2(folder))
        if cpu:
            metrics = [CPU_METRIC]
        else:
            metrics = [metric for metric in (*RATES, DURABLE) if setting.wanted(metric)]
        for metric in metrics:
            turns = []
            for number in range(setting.runs):
                harness.progress(f"volume_iops {metric} {number + 1}/{setting.runs}")
                turns.append([server.load(metric) for server in servers])
            harness.progress("")
            name, unit, which = ("cpu_per_io", "us", 1) if cpu else (metric, "iops", 0)
            ours, theirs = ([turn[side][which] for turn in turns] for side in (0, 1))
            report(name, unit, ours, f"qemu-nbd-{harness.qemu_version()}-qcow2", theirs)
    finally:
        for server in servers:
            server.stop()


def serve_volume(setting, folder, pool):
    path = folder / "sheaf.sock"
    return Server([setting.sheaf, "volume", "nbd", "hot", "--pool", pool.path, "--socket", path], path)


def serve_qcow2(folder):
    raw, image = harness.data_file(folder, HOT_MIB), folder / "hot.qcow2"
    harness.run_quietly(["qemu-img", "convert", "-O", "qcow2", raw, image])
    raw.unlink()
    path = folder / "qemu.sock"
    command = ["qemu-nbd", "--format=qcow2", "--cache=none", "--aio=io_uring", "--discard=unmap",
               "--persistent", "--shared=8", f"--socket={path}", image]  # fmt: skip
    return Server(command, path)
