"""What the tests put on a disk, and how they run the tools of QEMU."""

import random
import subprocess

MIB = 1 << 20
SIZE = 6 * MIB + 512  # no whole cluster of any size


def tool(*words):
    """Runs a tool that has to succeed; gives its output."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f'{" ".join(words)}: {done.stdout}{done.stderr}')
    return done.stdout


def make_content(path):
    """Data that does not compress, data that does, zeros that were written, and holes."""
    source = random.Random(7)
    with open(path, 'wb') as file:
        file.truncate(SIZE)
        for at, content in ((0, source.randbytes(70000)), (MIB, b'text ' * 60000), (2 * MIB, bytes(300000)),
                            (3 * MIB + 4096, source.randbytes(512)), (SIZE - 700, source.randbytes(700))):
            file.seek(at)
            file.write(content)
