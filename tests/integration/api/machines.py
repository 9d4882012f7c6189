"""Machines of a daemon, as its clients and the host see them."""

import base64
import json
import os
import pathlib
import socket
import time

import daemon

GUESTS = None
PATIENCE = 60  # seconds
INSTANCES = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"
MACHINES = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines"
NETWORKS = "/apis/sheaf.io/v1/namespaces/default/networks"
IMAGES = "/apis/sheaf.io/v1/namespaces/default/images"
DATA_VOLUMES = "/apis/cdi.kubevirt.io/v1beta1/namespaces/default/datavolumes"
VOLUMES = "/apis/sheaf.io/v1/namespaces/default/volumes"
MERGE = {"Content-Type": "application/merge-patch+json"}


def specification(kernel, words, memory="16Mi", cores=1, grace=0, **more):
    """Of an instance that boots a probe."""
    return {
        "domain": {
            "cpu": {"cores": cores},
            "memory": {"guest": memory},
            "firmware": {"kernelBoot": {"container": {"image": kernel}, "kernelArgs": words}},
            "devices": more.pop("devices", {}),
            **more.pop("domain", {}),
        },
        "terminationGracePeriodSeconds": grace,
        **more,
    }  # fmt: skip


def machine(name, kernel, words, strategy="Always", **more):
    return {
        "metadata": {"name": name},
        "spec": {"runStrategy": strategy, "template": {"spec": specification(kernel, words, **more)}},
    }


class Watch:
    """Each state of one object, from what it is now."""

    def __init__(self, server, collection, name):
        self.connection = daemon.UnixConnection(server.socket)
        self.connection.request("GET", f"{collection}?watch=true&fieldSelector=metadata.name%3D{name}")
        self.response = self.connection.getresponse()

    def __iter__(self):
        while line := self.response.readline():
            change = json.loads(line)
            yield None if change["type"] == "DELETED" else change["object"]

    def close(self):
        self.connection.close()


def wait(server, collection, name, wanted):
    """Until `wanted` holds for the object, or for None once it is gone; gives it."""
    if wanted(None) and server.ask("GET", f"{collection}/{name}")[0] == 404:
        return None
    watch = Watch(server, collection, name)
    seen = None
    try:
        if wanted(None) and server.ask("GET", f"{collection}/{name}")[0] == 404:
            return None
        for seen in watch:
            if wanted(seen):
                return seen
    except TimeoutError:
        pass
    finally:
        watch.close()
    raise AssertionError(f"{name} never came to that: {json.dumps(seen, indent=1)}")


def phase(*wanted):
    return lambda seen: seen and seen.get("status", {}).get("phase") in wanted


def gone(seen):
    return seen is None


def import_kernel(server, probe, name=None):
    url = f"file://{GUESTS}/{probe}.elf"
    status, said = server.ask("POST", IMAGES, {"metadata": {"name": name or probe}, "spec": {"kind": "kernel", "source": {"url": url}}})
    assert status == 201, said
    wait(server, IMAGES, name or probe, phase("Ready"))


class Console:
    """The console of an instance, by the API: what the guest prints, in pieces."""

    def __init__(self, server, name):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(server.socket))
        target = "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachineinstances"
        self.socket.sendall(
            f"GET {target}/{name}/console HTTP/1.1\r\nHost: sheaf\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Protocol: plain.kubevirt.io\r\n\r\n".encode()
        )
        self.stream = self.socket.makefile("rb")
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            self.head += self.stream.read(1)

    def piece(self):
        """The content of the next binary frame, which a server does not mask."""
        kind, length = self.stream.read(2)
        assert kind == 0x82, hex(kind)
        if length == 126:
            length = int.from_bytes(self.stream.read(2), "big")
        elif length == 127:
            length = int.from_bytes(self.stream.read(8), "big")
        return self.stream.read(length)

    def close(self):
        self.stream.close()
        self.socket.close()


class Keeper:
    """What a keeper says of itself, by its socket alone."""

    def __init__(self, server, uid):
        self.path = server.folder / "state/machines" / uid / "control"
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(self.path))
        self.lines = self.socket.makefile("r")
        self.hello = json.loads(self.lines.readline())

    def ask(self, request, **fields):
        line = json.dumps({"version": 1, "request": request, **fields}) + "\n"
        self.socket.sendall(line.encode())
        return json.loads(self.lines.readline())

    def console(self):
        return base64.b64decode(self.ask("console_tail", bytes=1 << 20)["result"]["text"]).decode()

    def close(self):
        self.lines.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def processes_in(folder):
    """Keepers and VMMs: what has a working directory below it. Gives lines for people."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if os.readlink(process / "cwd").startswith(str(folder)):
                found.append(f"{process.name} {(process / 'comm').read_text().strip()}")
        except OSError:
            continue
    return found


def groups_of(uids):
    found = []
    for uid in uids:
        found += [str(path) for path in pathlib.Path("/sys/fs/cgroup").glob(f"**/sheaf-{uid}")]
    return found


def taps_of(uids):
    names = [name for _, name in socket.if_nameindex()]  # of this network, which /sys may not be
    return [name for name in names if any(name.startswith(f"sv{uid[:8]}") for uid in uids)]


def left_behind(server, uids):
    """Whatever of machines is still on the host."""
    folders = [path.name for path in (server.folder / "state/machines").iterdir()]
    return folders + processes_in(server.folder) + groups_of(uids) + taps_of(uids)


def until(condition, seconds=PATIENCE):
    """For what has no watch: the host's processes and files."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            return result
        time.sleep(0.02)
    return result


def memory_beside_guest(pid, guest):
    """Bytes of PSS of a process without the mapping that is the guest's memory."""
    total = 0
    skipped = False
    with open(f"/proc/{pid}/smaps") as lines:
        for line in lines:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                begin, end = (int(part, 16) for part in words[0].split("-"))
                skipped = end - begin == guest
            elif words[0] == "Pss:" and not skipped:
                total += int(words[1]) * 1024
    return total
