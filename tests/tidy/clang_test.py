#!/usr/bin/python3
"""clang.py examines sources together that have private nouns of one name, and says whose a finding is."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
import clang  # noqa: E402

CLEAN = '''namespace sheaf {
namespace {
enum class Deed { make };
constexpr int options[] = {1, 2};
int list(int of) { return of + options[0]; }
} // namespace
int %s_count() { return list(options[1]); }
int* %s_place() { return nullptr; }
} // namespace sheaf
'''
FINDING = CLEAN.replace('nullptr', '0')


def examine(files):
    """What was said, the exit code, and how often clang-tidy ran over how many sources at once."""
    with tempfile.TemporaryDirectory() as root:
        build = os.path.join(root, 'build')
        os.makedirs(build)
        commands = []
        for name, text in files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
            if name.endswith('.cpp'):
                command = f'clang++-19 -std=c++23 -I{root}/src -o x.o -c {path}'
                commands.append({'file': path, 'directory': build, 'command': command})
        with open(os.path.join(build, 'compile_commands.json'), 'w', encoding='utf-8') as file:
            json.dump(commands, file)
        with open(os.path.join(root, '.clang-tidy'), 'w', encoding='utf-8') as file:
            file.write("Checks: '-*,modernize-use-nullptr,readability-identifier-naming'\n"
                       "CheckOptions: {readability-identifier-naming.EnumCase: CamelCase}\nHeaderFilterRegex: '/src/'\n")
        said = io.StringIO()
        runs = mock.Mock(side_effect=clang.tidy)
        with mock.patch.object(sys, 'argv', ['clang.py', '--root', root, '--build', build]), \
                mock.patch.object(clang, 'tidy', runs), contextlib.redirect_stdout(said):
            code = clang.main()
            again = clang.main()
        return said.getvalue(), code, again, runs.call_count


def sample(text, *names):
    return {f'src/base/{name}.cpp': text % (name, name) for name in names}


class Batches(unittest.TestCase):
    def test_private_nouns_of_one_name_are_examined_in_one_run(self):
        said, code, again, runs = examine(sample(CLEAN, 'one', 'two', 'three'))
        self.assertEqual((code, again, runs), (0, 0, 1), said)

    def test_a_finding_is_told_of_the_source_it_is_in(self):
        said, code, again, _ = examine(sample(CLEAN, 'one', 'three') | sample(FINDING, 'two'))
        self.assertEqual((code, again), (1, 1))
        self.assertIn('src/base/two.cpp:8:', said)
        self.assertNotIn('one.cpp', said)
        self.assertIn('3 sources, 1 of them to examine', said)

    def test_headers_that_do_not_go_together_are_examined_apart(self):
        files = {}
        for name in ('one', 'two', 'three', 'four'):
            noun = 'inline constexpr int same = 1;\n' if name in ('one', 'three') else ''
            files[f'src/base/{name}.h'] = '#pragma once\n' + noun
            files[f'src/base/{name}.cpp'] = f'#include "base/{name}.h"\n' + CLEAN % (name, name)
        said, code, _, runs = examine(files)
        self.assertEqual((code, runs), (0, 2), said)


if __name__ == '__main__':
    unittest.main()
