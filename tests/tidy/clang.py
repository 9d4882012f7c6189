#!/usr/bin/python3
"""clang-tidy over the sources of a build. What was clean is remembered by the hash of everything it saw.

Most of its time goes into the headers of libraries, so sources of one folder are examined in batches: one that
includes them all. Sources that do not compile beside the others, since both have a private noun of one name, make a
batch of their own. Each of a batch in which something was found is examined alone.
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
import tempfile

TOOL = 'clang-tidy-19'
BATCH = 24
# An error, after the files that include the one it is in.
ERROR = re.compile(r'^((?:In file included from .*\n)*)(/[^:\n]+):\d+:\d+: error: (.*)$', re.MULTILINE)
INCLUDED_FROM = re.compile(r'from (/[^:\n]+):')
NOUN = re.compile(r"'(\w+)'")
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


class Batch:
    """Sources of one folder with the same flags, in one that includes them.

    A private noun that several of them have is called something else in a copy of the later ones. What does not
    compile even so is set apart.
    """

    def __init__(self, project, paths, folder):
        self.project, self.paths, self.folder = project, list(paths), folder
        self.apart, self.renamed = [], {}
        self.compiler = compiler(project.commands[paths[0]])
        self.file = os.path.join(folder, 'batch.cpp')
        os.makedirs(folder, exist_ok=True)

    def compile(self):
        """Sets apart until the rest compiles; false if nothing is left to be examined together."""
        while len(self.paths) > 1:
            self._write()
            run = subprocess.run([*self.compiler, '-fsyntax-only', '-w', '-ferror-limit=0', self.file],
                                 capture_output=True, text=True)
            if run.returncode == 0:
                return True
            if not self._yield_to(run.stderr):
                return False
        return False

    def tidy(self):
        return tidy(self.project, self.file, f'--config-file={self.project.root}/.clang-tidy',
                    '--checks=-bugprone-suspicious-include', flags=['--', *self.compiler[1:], '-w'])

    def _copy_of(self, path):
        return self.folder + path.removeprefix(self.project.root)

    def _write(self):
        with open(self.file, 'w', encoding='utf-8') as file:
            for path in self.paths:
                file.write(f'#include "{self._copy_of(path) if path in self.renamed else path}"\n')

    def _yield_to(self, errors):
        """Renames or sets apart the sources that `errors` are in; false if they are in none of them."""
        found = {}
        for chain, name, message in ERROR.findall(errors):
            for place in (name, *INCLUDED_FROM.findall(chain)):
                found.setdefault(place, set()).update(NOUN.findall(message))
        guilty = [path for path in self.paths if path in found or self._copy_of(path) in found]
        for path in guilty:
            nouns = found.get(path, set()) | found.get(self._copy_of(path), set())
            if not self._rename(path, nouns):
                self.paths.remove(path)
                self.apart.append(path)
        return bool(guilty)

    def _rename(self, path, nouns):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        known = self.renamed.setdefault(path, set())
        nouns = {noun for noun in nouns - known if re.search(rf'^[a-zA-Z].*\b{noun}\b', text, re.MULTILINE)}
        if not nouns:
            return False
        known |= nouns
        number = list(self.renamed).index(path)
        for noun in known:
            text = re.sub(rf'(?<![\w.>]){noun}\b', f'{noun}{number}', text)
        copy = self._copy_of(path)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, 'w', encoding='utf-8') as file:
            file.write(text)
        return True


def examine_batch(project, work):
    """As examine(), for several (path, stamp) of one folder and with the same flags."""
    stamps = dict(work)
    left = list(stamps)
    with tempfile.TemporaryDirectory(prefix='batch-', dir=os.path.dirname(work[0][1])) as folder:
        while len(left) > 1:
            batch = Batch(project, left, folder)
            if batch.compile() and not batch.tidy():
                remember(stamps[path] for path in batch.paths)
            left = batch.apart
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
