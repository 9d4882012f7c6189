#!/usr/bin/python3
"""The rules of STYLE.md that a machine can check on the source alone. No output and 0 where all hold."""

import argparse
import fnmatch
import os
import sys

import rules_code
import rules_tree
from cpp_text import Source

RULES = rules_code.RULES + rules_tree.RULES
SKIPPED = {'.git', 'build', '.cache', '__pycache__'}
# Files without rules of text: corpora are bytes, and the self-test is made of what is forbidden.
OPAQUE = ('tests/fuzz/corpus/', 'tests/tidy/self_test.py')


class Tree:
    """The files below `root`, and the lists of exceptions in tests/tidy."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(self._walk())
        self._known = set(self.paths)
        self._sources = {path: Source(path, self.text(path)) for path in self.paths
                         if path.endswith(('.h', '.cpp')) and not path.startswith(OPAQUE)}
        self._excuses = self._read_list('exceptions.txt', 3)  # kind, path, reason
        self._ratchets = self._read_list('ratchet.txt', 4)  # rule, path, number, reason
        self._mirrors = self._read_list('mirrors.txt', 3)  # source or pattern, test, reason
        self._used = set()

    def _walk(self):
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in SKIPPED]
            for name in set(files) - SKIPPED:
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if os.path.isfile(os.path.join(folder, name)):
                    yield path

    def _read_list(self, name, fields):
        path = f'tests/tidy/{name}'
        if not self.has(path):
            return {}
        entries = {}
        for number, line in enumerate(self.text(path).split('\n'), 1):
            if line.strip() and not line.startswith('#'):
                words = line.split(None, fields - 1)
                if len(words) < fields:
                    sys.exit(f'{path}:{number}: needs {fields} fields, the last a reason')
                entries[words[0], words[1]] = (path, number, words[2])
        return entries

    def has(self, path):
        return path in self._known

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def text(self, path):
        if path.startswith(OPAQUE):
            return ''
        with open(os.path.join(self.root, path), encoding='utf-8', errors='replace') as file:
            return file.read()

    def sources(self, *folders):
        """The C++ files below the folders, in order."""
        prefixes = tuple(folder.rstrip('/') + '/' for folder in folders)
        return [source for path, source in self._sources.items() if path.startswith(prefixes)]

    def excused(self, kind, path, detail=None):
        """Whether exceptions.txt lists the path (for a word: as path:word) with a reason."""
        for (entry_kind, entry_path) in self._excuses:
            listed, _, word = entry_path.partition(':')
            if entry_kind == kind and listed == path and (not word or word in (detail or '')):
                self._used.add((kind, entry_path))
                return True
        return False

    def tested_by(self, path):
        """The test that mirrors.txt names for a source, or None."""
        for (pattern, test) in self._mirrors:
            if fnmatch.fnmatchcase(path, pattern):
                self._used.add((pattern, test))
                return test
        return None

    def ratchet(self, rule, key, line, count, limit, unit):
        """A count above its limit is fine only where ratchet.txt says exactly that count."""
        path = key.split(':')[0]
        listed = self._ratchets.get((rule, key))
        if count > limit and not listed:
            yield path, line, f'{key.partition(":")[2] or "file"} has {count} {unit}, at most {limit}'
        elif listed:
            self._used.add((rule, key))
            allowed = int(listed[2].split()[0])
            if count > allowed:
                yield path, line, f'{key} grew to {count} {unit}: ratchet.txt says {allowed}'
            elif count < allowed or count <= limit:
                yield listed[0], listed[1], f'{key} has {count} {unit} now: lower or remove this entry'

    def stale_entries(self):
        """What an exception was made for must still be there."""
        for entries in (self._excuses, self._ratchets, self._mirrors):
            for key, (path, number, _) in entries.items():
                if key not in self._used:
                    yield path, number, f'{" ".join(key)}: no longer needed, remove it'


def check(root):
    """Every violation below root, as (path, line, rule, text)."""
    tree = Tree(root)
    found = [(*violation[:2], rule.__name__, violation[2]) for rule in RULES for violation in rule(tree)]
    found += [(*violation[:2], 'stale_entries', violation[2]) for violation in tree.stale_entries()]
    return sorted(set(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument('--root', default=os.path.dirname(os.path.dirname(here)))
    found = check(parser.parse_args().root)
    for path, line, rule, text in found:
        print(f'{path}:{line}: {rule}: {text}')
    if found:
        print(f'{len(found)} violations; STYLE.md gives the reasons, tests/tidy/README.md the ways out')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
