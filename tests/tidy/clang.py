#!/usr/bin/python3
"""clang-tidy over the sources of a build. What was clean is remembered by the hash of everything it saw."""

import argparse
import hashlib
import json
import multiprocessing.pool
import os
import re
import subprocess
import sys

TOOL = 'clang-tidy-19'
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
    if os.path.exists(stamp):
        return ''
    run = subprocess.run([TOOL, '--quiet', '--warnings-as-errors=*', '-p', project.build, path],
                         capture_output=True, text=True)
    if run.returncode != 0:
        return run.stdout + (run.stderr if not run.stdout else '')
    with open(stamp, 'w', encoding='utf-8'):
        return ''


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
    fresh = sum(not os.path.exists(stamp) for _, stamp in work)
    print(f'{len(work)} sources, {fresh} of them to examine', flush=True)
    failures = 0
    with multiprocessing.pool.ThreadPool(len(os.sched_getaffinity(0))) as pool:
        for said in pool.imap(lambda item: examine(project, *item), work):
            if said:
                failures += 1
                print(said.rstrip(), flush=True)
    return 1 if failures or not work else 0


if __name__ == '__main__':
    sys.exit(main())
