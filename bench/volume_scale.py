"""Volumes as they grow: what is done to a whole one, beside the same on a volume of 1 GiB.

Their content is not written: maps of chunks are made, and the data that they speak of is a hole."""

import pathlib
import shutil
import tempfile

import harness
import volume_iops

LANE = "host"
PEERS = ("1GiB",)
SMALL = ("small", "1G", 8192)  # name, size, chunks that exist: all of them
SCATTERED = ("scattered", "1T", 80_000)
FULL = ("full", "1T", 8 << 20)
OPEN = ("open", "open_memory")
STACK = ("snapshot", "clone")
INDEX = "index_full_tib"
SNAPSHOTS = 50
READ = f"read_{SNAPSHOTS}_snapshots"


class Pool:
    """A pool of volumes in a folder of its own."""

    def __init__(self, setting, folder):
        self.sheaf = setting.sheaf
        self.program = setting.beside("bench/volume_scale")
        self.path = folder / "pool"

    def create(self, volume):
        name, size, chunks = volume
        harness.run_quietly([self.sheaf, "volume", "create", name, "--size", size, "--pool", self.path])
        self.run(volume, f"test=map chunks={chunks}")

    def delete(self, name):
        harness.run_quietly([self.sheaf, "volume", "delete", name, "--pool", self.path])

    def run(self, volume, words):
        command = [self.program, self.path, volume[0], *words.split()]
        return harness.Running([str(word) for word in command]).finish("blk done", (0,)).metrics()

    def open(self, volume):
        """Milliseconds, and MiB when it has settled."""
        found = self.run(volume, "test=open")
        return {"open": found["open"]["us"] / 1e3, "open_memory": found["opened"]["kib"] / 1024}

    def change_stack(self, volume):
        """Milliseconds"""
        snapshot = self.run(volume, "test=snapshot")["snapshot"]["us"] / 1e3
        clone = self.run(volume, "test=clone")["clone"]["us"] / 1e3
        self.delete(f"{volume[0]}-clone")
        return {"snapshot": snapshot, "clone": clone}

    def index(self, volume):
        """MiB, all of it read through a snapshot."""
        return {INDEX: self.run(volume, "test=snapshot,read_all")["opened"]["kib"] / 1024}


def measure(setting):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-bench-", dir=setting.directory))
    try:
        pool = Pool(setting, folder)
        pool.create(SMALL)
        if any(setting.wanted(metric) for metric in (*OPEN, *STACK)):
            pool.create(SCATTERED)
            compare(setting, SCATTERED, OPEN, pool.open)
            compare(setting, SCATTERED, STACK, pool.change_stack)
            pool.delete(SCATTERED[0])
        if setting.wanted(INDEX):
            pool.create(FULL)
            compare(setting, FULL, (INDEX,), pool.index)
            pool.delete(FULL[0])
        if setting.wanted(READ):
            read_through_snapshots(setting, folder)
    finally:
        shutil.rmtree(folder)


def compare(setting, volume, metrics, turn):
    if not any(setting.wanted(metric) for metric in metrics):
        return
    turns = []
    for number in range(setting.runs):
        harness.progress(f"volume_scale {metrics[0]} {number + 1}/{setting.runs}")
        turns.append((turn(volume), turn(SMALL)))
    harness.progress("")
    for metric in metrics:
        if setting.wanted(metric):
            report(metric, "ms" if metric in (OPEN[0], *STACK) else "MiB",
                   [ours[metric] for ours, _ in turns], "1GiB", [theirs[metric] for _, theirs in turns])  # fmt: skip


def read_through_snapshots(setting, folder):
    """Random reads of a volume whose content is written, with many snapshots and with none."""
    pool = volume_iops.Pool(setting, folder)
    values = {"deep": [], "flat": []}
    for name in values:
        pool.create(name)
        pool.run(name, "test=fill")
    pool.run("deep", f"test=none snapshots={SNAPSHOTS}")
    for number in range(setting.runs):
        harness.progress(f"volume_scale {READ} {number + 1}/{setting.runs}")
        for name, iops in values.items():
            words = f"test=randread_qd32 ms={volume_iops.RATE_MS}"
            found = harness.read_metrics(pool.run(name, words), ["randread_qd32"])
            iops.append(found["randread_qd32"]["iops"])
    harness.progress("")
    report(READ, "iops", values["deep"], "no-snapshots", values["flat"])


def report(metric, unit, sheaf, peer_name, peer):
    harness.report("volume_scale", metric, unit, sheaf, peer_name, peer, lane=LANE)
