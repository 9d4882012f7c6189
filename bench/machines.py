"""The command lines of both sides: Sheaf, and QEMU as fast as it goes."""

import dataclasses
import pathlib

import harness

MEMORY_MIB = 64
ECAM = "0xe0000000"


class Sheaf:
    name = "sheaf"
    codes = (0,)

    def __init__(self, setting):
        self.setting = setting

    def start(self, probe, words="", disk=None):
        command = [
            str(self.setting.sheaf), "run",
            "--kernel", str(self.setting.guests / f"{probe}.elf"),
            "--cmdline", words,
            "--cpus", "1",
            "--memory", f"{MEMORY_MIB}M",
            "--console", "stdio",
        ]  # fmt: skip
        if disk:
            command += ["--disk", f"path={disk},format=raw"]
        return harness.Running(command)


@dataclasses.dataclass
class Qemu:
    """QEMU's microvm machine. With a disk it needs PCI, which the probes reach by ECAM."""

    setting: harness.Setting
    iothread: bool = False
    named_memory: bool = False  # guest memory as a memfd, so that smaps tells it from the rest
    codes = (1,)  # isa-debug-exit makes (0 << 1) | 1 of the probe's zero

    @property
    def name(self):
        version = harness.qemu_version()
        return f"qemu-{version}-microvm" + ("-iothread" if self.iothread else "")

    def start(self, probe, words="", disk=None):
        machine = "microvm,pit=off,pic=off,rtc=off,x-option-roms=off"
        extra = []
        if self.named_memory:
            machine += ",memory-backend=ram"
            extra += ["-object", f"memory-backend-memfd,id=ram,size={MEMORY_MIB}M"]
        if disk:
            machine += ",pcie=on"  # which exists only together with acpi
            words = f"ecam={ECAM} {words}"
            device = "virtio-blk-pci,drive=d,disable-legacy=on,num-queues=1,queue-size=256"
            extra += ["-drive", f"if=none,id=d,file={disk},format=raw,cache=none,aio=io_uring,discard=unmap"]
            if self.iothread:
                extra += ["-object", "iothread,id=io"]
                device += ",iothread=io"
            extra += ["-device", device]
        else:
            machine += ",acpi=off"
        # Faster to start than `host`, and all the probes need.
        cpu = "host,-arch-capabilities" if disk else "qemu64"
        return harness.Running([
            "qemu-system-x86_64", "-M", machine, "-accel", "kvm", "-cpu", cpu,
            "-m", str(MEMORY_MIB), "-smp", "1", "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-serial", "stdio",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
            "-kernel", str(self.setting.guests / f"{probe}.elf"), "-append", words, *extra,
        ])  # fmt: skip


def descendants(pid):
    """The process and everything below it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += descendants(int(child))
    return found


def is_guest_memory(header, size_kib):
    """Whether a mapping of smaps is guest memory: a memfd that says so by its name, or one without a name
    (or with the name that kernels with named anonymous memory show) of exactly the guest's size."""
    words = header.split(maxsplit=5)
    name = words[5] if len(words) > 5 else ""
    if "memfd:memory-backend-memfd" in name:
        return True
    return name in ("", "[anon:sheaf-guest-memory]") and size_kib == MEMORY_MIB * 1024


def memory_beside_guest(pid):
    """PSS in MiB of the processes from `pid` down, without the mapping of guest memory."""
    total = 0
    guest_seen = False
    for process in descendants(pid):
        header = ""
        is_guest = False
        for line in pathlib.Path(f"/proc/{process}/smaps").read_text().splitlines():
            first, *values = line.split()
            if "-" in first and not first.endswith(":"):
                header = line
            elif first == "Size:":
                is_guest = is_guest_memory(header, int(values[0]))
                guest_seen = guest_seen or is_guest
            elif first == "Pss:" and not is_guest:
                total += int(values[0])
    if not guest_seen:
        raise harness.Failed("no process maps guest memory")
    return total / 1024
