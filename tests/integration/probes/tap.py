"""A tap of our own with an address, and what the host's side sends through it."""

import os
import socket
import struct
import subprocess
import unittest

HOST = "192.168.77.1"
GUEST = "192.168.77.2"


def checksum(data):
    """The internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Tap:
    """A tap interface named after this process; removed with the test."""

    def __init__(self, test):
        if os.geteuid() != 0:
            raise unittest.SkipTest("making a tap needs root")
        if not os.path.exists("/dev/net/tun"):
            raise unittest.SkipTest("/dev/net/tun is missing")
        self.name = f"probe{os.getpid() % 100000}"
        self.ip("tuntap", "add", self.name, "mode", "tap")
        test.addCleanup(self.ip, "link", "del", self.name)
        self.ip("address", "add", f"{HOST}/24", "dev", self.name)
        self.ip("link", "set", self.name, "up")

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def ping(self, size, number):
        """One ICMP echo; true when the same bytes come back with a right checksum."""
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as ends:
            ends.settimeout(5)
            payload = bytes((number + i) & 255 for i in range(size))
            empty = struct.pack(">BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, number)
            header = empty[:2] + struct.pack(">H", checksum(empty + payload)) + empty[4:]
            ends.sendto(header + payload, (GUEST, 0))
            answer = ends.recv(65536)[20:]
            return answer[0] == 0 and checksum(answer) == 0 and answer[8:] == payload

    def udp_echo(self, sizes):
        """Sends a datagram of each size; the sizes that came back wrong."""
        wrong = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ends:
            ends.settimeout(5)
            for size in sizes:
                payload = bytes((size * 7 + i) & 255 for i in range(size))
                ends.sendto(payload, (GUEST, 7))
                if ends.recv(65536) != payload:
                    wrong.append(size)
        return wrong

    def stop_guest(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ends:
            ends.sendto(b"end", (GUEST, 9))

    def flood(self, process):
        """Sends frames of 1014 bytes until the process has ended."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind((self.name, 0))
            frame = b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x88\xb5" + bytes(1000)
            while process.poll() is None:
                try:
                    link.send(frame)
                except OSError:
                    os.sched_yield()  # the queue of the tap is full
