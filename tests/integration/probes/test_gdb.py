"""A debugger at a probe, in the remote serial protocol: what it may do, and what it cannot break."""

import contextlib
import os
import socket
import stat
import struct
import time

import machine

LONG = "hold_ms=600000"  # spins until it is ended


class Debugger:
    """One connection, with the packets of GDB's remote serial protocol."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.heard = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text)

    def packet(self, payload):
        self.send(b"$%s#%02x" % (payload, sum(payload) & 0xFF))

    def take(self, count):
        while len(self.heard) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(self.heard)
            self.heard += piece
        taken, self.heard = self.heard[:count], self.heard[count:]
        return taken

    def answer(self):
        """The next packet's payload; acknowledgements before it are skipped."""
        while (letter := self.take(1)) == b"+":
            pass
        assert letter == b"$", letter
        payload = b""
        while (letter := self.take(1)) != b"#":
            payload += letter
        assert int(self.take(2), 16) == sum(payload) & 0xFF
        with contextlib.suppress(OSError):  # who has said goodbye does not hear it
            self.send(b"+")
        return payload.decode()

    def ask(self, payload):
        self.packet(payload)
        return self.answer()

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask(b"p%x" % number)), "little")

    def hung_up(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


RIP = 16


def first_segment(path):
    """Entry, address and first bytes of the first part of a probe that is loaded."""
    image = path.read_bytes()
    program, count = struct.unpack_from("<Q", image, 32)[0], struct.unpack_from("<H", image, 56)[0]
    for index in range(count):
        kind, flags, offset, address, _, size = struct.unpack_from("<IIQQQQ", image, program + 56 * index)
        if kind == 1 and flags & 1 and size >= 64:
            return address, image[offset : offset + 64]
    raise ValueError(path)


class Gdb(machine.ProbeTest):
    def start(self, probe="hello", words="", wait=False, cpus=1, extra=()):
        guest = machine.Machine(
            self, probe, words, cpus=cpus,
            extra=["--gdb", "unix:gdb" + (",wait" if wait else ""), *extra],
        )  # fmt: skip
        guest.gdb = str(guest.work / "gdb")
        return guest

    def test_a_guest_that_waits_is_looked_at_before_it_begins(self):
        address, code = first_segment(machine.GUESTS / "hello.elf")
        with self.start(wait=True) as guest, Debugger(guest.gdb) as debugger:
            self.assertEqual(stat.S_IMODE(os.stat(guest.gdb).st_mode), 0o600)
            self.assertIn("QStartNoAckMode+", debugger.ask(b"qSupported:swbreak+;hwbreak+"))
            self.assertEqual(debugger.ask(b"?"), "T05thread:1;")
            self.assertEqual(debugger.ask(b"qfThreadInfo"), "m1")
            self.assertEqual(bytes.fromhex(debugger.ask(b"m%x,40" % address)), code)
            before = debugger.register(RIP)
            self.assertTrue(address <= before < address + (1 << 20), hex(before))
            self.assertEqual(debugger.ask(b"M70000,4:01020304"), "OK")
            self.assertEqual(debugger.ask(b"m70000,4"), "01020304")
            self.assertEqual(debugger.ask(b"mffffffffff000000,4"), "E0e")
            debugger.packet(b"c")
            self.assertEqual(debugger.answer(), "W00")
            outcome = guest.finish()
            self.assertEqual((outcome.code, outcome.output), (0, "sheaf-probe hello\n"), outcome)

    def test_it_is_interrupted_looked_at_and_left(self):
        with self.start(words=LONG, extra=["--grace", "0"]) as guest:
            self.assertEqual(guest.read_line(), "sheaf-probe hello")
            for _ in range(3):
                with Debugger(guest.gdb) as debugger:
                    debugger.ask(b"?")
                    registers = debugger.ask(b"g")
                    self.assertEqual(debugger.ask(b"G" + registers.encode()), "OK")
                    debugger.packet(b"vCont;c")
                    debugger.send(b"\x03")
                    self.assertEqual(debugger.answer(), "T02thread:1;")
                    self.assertEqual(debugger.ask(b"D"), "OK")
                    self.assertTrue(debugger.hung_up())
            guest.terminate()
            self.assertEqual(guest.finish().report["how"], "forced_off")

    def test_all_processors_stop(self):
        with self.start("smp", "cpus=4 count=2000000000", cpus=4, extra=["--grace", "0"]) as guest:
            with Debugger(guest.gdb) as debugger:
                self.assertEqual(debugger.ask(b"?"), "T05thread:1;")
                self.assertEqual(debugger.ask(b"qfThreadInfo"), "m1,2,3,4")
                for number in range(1, 5):
                    self.assertEqual(debugger.ask(b"Hg%x" % number), "OK")
                    first = debugger.ask(b"g")
                    self.assertEqual(debugger.ask(b"g"), first, "it moved while it stood still")
                self.assertEqual(debugger.ask(b"D"), "OK")
            guest.terminate()
            self.assertEqual(guest.finish().report["how"], "forced_off")

    def test_a_guest_that_traps_itself_gets_every_trap(self):
        count = 2000
        with self.start("traps", f"count={count}", wait=True, cpus=2) as guest, Debugger(guest.gdb) as debugger:
            debugger.ask(b"?")
            # With a breakpoint somewhere, INT3 leaves the guest: whose it is, is found out each time.
            self.assertEqual(debugger.ask(b"Z0,70000,1"), "OK")
            interrupted, answer = 0, ""
            while answer != "W00":
                debugger.packet(b"vCont;c")
                debugger.send(b"\x03")
                answer = debugger.answer()
                self.assertIn(answer, ("T02thread:1;", "W00"))
                interrupted += answer != "W00"
            outcome = guest.finish()
            self.assertEqual((outcome.code, outcome.lines[-1]), (0, f"traps ok {count}"), outcome)
            self.assertEqual(len(outcome.errors.splitlines()), 1, outcome)  # that it waits
            self.assertGreater(interrupted, 10)

    def test_kill(self):
        with self.start(wait=True) as guest, Debugger(guest.gdb) as debugger:
            debugger.ask(b"?")
            debugger.packet(b"k")
            outcome = guest.finish()
            self.assertEqual((outcome.code, outcome.report["how"]), (2, "forced_off"), outcome)
            self.assertIn("killed by the debugger", outcome.errors)

    def test_who_vanishes_leaves_the_guest_running(self):
        with self.start(wait=True) as guest:
            with Debugger(guest.gdb) as debugger:
                debugger.ask(b"?")
                self.assertEqual(debugger.ask(b"Z0,70000,1"), "OK")
                debugger.send(b"$m7000")
            outcome = guest.finish()
            self.assertEqual((outcome.code, outcome.output), (0, "sheaf-probe hello\n"), outcome)
            self.assertEqual(outcome.errors.count("the debugger has gone"), 1, outcome)

    def test_garbage_is_one_line_and_hurts_nobody(self):
        with self.start(words="hold_ms=3000") as guest:
            with Debugger(guest.gdb) as stranger:
                stranger.send(b"GET / HTTP/1.1\r\n\r\n")
                self.assertTrue(stranger.hung_up())
            with Debugger(guest.gdb) as stranger:
                with contextlib.suppress(OSError):  # hung up on before it has said it all
                    stranger.send(b"$" + b"a" * 100000)
                self.assertTrue(stranger.hung_up())
            outcome = guest.finish()
            self.assertEqual(outcome.code, 0, outcome)
            self.assertEqual(len(outcome.errors.splitlines()), 2, outcome)
            self.assertIn("a packet of more than 16384 bytes", outcome.errors)

    def test_a_second_debugger_is_turned_away(self):
        with self.start(wait=True) as guest, Debugger(guest.gdb) as first:
            first.ask(b"?")
            with Debugger(guest.gdb) as second:
                self.assertTrue(second.hung_up())
            self.assertEqual(first.ask(b"qC"), "QC1")
            self.assertEqual(first.ask(b"D"), "OK")
            outcome = guest.finish()
            self.assertEqual(outcome.code, 0, outcome)
            self.assertEqual(outcome.errors.count("a second debugger"), 1, outcome)

    def test_a_guest_that_restarts_is_debugged_again_and_does_not_wait(self):
        with self.start("ending", "end=reset", wait=True, extra=["--grace", "0"]) as guest:
            with Debugger(guest.gdb) as debugger:
                debugger.ask(b"?")
                debugger.packet(b"c")
                self.assertEqual(debugger.answer(), "W00")
            for _ in range(3):
                self.assertEqual(guest.read_line(), "ending begins")
            guest.terminate()
            self.assertIn(guest.finish().report["how"], ("forced_off", "reset"))

    def test_a_guest_that_waits_can_be_forced_off(self):
        with self.start(wait=True, extra=["--grace", "0"]) as guest:
            Debugger(guest.gdb).socket.close()
            guest.terminate()
            self.assertEqual(guest.finish().report["how"], "forced_off")
