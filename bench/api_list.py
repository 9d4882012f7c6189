"""All of a thousand VirtualMachines, as a client of the API gets them.

list_1000: milliseconds from the request until the whole answer has reached the client. The peer is a SELECT of the
same rows, out of the same file, by the client itself. idle_pss and stopped_100_pss: the daemon's memory in MiB before
there is any, and with a hundred of them; there is no peer but what they must stay below."""

import contextlib
import json
import sqlite3
import time

import daemons
import harness

LANE = "host"
PEERS = ("sqlite",)
COUNT = 1000
STOPPED = 100
LIMITS = {"idle_pss": 24, "stopped_100_pss": 40}  # MiB


def machine(number):
    domain = {
        "cpu": {"cores": 1},
        "memory": {"guest": "64Mi"},
        "devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}]},
    }
    volumes = [{"name": "root", "persistentVolumeClaim": {"claimName": f"disk-{number}"}}]
    template = {"spec": {"domain": domain, "volumes": volumes}}
    return {"metadata": {"name": f"vm-{number}"}, "spec": {"runStrategy": "Halted", "template": template}}


def memory_of(daemon):
    with open(f"/proc/{daemon.process.pid}/smaps_rollup", encoding="ascii") as rollup:
        return sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024


def listed(daemon):
    began = time.perf_counter_ns()
    daemon.connection.request("GET", f"{daemons.VIRTUAL}/virtualmachines")
    text = daemon.connection.getresponse().read()
    took = time.perf_counter_ns() - began
    if len(json.loads(text)["items"]) != COUNT:
        raise harness.Failed(f"the list has not {COUNT} machines")
    return took / 1e6


def selected(store):
    began = time.perf_counter_ns()
    rows = store.execute(
        "SELECT key, value FROM change WHERE superseded IS NULL AND value IS NOT NULL"
        " AND instr(CAST(key AS TEXT), '/virtualmachines/') > 0"
    ).fetchall()
    took = time.perf_counter_ns() - began
    if len(rows) != COUNT:
        raise harness.Failed(f"the store has {len(rows)} machines, not {COUNT}")
    return took / 1e6


def fill(daemon):
    """With machines, as many as are listed; gives the memory before and on the way."""
    seen = {"idle_pss": memory_of(daemon)}
    for number in range(COUNT):
        daemon.ask("POST", f"{daemons.VIRTUAL}/virtualmachines", machine(number))
        if number + 1 == STOPPED:
            seen["stopped_100_pss"] = memory_of(daemon)
    # The controllers have seen each of them before anything is timed.
    path = f"{daemons.VIRTUAL}/virtualmachines/vm-{COUNT - 1}"
    daemon.until(lambda: daemon.ask("GET", path)[1].get("status"), "the last machine's status")
    return seen


def measure(setting):
    daemon = daemons.Daemon(setting)
    try:
        memory = fill(daemon)
        with contextlib.closing(sqlite3.connect(f"file:{daemon.folder}/state/objects?mode=ro", uri=True)) as store:
            listed(daemon), selected(store)
            times = [(listed(daemon), selected(store)) for _ in range(setting.runs)]
    finally:
        daemon.close()
    ours, theirs = zip(*times)
    harness.report("api_list", "list_1000", "ms", ours, f"sqlite-{sqlite3.sqlite_version}", theirs, lane=LANE)
    for metric, limit in LIMITS.items():
        harness.report("api_list", metric, "MiB", [memory[metric]], "limit", [limit], lane=LANE)
