"""virtio-blk by the probe `blk`: requests per second, and CPU time per request.

The peer is QEMU, with and without an iothread in every round, of which each metric takes the
better; or `raw`, io_uring on the same file from the host (raw_io.cpp)."""

import statistics

import harness
import machines

PEERS = ("qemu", "raw")
RATES = ("randread_qd1", "randread_qd32", "randwrite_qd1", "randwrite_qd32", "read_128k", "write_128k")
RATE_MS = 300
FILE_MIB = 256
CPU_METRIC = "randread_qd32"
CPU_MS = 1500


class Raw:
    """io_uring on the file itself: what any VMM could reach at most."""

    name = "raw-io_uring"
    codes = (0,)

    def __init__(self, setting):
        self.program = harness.compiled(setting.root, "raw_io")

    def start(self, _probe, words, disk):
        return harness.Running([str(self.program), str(disk), *words.split()])


def run(side, words, disk):
    return side.start("blk", words, disk).finish("blk done", side.codes)


def measure(setting):
    peers = [Raw(setting)] if setting.peer == "raw" else [
        machines.Qemu(setting), machines.Qemu(setting, iothread=True)]  # fmt: skip
    sides = [machines.Sheaf(setting), *peers]
    rates = [metric for metric in RATES if setting.wanted(metric)]
    if rates:
        measure_rates(setting, sides, rates)
    if setting.peer == "qemu" and setting.wanted("cpu_per_io"):
        measure_cpu(setting, sides)


def measure_rates(setting, sides, metrics):
    disk = harness.data_file(setting.directory, FILE_MIB)
    words = f"test={','.join(metrics)} ms={RATE_MS} region_mib={FILE_MIB}"
    values = {side.name: {metric: [] for metric in metrics} for side in sides}
    for number in range(setting.runs):
        for side in sides:
            harness.progress(f"blk_iops {number + 1}/{setting.runs} {side.name}")
            found = harness.read_metrics(run(side, words, disk), metrics)
            for metric in metrics:
                values[side.name][metric].append(found[metric]["iops"])
    harness.progress("")
    ours, *peers = (side.name for side in sides)
    for metric in metrics:
        best = max(peers, key=lambda name: statistics.median(values[name][metric]))
        harness.report("blk_iops", metric, "iops", values[ours][metric], best, values[best][metric])


def cpu_microseconds(side, disk):
    """CPU time of one request, all processes and threads counted, the start of the VMM taken off."""
    words = f"ms={CPU_MS} region_mib={FILE_MIB} test="
    start_only = run(side, words + "none", disk).cpu_seconds
    result = run(side, words + CPU_METRIC, disk)
    requests = harness.read_metrics(result, [CPU_METRIC])[CPU_METRIC]["ops"]
    return (result.cpu_seconds - start_only) * 1e6 / requests


def measure_cpu(setting, sides):
    disk = harness.data_file("/dev/shm", FILE_MIB)
    values = {side.name: [] for side in sides}
    try:
        for number in range(setting.runs):
            for side in sides:
                harness.progress(f"cpu_per_io {number + 1}/{setting.runs} {side.name}")
                values[side.name].append(cpu_microseconds(side, disk))
    finally:
        disk.unlink()
    harness.progress("")
    ours, *peers = (side.name for side in sides)
    best = min(peers, key=lambda name: statistics.median(values[name]))
    harness.report("blk_iops", "cpu_per_io", "us", values[ours], best, values[best])
