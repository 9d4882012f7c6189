"""From a client's POST of a VirtualMachine to the first line that its guest prints.

wall: the median time in milliseconds until that line has reached the client. A daemon of its own runs beside; the
machine has one disk, a volume that is ready, and the probe `hello` as its kernel. The peer is QEMU's microvm, started by
hand with the same probe and a raw disk of the same size."""

import os
import socket
import time

import daemons
import harness
import machines

LINE = b"sheaf-probe hello"
DISK_MIB = 64


class Sheaf:
    def __init__(self, setting):
        self.daemon = daemons.Daemon(setting)
        try:
            self.prepare(setting)
        except BaseException:
            self.daemon.close()
            raise

    def prepare(self, setting):
        kernel = {"kind": "kernel", "source": {"url": f"file://{setting.guests / 'hello.elf'}"}}
        self.daemon.ask("POST", f"{daemons.OBJECTS}/images", {"metadata": {"name": "hello"}, "spec": kernel})
        volume = {"metadata": {"name": "disk"}, "spec": {"size": f"{DISK_MIB}Mi"}}
        self.daemon.ask("POST", f"{daemons.OBJECTS}/volumes", volume)
        for target in ("images/hello", "volumes/disk"):
            self.daemon.until_ready(f"{daemons.OBJECTS}/{target}")

    def machine(self):
        boot = {"container": {"image": "hello"}, "kernelArgs": "hold_ms=60000"}
        domain = {
            "cpu": {"cores": 1},
            "memory": {"guest": f"{machines.MEMORY_MIB}Mi"},
            "firmware": {"kernelBoot": boot},
            "devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}]},
        }
        volumes = [{"name": "root", "persistentVolumeClaim": {"claimName": "disk"}}]
        template = {"spec": {"domain": domain, "volumes": volumes, "terminationGracePeriodSeconds": 0}}
        return {"metadata": {"name": "vm"}, "spec": {"runStrategy": "Always", "template": template}}

    def console(self):
        """The keeper's socket is there before the keeper is, and what connects waits for it."""
        while True:
            for folder in self.daemon.machines.glob("*"):
                client = socket.socket(socket.AF_UNIX)
                client.settimeout(harness.TIMEOUT_SECONDS)
                try:
                    client.connect(str(folder / "control"))
                    return client
                except (FileNotFoundError, ConnectionRefusedError):
                    client.close()
            time.sleep(0.0005)

    def wall(self):
        began = time.perf_counter_ns()
        self.daemon.ask("POST", f"{daemons.VIRTUAL}/virtualmachines", self.machine())
        with self.console() as client:
            client.sendall(b'{"version":1,"request":"console","bytes":4096}\n')
            seen = b""
            while LINE not in seen:
                more = client.recv(65536)
                if not more:
                    raise harness.Failed(f"the machine ended: {seen[-500:]!r}, {self.daemon.said()}")
                seen += more
            took = time.perf_counter_ns() - began
        self.daemon.remove(f"{daemons.VIRTUAL}/virtualmachines/vm")
        self.daemon.until(lambda: not any(self.daemon.machines.iterdir()), "the machine's end")
        return took / 1e6

    def close(self):
        try:
            self.daemon.remove(f"{daemons.OBJECTS}/networks/default")
        finally:
            self.daemon.close()


def wall_of_qemu(qemu, disk):
    return qemu.start("hello", disk=disk).finish(LINE.decode(), qemu.codes).first_output_ns / 1e6


def measure(setting):
    if os.geteuid() != 0:
        raise harness.CannotMeasure("only root may have machines of a daemon")
    qemu = machines.Qemu(setting)
    disk = harness.data_file(setting.directory, DISK_MIB)
    sheaf = Sheaf(setting)
    try:
        ours, theirs = [], []
        sheaf.wall(), wall_of_qemu(qemu, disk)  # both binaries are in the page cache from here on
        for number in range(setting.runs):
            harness.progress(f"api_start {number + 1}/{setting.runs}")
            ours.append(sheaf.wall())
            theirs.append(wall_of_qemu(qemu, disk))
        harness.progress("")
    finally:
        sheaf.close()
    harness.report("api_start", "wall", "ms", ours, qemu.name, theirs)
