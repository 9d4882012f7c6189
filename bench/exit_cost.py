"""What it costs the guest to leave: a port write, a register read and write, and a doorbell, each
in nanoseconds, by the probe `exits`."""

import harness
import machines

METRICS = ("port_write", "mmio_read", "mmio_write", "doorbell")


def measure(setting):
    sides = [machines.Sheaf(setting), machines.Qemu(setting)]
    disk = harness.data_file(setting.directory, 16)
    values = {side.name: {metric: [] for metric in METRICS} for side in sides}
    for number in range(setting.runs):
        harness.progress(f"exit_cost {number + 1}/{setting.runs}")
        for side in sides:
            result = side.start("exits", "", disk).finish("exits done", side.codes)
            found = harness.read_metrics(result, METRICS)
            for metric in METRICS:
                values[side.name][metric].append(found[metric]["ns"])
    harness.progress("")
    ours, theirs = sides
    for metric in METRICS:
        if setting.wanted(metric):
            harness.report(
                "exit_cost", metric, "ns",
                values[ours.name][metric], theirs.name, values[theirs.name][metric],
            )  # fmt: skip
