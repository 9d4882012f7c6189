#!/usr/bin/python3
"""Each rule of tidy.py finds what it is for: a bad sample a rule, in a small tree of its own."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import tidy  # noqa: E402

WHY = '#pragma once\n\n// Why: a sample.\n'
SOUND = {
    'src/base/README.md': '# base\n',
    'src/base/noun.h': WHY + 'int noun();\n',
    'src/base/noun.cpp': '#include "base/noun.h"\n\nint noun() {\n    return 1;\n}\n',
    'src/base/user.h': WHY + '#include "base/noun.h"\n',
    'src/base/second.h': WHY + '#include "base/user.h"\n#include "base/second.h"\n',
    'tests/unit/base/noun_test.cpp': '#include "base/noun.h"\n',
    'tests/tidy/exceptions.txt': 'unused src/base/second.h the sample ends here\n',
}


def found(files):
    """(rule, path) of every violation of the sound tree with `files` laid over it."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in (SOUND | files).items():
            if text is None:
                continue
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                file.write(text)
        return [(rule, path) for path, _, rule, _ in tidy.check(root)]


def function(body):
    """A source whose one function has this body."""
    return {'src/base/noun.cpp': '#include "base/noun.h"\n\nTask<void> noun() {\n' + body + '\n}\n'}


class Rules(unittest.TestCase):
    def finds(self, rule, files, path='src/base/noun.cpp'):
        self.assertEqual(found(files), [(rule, path)], files)

    def accepts(self, files):
        self.assertEqual(found(files), [], files)

    def test_the_sound_tree_is_sound(self):
        self.accepts({})

    def test_sizes(self):
        lines = '    ++count;\n'
        self.accepts(function(lines * 67 + '    ++count;'))
        self.finds('size_limits', function(lines * 70))
        self.finds('size_limits', {'src/base/noun.h': WHY + '// x\n' * 148}, 'src/base/noun.h')
        self.finds('size_limits', {'src/base/noun.cpp': '#include "base/noun.h"\n' + '// x\n' * 400})
        self.finds('size_limits', function('    // ' + 'x' * 100))

    def test_a_constructor_with_a_list_is_a_function_too(self):
        self.finds('size_limits', {'src/base/noun.cpp':
                   '#include "base/noun.h"\n\nNoun::Noun(int a)\n    : a_{a}, b_{a} {\n' + '    ++a_;\n' * 70 + '}\n'})

    def test_the_ratchet_only_goes_down(self):
        long = function('    ++count;\n' * 70)  # 72 lines with its header, 73 with the last blank
        entry = 'function-size src/base/noun.cpp:noun {} a reason\n'
        self.accepts(long | {'tests/tidy/ratchet.txt': entry.format(73)})
        self.finds('size_limits', long | {'tests/tidy/ratchet.txt': entry.format(72)})
        self.finds('size_limits', long | {'tests/tidy/ratchet.txt': entry.format(80)},
                   'tests/tidy/ratchet.txt')
        self.finds('stale_entries', {'tests/tidy/ratchet.txt':
                   'function-size src/base/noun.cpp:gone 80 a reason\n'}, 'tests/tidy/ratchet.txt')

    def test_banned_words(self):
        for line in ('auto* a = new Noun();', 'delete a;', '::close(number);', 'volatile int a;',
                     'auto a = reinterpret_cast<int*>(b);', 'std::thread worker;', 'throw 1;',
                     'std::shared_ptr<int> a;', 'std::this_thread::sleep_for(a);', 'using namespace std;',
                     'thread_.detach();', 'const_cast<int&>(a) = 1;', '::usleep(3);'):
            self.finds('banned_words', function('    ' + line))
        for line in ('// a new Noun, volatile', 'log("throw a new Noun");', 'auto a = renew (b);',
                     'return std::unique_ptr<Noun>{new Noun{1}};', 'std::thread::id owner;',
                     'queue.detach();', 'co_await loop.sleep_for(a);', 'static_assert(true);',
                     'auto a = R"(throw new)"; auto b = 1\'000;'):
            self.accepts(function('    ' + line))

    def test_asserts_that_a_guest_could_reach(self):
        self.finds('banned_words', {'src/devices/README.md': '# d\n', 'src/devices/a.cpp': 'assert(x);\n',
                                    'tests/unit/devices/a_test.cpp': ''}, 'src/devices/a.cpp')

    def test_exceptions_need_a_use(self):
        excuse = SOUND['tests/tidy/exceptions.txt'] + 'word src/base/noun.cpp:volatile a register\n'
        self.accepts(function('    volatile int a;') | {'tests/tidy/exceptions.txt': excuse})
        self.finds('stale_entries', {'tests/tidy/exceptions.txt': SOUND['tests/tidy/exceptions.txt'] +
                   'unused src/base/gone.h a reason\n'}, 'tests/tidy/exceptions.txt')

    def test_unfinished(self):
        for word in ('FIXME', 'TODO', 'XXX'):
            self.finds('unfinished', function(f'    // {word}: later'))

    def test_headers(self):
        self.finds('pragma_once', {'src/base/noun.h': '\n// Why: a sample.\n'}, 'src/base/noun.h')
        self.finds('header_says_why', {'src/base/noun.h': '#pragma once\nint noun();\n'}, 'src/base/noun.h')
        self.finds('dead_headers', {'tests/tidy/exceptions.txt': ''}, 'src/base/second.h')
        self.finds('own_header_first', {'src/base/noun.cpp': '#include <vector>\n\n#include "base/noun.h"\n'})

    def test_coroutines(self):
        for body in ('auto a = [&] { co_return; };', 'start([b](int c) -> Task<void> { co_await c; });',
                     'co_await f();\n    TRY(g());', 'co_await f({.a = 1});',
                     'co_await\n        f([&] { return 1; });', 'auto [a, b] = co_await f();',
                     'try {\n    } catch (const E& e) {\n        co_await f();\n    }'):
            self.finds('coroutine_law', function('    ' + body))
        for body in ('co_await queues[1].next();', 'const auto a = [&] { return TRY(g()); };\n    co_await a();',
                     'TRY(g());\n    f({.a = 1}, [&] { return 1; });', '// co_await in [&] { co_return; }',
                     'co_await queues[f(1)](2);'):
            self.accepts(function('    ' + body))

    def test_include_directions(self):
        def edge(path, name):
            folder = path.split('/')[1]
            return {path: f'#include "{name}"\n', 'src/' + name: WHY, f'src/{folder}/README.md': '#\n',
                    f'src/{name.split("/")[0]}/README.md': '#\n', f'tests/unit/{folder}/a_test.cpp': ''}
        for path, name in (('src/base/a.cpp', 'io/b.h'), ('src/io/a.cpp', 'vmm/b.h'),
                           ('src/vmm/a.cpp', 'devices/b.h'), ('src/storage/a.cpp', 'devices/b.h'),
                           ('src/devices/a.cpp', 'storage/disk_file.h'), ('src/devices/a.cpp', 'node/b.h'),
                           ('src/net/a.cpp', 'storage/block.h'), ('src/node/a.cpp', 'cli/b.h'),
                           ('src/cli/a.cpp', 'vmm/b.h'), ('src/shim/a.cpp', 'node/b.h'),
                           ('src/storage/a.cpp', 'store/b.h')):
            self.finds('include_directions', edge(path, name), path)
        for path, name in (('src/devices/a.cpp', 'storage/block.h'), ('src/devices/a.cpp', 'vmm/b.h'),
                           ('src/node/a.cpp', 'net/b.h'), ('src/storage/a.cpp', 'store/kv.h'),
                           ('src/api/a.cpp', 'node/b.h')):
            self.accepts(edge(path, name))
        self.finds('include_directions', {'src/odd/README.md': '#\n', 'src/odd/a.cpp': '',
                                          'tests/unit/odd/a_test.cpp': ''}, 'src/odd/a.cpp')

    def test_includes_exist(self):
        for name in ('base/gone.h', '../base/noun.h', 'noun.h'):
            self.assertIn(('known_includes', 'src/base/noun.cpp'),
                          found({'src/base/noun.cpp': f'#include "{name}"\n'}))

    def test_every_source_has_its_test(self):
        self.finds('test_mirror', {'src/base/lone.cpp': ''}, 'src/base/lone.cpp')
        self.accepts({'src/base/noun_part.cpp': ''})
        self.accepts({'src/base/lone_part.cpp': '', 'tests/unit/base/lone_test.cpp': ''})
        listed = {'src/base/lone.cpp': '',
                  'tests/tidy/mirrors.txt': 'src/base/lo* tests/unit/base/noun_test.cpp a reason\n'}
        self.accepts(listed)
        self.finds('test_mirror', {'tests/unit/base/orphan_test.cpp': ''}, 'tests/unit/base/orphan_test.cpp')
        self.finds('test_mirror', {'src/base/lone.cpp': '', 'tests/tidy/mirrors.txt':
                   'src/base/lone.cpp tests/unit/base/gone_test.cpp a reason\n'}, 'src/base/lone.cpp')
        self.finds('stale_entries', listed | {'src/base/lone.cpp': None}, 'tests/tidy/mirrors.txt')

    def test_documents(self):
        self.finds('folder_readmes', {'src/base/README.md': None}, 'src/base/README.md')
        self.finds('folder_readmes', {'src/base/README.md': 'x\n' * 61}, 'src/base/README.md')
        self.finds('document_links', {'docs/a.md': 'see [b](b.md)\n'}, 'docs/a.md')
        self.accepts({'docs/a.md': '[b](../src/base/noun.h#x) [w](https://example.org) `[c](d)`\n'})

    def test_only_the_product(self):
        for word in ('/wo' 'rk/x', 'a hel' 'per', 'an L' 'LM', 'a work' 'tree'):
            self.finds('product_only', function(f'    // {word}'))
        for word in ('this ses' 'sion', 'an age' 'nt'):
            self.finds('product_only', {'docs/a.md': word}, 'docs/a.md')
            self.accepts(function(f'    // {word}'))


if __name__ == '__main__':
    unittest.main()
