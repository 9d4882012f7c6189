"""What every benchmark shares: where things are, how a VMM is run, how results are printed."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading
import time

TIMEOUT_SECONDS = 120


class CannotMeasure(Exception):
    """This machine lacks something; nothing is wrong with Sheaf."""


class Failed(Exception):
    """A side did not do its work, so there is no number."""


class Setting:
    """The options of one benchmark run and the files it uses."""

    def __init__(self, root, options, lane):
        self.root = root
        self.options = options
        self.runs = options.runs
        self.peer = options.peer
        self.refuse_lab()
        self.sheaf = (options.sheaf or self.newest("src/sheaf", "sheaf")).resolve()
        if lane == "direct":
            self.need_kvm()
            self.guests = options.guests or self.guests_beside(self.sheaf)
        self.directory = options.directory or root / "build"
        self.directory.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def need_kvm():
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise CannotMeasure("/dev/kvm is missing or may not be opened")

    @staticmethod
    def refuse_lab():
        if "QEMU TCG" in pathlib.Path("/proc/cpuinfo").read_text():
            raise CannotMeasure("this is the lab (an emulated CPU): nothing is timed here")

    def newest(self, *names):
        presets = [self.root / "build" / p for p in ("release", "check", "dev")]
        for preset in presets:
            for name in names:
                if os.access(preset / name, os.X_OK) and (preset / name).is_file():
                    return preset / name
        raise CannotMeasure(f"no {names[0]} under build/: build it or name it with --sheaf")

    def guests_beside(self, binary):
        for folder in [*binary.parents, *(self.root / "build").glob("*")]:
            if (folder / "firmware/guests/hello.elf").is_file():
                return folder / "firmware/guests"
        raise CannotMeasure("no probe guests: build them or name their folder with --guests")

    def beside(self, name):
        """A program of the same build as the binary."""
        for folder in self.sheaf.parents:
            if os.access(folder / name, os.X_OK):
                return folder / name
        raise CannotMeasure(f"no {name} beside {self.sheaf}: build it, with the binary")

    def wanted(self, metric):
        return not self.options.metric or metric in self.options.metric


def report(bench, metric, unit, sheaf, peer_name, peer, lane="direct"):
    """Prints the line of one metric from the values of both sides."""
    ours, theirs = statistics.median(sheaf), statistics.median(peer)
    line = {
        "bench": bench,
        "lane": lane,
        "metric": metric,
        "unit": unit,
        "sheaf": round(ours, 3),
        "peer_name": peer_name,
        "peer": round(theirs, 3),
        "ratio": round(ours / theirs, 4) if theirs else None,
    }
    print(json.dumps(line), flush=True)


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="" if text else "\r", file=sys.stderr, flush=True)


@dataclasses.dataclass
class Result:
    """One run of a command: what it printed and what it cost."""

    output: str
    first_output_ns: int
    wall_ns: int
    cpu_seconds: float  # user and system, with every child that was waited for
    code: int

    def metrics(self):
        """{name: {key: number}} of the lines `metric NAME key=number ...`."""
        found = {}
        for line in self.output.splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "metric":
                pairs = (word.split("=") for word in words[2:])
                found[words[1]] = {key: int(value) for key, value in pairs}
        return found


class Running:
    """A started command. Its standard input stays open and empty until it ends."""

    def __init__(self, command):
        self.command = command
        self.began = time.perf_counter_ns()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.errors = b""
        self.drain = threading.Thread(target=self.read_errors, daemon=True)
        self.drain.start()
        self.watchdog = threading.Timer(TIMEOUT_SECONDS, self.process.kill)
        self.watchdog.daemon = True
        self.watchdog.start()
        self.output = os.read(self.process.stdout.fileno(), 1)
        self.first_output_ns = time.perf_counter_ns() - self.began

    def read_errors(self):
        with contextlib.suppress(ValueError):
            self.errors = self.process.stderr.read()

    def read_line(self):
        """Reads on until the output holds a whole line."""
        while b"\n" not in self.output:
            more = os.read(self.process.stdout.fileno(), 4096)
            if not more:
                break
            self.output += more

    def finish(self, expected_end, codes):
        """Waits for the end. The last lines must hold `expected_end`, the code be one of `codes`."""
        while more := os.read(self.process.stdout.fileno(), 65536):
            self.output += more
        _, status, usage = os.wait4(self.process.pid, 0)
        wall = time.perf_counter_ns() - self.began
        self.watchdog.cancel()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process.stdin.close()
        self.drain.join()
        self.process.stdout.close()
        self.process.stderr.close()
        text = self.output.decode(errors="replace").replace("\r", "")
        if expected_end not in text or self.process.returncode not in codes:
            raise Failed(
                f"{' '.join(map(str, self.command))}\n  ended with {self.process.returncode}, "
                f"printed: {text[-500:]!r}, errors: {self.errors.decode(errors='replace')[-500:]!r}"
            )
        cpu = usage.ru_utime + usage.ru_stime
        return Result(text, self.first_output_ns, wall, cpu, self.process.returncode)


def read_metrics(result, wanted):
    found = result.metrics()
    missing = [name for name in wanted if name not in found]
    if missing:
        raise Failed(f"no metric {', '.join(missing)} in {result.output[-500:]!r}")
    return found


def run_quietly(command):
    """A step on the way to a measurement, which must do its work."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CannotMeasure(f"no {words[0]}") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}: {done.stderr[-500:]}")


def compiled(root, name):
    """The program of bench/NAME.cpp, built where it or what it includes is newer."""
    source = root / "bench" / f"{name}.cpp"
    program = root / "build/bench" / name
    newest = max(path.stat().st_mtime for path in (source, root / "bench/loads.h"))
    if not program.exists() or program.stat().st_mtime < newest:
        program.parent.mkdir(parents=True, exist_ok=True)
        words = ["clang++-19", "-std=c++23", "-O2", str(source), "-o", str(program), "-luring"]
        run_quietly(words)
    return program


def data_file(directory, mebibytes):
    """A file of random bytes, all of it written, so that reads reach the disk."""
    path = pathlib.Path(directory) / f"bench-{mebibytes}.raw"
    size = mebibytes << 20
    if not path.exists() or path.stat().st_size != size:
        block = os.urandom(1 << 20)
        with open(path, "wb") as file:
            for _ in range(mebibytes):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
    return path


def qemu_version():
    try:
        text = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True)
    except FileNotFoundError as error:
        raise CannotMeasure("no qemu-system-x86_64 (Debian: qemu-system-x86)") from error
    found = re.search(r"version (\S+)", text.stdout)
    return found.group(1) if found else "unknown"
