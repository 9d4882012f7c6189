#!/usr/bin/python3
"""clang-tidy over the sources of a build. What was clean is remembered by the hash of everything it saw.

Most of its time goes into the headers of libraries, so sources of one folder are examined in batches: one that
includes them all. A source that does not compile beside the others, since both have a private noun of one name, is
examined alone, and so is each of a batch in which something was found.
"""

import argparse
import hashlib
import json
import multiprocessing.pool
import os
import re
import shlex
import subprocess
import sys

TOOL = 'clang-tidy-19'
BATCH = 12
ERROR = re.compile(r'^(?:In file included from )?(/[^:\n]+):\d+.*(?:: error:|[:,]$)', re.MULTILINE)
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


class Project:
    def __init__(self, root, build):
        self.root, self.build = root, build
        self.rules = self._read(os.path.join(root, '.clang-tidy'))
        self.version = subprocess.run([TOOL, '--version'], capture_output=True, check=True).stdout
        self._seen = {}
        with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as file:
            self.commands = {entry['file']: entry['command'] for entry in json.load(file)}

    def sources(self):
        return sorted(path for path in self.commands if path.startswith(self.root + '/src/'))

    @staticmethod
    def _read(path):
        with open(path, 'rb') as file:
            return file.read()

    def _files_of(self, path, found):
        """`path` and every file of the project that it includes."""
        if path in found or not os.path.isfile(path):
            return
        found.add(path)
        if path not in self._seen:
            self._seen[path] = INCLUDE.findall(self._read(path))
        for name in self._seen[path]:
            self._files_of(os.path.join(self.root, 'src', name.decode()), found)

    def key(self, path):
        """Changes with the source, what it includes, its flags, the rules and the tool."""
        files = set()
        self._files_of(path, files)
        digest = hashlib.sha256(self.version + self.rules + self.commands[path].encode())
        for file in sorted(files):
            digest.update(file.encode() + b'\0' + hashlib.sha256(self._read(file)).digest())
        return digest.hexdigest()


def examine(project, path, stamp):
    """Empty where the file is clean; what clang-tidy said where not."""
    said = tidy(project, path, '-p', project.build)
    if not said:
        remember([stamp])
    return said


def tidy(project, path, *options, flags=()):
    run = subprocess.run([TOOL, '--quiet', '--warnings-as-errors=*', *options, path, *flags],
                         capture_output=True, text=True)
    if run.returncode == 0:
        return ''
    return (run.stdout or run.stderr).rstrip()


def remember(stamps):
    for stamp in stamps:
        with open(stamp, 'w', encoding='utf-8'):
            pass


def compiler(command):
    """The compiler and its flags, without what is compiled and where to."""
    words = shlex.split(command)
    start = next(i for i, word in enumerate(words) if os.path.basename(word).startswith('clang'))
    end = words.index('-o')
    return words[start:end]


def examine_batch(project, work):
    """As examine(), for several (path, stamp) of one folder and with the same flags."""
    stamps = dict(work)
    together = list(stamps)
    compile_it = compiler(project.commands[together[0]])
    name = hashlib.sha256('\n'.join(stamps.values()).encode()).hexdigest()
    batch = os.path.join(os.path.dirname(work[0][1]), f'batch-{name}.cpp')
    while len(together) > 1:
        with open(batch, 'w', encoding='utf-8') as file:
            file.writelines(f'#include "{path}"\n' for path in together)
        run = subprocess.run([*compile_it, '-fsyntax-only', '-w', '-ferror-limit=0', batch],
                             capture_output=True, text=True)
        if run.returncode == 0:
            break
        failed = set(ERROR.findall(run.stderr))
        together = [path for path in together if path not in failed] if failed & stamps.keys() else []
    if len(together) > 1 and not tidy(project, batch, f'--config-file={project.root}/.clang-tidy',
                                      '--checks=-bugprone-suspicious-include', flags=['--', *compile_it[1:]]):
        remember(stamps[path] for path in together)
    alone = [path for path in stamps if not os.path.exists(stamps[path])]
    return '\n'.join(filter(None, (examine(project, path, stamps[path]) for path in alone)))


def batches(project, work):
    """Neighbours with the same flags, so that one includes what the others include."""
    groups = {}
    for path, stamp in work:
        key = os.path.dirname(path), tuple(compiler(project.commands[path]))
        groups.setdefault(key, []).append((path, stamp))
    for group in groups.values():
        for first in range(0, len(group), BATCH):
            yield group[first:first + BATCH]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument('--root', default=os.path.dirname(os.path.dirname(here)))
    parser.add_argument('--build', required=True, help='a build folder with compile_commands.json')
    parser.add_argument('--cache', help='where clean files are remembered, default BUILD/tidy')
    parser.add_argument('only', nargs='*', help='parts of paths; default: all of src/')
    options = parser.parse_args()
    cache = options.cache or os.path.join(options.build, 'tidy')
    os.makedirs(cache, exist_ok=True)
    project = Project(os.path.realpath(options.root), os.path.realpath(options.build))
    work = [(path, os.path.join(cache, project.key(path))) for path in project.sources()
            if not options.only or any(part in path for part in options.only)]
    fresh = [(path, stamp) for path, stamp in work if not os.path.exists(stamp)]
    print(f'{len(work)} sources, {len(fresh)} of them to examine', flush=True)
    failures = 0
    with multiprocessing.pool.ThreadPool(len(os.sched_getaffinity(0))) as pool:
        for said in pool.imap_unordered(lambda batch: examine_batch(project, batch), batches(project, fresh)):
            if said:
                failures += 1
                print(said, flush=True)
    return 1 if failures or not work else 0


if __name__ == '__main__':
    sys.exit(main())
