"""Volumes with three copies: requests per second through engine and copies, and per second of CPU time of all their processes.

The peer is QEMU's quorum driver over three qemu-nbd on raw files. Both sides speak over unix sockets, honour every flush, and
have the same fio in front of an NBD server."""

import json
import pathlib
import shutil
import subprocess
import tempfile

import harness
import volume_iops

LANE = "host"
PEERS = ("qemu-quorum",)
COPIES = 3
RATES = ("randwrite_qd1", "randwrite_qd32", "randread_qd1", "randread_qd32", "write_128k", "durable_write_qd1")
PER_CPU = "randwrite_qd32_per_cpu_s"
SIZE_MIB = 512
SECONDS = 2


class Side:
    """Some processes, of which the last serves the disk."""

    def __init__(self, name, servers):
        self.name = name
        self.servers = servers

    def cpu_seconds(self):
        return sum(server.cpu_seconds() for server in self.servers)

    def load(self, metric):
        """(requests, requests per second, CPU seconds of all processes) under fio."""
        order, _, depth = metric.partition("_")
        if metric == volume_iops.DURABLE:
            words = ["--rw=randwrite", "--bs=4k", "--iodepth=1", "--fsync=1"]
        elif depth == "128k":
            words = [f"--rw={order}", "--bs=128k", "--iodepth=32"]
        else:
            words = [f"--rw={order}", "--bs=4k", f"--iodepth={depth.removeprefix('qd')}"]
        command = [
            "fio", "--name=load", "--ioengine=nbd", f"--uri=nbd+unix:///?socket={self.servers[-1].path}",
            f"--size={SIZE_MIB}m", f"--runtime={SECONDS}", "--time_based", "--output-format=json", *words,
        ]  # fmt: skip
        before = self.cpu_seconds()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        spent = self.cpu_seconds() - before
        if done.returncode != 0:
            raise harness.Failed(f"fio: {done.stderr[-500:]}")
        job = json.loads(done.stdout[done.stdout.index("{") :])["jobs"][0]
        found = job["read" if "read" in order else "write"]
        return found["total_ios"], found["iops"], spent

    def fill(self):
        """What is written for the first time is not what is measured."""
        uri = f"nbd+unix:///?socket={self.servers[-1].path}"
        source = pathlib.Path(self.servers[-1].path).parent / "fill.raw"
        if not source.exists():
            shutil.copyfile(harness.data_file(source.parent, SIZE_MIB), source)
        harness.run_quietly(["nbdcopy", source, uri])

    def stop(self):
        for server in reversed(self.servers):
            server.stop()


def ours(setting, folder):
    kv = f"sqlite:{folder}/kv"
    servers, places = [], []
    try:
        for number in range(COPIES):
            path = folder / f"copy-{number}.sock"
            servers.append(volume_iops.Server(
                [setting.sheaf, "replica", "serve", "--node", f"n{number}", "--pool", folder / f"pool-{number}",
                 "--listen", f"unix:{path}", "--kv", kv], path))  # fmt: skip
            places.append(f"n{number}=unix:{path}")
        harness.run_quietly([setting.sheaf, "volume", "create", "hot", "--size", f"{SIZE_MIB}M", "--nodes",
                             ",".join(places), "--kv", kv])  # fmt: skip
        path = folder / "sheaf.sock"
        servers.append(volume_iops.Server(
            [setting.sheaf, "volume", "nbd", "hot", "--kv", kv, "--node", "n0", "--socket", path], path))
    except BaseException:
        Side("sheaf", servers).stop()
        raise
    return Side("sheaf", servers)


def quorum(folder):
    servers = []
    options = ["driver=quorum", f"vote-threshold={COPIES}"]
    try:
        for number in range(COPIES):
            raw, path = folder / f"copy-{number}.raw", folder / f"qemu-{number}.sock"
            shutil.copyfile(harness.data_file(folder, SIZE_MIB), raw)
            servers.append(volume_iops.Server(
                ["qemu-nbd", "--format=raw", f"--cache={'writeback' if on_tmpfs(folder) else 'none'}", "--aio=io_uring",
                 "--persistent", "--shared=8", f"--socket={path}", raw], path))  # fmt: skip
            options += [f"children.{number}.driver=nbd", f"children.{number}.server.type=unix",
                        f"children.{number}.server.path={path}"]  # fmt: skip
        path = folder / "quorum.sock"
        servers.append(volume_iops.Server(
            ["qemu-nbd", "--image-opts", "--persistent", "--shared=8", f"--socket={path}", ",".join(options)], path))
    except BaseException:
        Side("quorum", servers).stop()
        raise
    return Side(f"qemu-nbd-{harness.qemu_version()}-quorum", servers)


def on_tmpfs(folder):
    return folder.is_relative_to("/dev/shm")


def measure(setting):
    for where, suffix in ((setting.directory, ""), (pathlib.Path("/dev/shm"), "_tmpfs")):
        rates = [metric for metric in RATES if setting.wanted(metric + suffix)]
        if setting.wanted(PER_CPU + suffix) and "randwrite_qd32" not in rates:
            rates.append("randwrite_qd32")
        if not rates:
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-bench-", dir=where))
        sides = []
        try:
            sides.append(ours(setting, folder))
            sides.append(quorum(folder))
            for side in sides:
                side.fill()
            compare(setting, sides, rates, suffix)
        finally:
            for side in sides:
                side.stop()
            shutil.rmtree(folder)


def compare(setting, sides, rates, suffix):
    first, second = sides
    for metric in rates:
        turns = []
        for number in range(setting.runs):
            harness.progress(f"replica_iops {metric}{suffix} {number + 1}/{setting.runs}")
            turns.append([side.load(metric) for side in sides])
        harness.progress("")
        values = [[turn[which][1] for turn in turns] for which in (0, 1)]
        if setting.wanted(metric + suffix):
            harness.report("replica_iops", metric + suffix, "iops", values[0], second.name, values[1], lane=LANE)
        if metric == "randwrite_qd32" and setting.wanted(PER_CPU + suffix):
            values = [[turn[which][0] / turn[which][2] for turn in turns] for which in (0, 1)]
            harness.report("replica_iops", PER_CPU + suffix, "1/s", values[0], second.name, values[1], lane=LANE)
