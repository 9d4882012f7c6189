"""From exec to the first byte that the guest prints, and the memory beside the guest's own.

wall: the median time from before the VMM is started to the first byte of the probe `hello` on its
standard output, in milliseconds. rss: PSS of all processes of the VMM while the guest runs, in MiB,
guest memory left out."""

import harness
import machines

LINE = "sheaf-probe hello"


def wall(machine):
    return machine.start("hello").finish(LINE, machine.codes).first_output_ns / 1e6


def rss(machine):
    running = machine.start("hello", "hold_ms=500")
    running.read_line()
    try:
        used = machines.memory_beside_guest(running.process.pid)
    finally:
        running.finish(LINE, machine.codes)
    return used


def measure(setting):
    sheaf = machines.Sheaf(setting)
    for metric, unit, take, peer in (
        ("wall", "ms", wall, machines.Qemu(setting)),
        ("rss", "MiB", rss, machines.Qemu(setting, named_memory=True)),
    ):
        if not setting.wanted(metric):
            continue
        ours, theirs = [], []
        take(sheaf), take(peer)  # both binaries are in the page cache from here on
        for number in range(setting.runs):
            harness.progress(f"first_instruction {metric} {number + 1}/{setting.runs}")
            ours.append(take(sheaf))
            theirs.append(take(peer))
        harness.progress("")
        harness.report("first_instruction", metric, unit, ours, peer.name, theirs)
