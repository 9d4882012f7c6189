"""Rules that look at how files stand to each other: includes, mirrors, documents."""

import os
import re

README_LINES = 60

# Who may include whom, folder by folder of src/. A folder always sees itself.
EDGES = {
    'base': set(),
    'io': {'base'},
    'http': {'io', 'base'},
    'net': {'io', 'base'},
    'store': {'http', 'io', 'base'},
    'storage': {'store', 'http', 'io', 'base'},
    'vmm': {'io', 'base'},
    'devices': {'vmm', 'io', 'base'},
    'node': {'devices', 'storage', 'net', 'store', 'http', 'vmm', 'io', 'base'},
    'api': {'node', 'store', 'http', 'io', 'base'},
    'control': {'api', 'node', 'storage', 'net', 'store', 'http', 'io', 'base'},
    'cli': {'control', 'api', 'node', 'storage', 'store', 'sim', 'http', 'io', 'base'},
    'shim': {'api', 'io', 'base'},
    'sim': {'storage', 'store', 'net', 'io', 'base'},
    'main.cpp': {'cli', 'shim', 'base'},
}
# Single headers that a folder sees of another one: interfaces, and the values they speak of.
INTERFACES = {
    'devices': {'storage/block.h', 'net/port.h', 'net/vnet_header.h', 'net/mac_address.h'},
    'cli': {'net/mac_address.h'},
}
# Of these, storage sees the membership interface alone.
ONLY = {('storage', 'store'): {'store/kv.h'}}


def include_directions(tree):
    """The source map (ARCHITECTURE.md): an arrow that is not on it is refused."""
    for source in tree.sources('src'):
        folder = source.path.split('/')[1]
        if folder not in EDGES:
            yield source.path, 1, f'src/{folder} is not on the source map'
            continue
        for line, name in source.includes():
            to = name.split('/')[0]
            if to == folder or name in INTERFACES.get(folder, ()):
                continue
            if to not in EDGES[folder] or name not in ONLY.get((folder, to), {name}):
                yield source.path, line, f'src/{folder} must not include "{name}"'


def known_includes(tree):
    """Includes are written from src/ (in tests also from tests/ or the same folder) and exist."""
    for source in tree.sources('src', 'tests'):
        roots = ['src']
        if source.path.startswith('tests/'):
            roots += ['tests', os.path.dirname(source.path)]
        for line, name in source.includes():
            if name.startswith('.') or not any(tree.has(f'{root}/{name}') for root in roots):
                yield source.path, line, f'"{name}" is not a path from {" or ".join(roots)}/'


def dead_headers(tree):
    """A header that nothing but its own source and test includes is used by nobody."""
    users = {}
    for source in tree.sources('src', 'firmware', 'bench', 'tests/support'):
        for _, name in source.includes():
            users.setdefault(f'src/{name}', set()).add(source.path)
    for source in tree.sources('src'):
        if not source.path.endswith('.h') or tree.excused('unused', source.path):
            continue
        if not users.get(source.path, set()) - {source.path, source.path[:-2] + '.cpp'}:
            yield source.path, 1, 'nobody includes this header'


def _mirrors(path):
    """Where src/X/y_z.cpp may be tested: X/y_z_test.cpp, or X/y_test.cpp where y was divided."""
    folder, stem = os.path.split(path[len('src/'):-len('.cpp')])
    words = stem.split('_')
    return [os.path.join('tests/unit', folder, '_'.join(words[:count]) + '_test.cpp')
            for count in range(len(words), 0, -1)]


def test_mirror(tree):
    """src/X/y.cpp is tested by tests/unit/X/y_test.cpp, or mirrors.txt says by what."""
    covering = set()
    for source in tree.sources('src'):
        if not source.path.endswith('.cpp'):
            continue
        if own := [test for test in _mirrors(source.path) if tree.has(test)]:
            covering.add(own[0])
        elif not (test := tree.tested_by(source.path)):
            yield source.path, 1, f'has no {_mirrors(source.path)[0]}'
        elif not tree.exists(test):
            yield source.path, 1, f'mirrors.txt names {test}, which is not there'
        else:
            covering.add(test)
    for source in tree.sources('tests/unit'):
        header = re.sub(r'^tests/unit/(.*)_test\.cpp$', r'src/\1.h', source.path)
        if header != source.path and source.path not in covering and not tree.has(header):
            yield source.path, 1, f'tests no {header} or .cpp'


def folder_readmes(tree):
    """Each folder that is a library says in at most 60 lines what it is."""
    for folder in sorted({path.split('/')[1] for path in tree.paths
                          if path.startswith('src/') and path.count('/') > 1
                          and path.endswith(('.h', '.cpp'))}):
        if not tree.has(f'src/{folder}/README.md'):
            yield f'src/{folder}/README.md', 1, 'missing: purpose, nouns, thread rule, how to add one'
    for path in tree.paths:
        if path.endswith('/README.md'):
            count = tree.text(path).count('\n')
            if count > README_LINES:
                yield path, README_LINES + 1, f'{count} lines, at most {README_LINES}'


def document_links(tree):
    """A relative link in a document leads to a file."""
    for path in tree.paths:
        if not path.endswith('.md'):
            continue
        text = re.sub(r'```.*?```|`[^`\n]*`', lambda m: re.sub(r'[^\n]', ' ', m.group(0)),
                      tree.text(path), flags=re.DOTALL)
        for match in re.finditer(r'\]\(([^)\s]+)\)', text):
            target = match.group(1).split('#')[0]
            if not target or re.match(r'[a-z]+:', target):
                continue
            resolved = os.path.normpath(os.path.join(os.path.dirname(path), target))
            if not tree.exists(resolved):
                yield path, text.count('\n', 0, match.start()) + 1, f'"{target}" leads nowhere'


# Words of how a repository is written instead of what it is; the second list counts in prose
# only. Written so as not to find themselves.
ALWAYS = re.compile(r'/wo[r]k/|/fa[r]m/|\bL[L]Ms?\b|ChatG[P]T|\bG[P]T-\d|\bCla[u]de\b|\bAnth[r]opic\b|\bA[I]\b'
                    r'|\b[Hh]el[p]ers?\b|\b[Ss]uba[g]ents?\b|\bwork[t]rees?\b')
PROSE = re.compile(r'\b[Ss]es[s]ions?\b|\b[Aa]gen[t]s?\b|\bpromp[t]s?\b')


def product_only(tree):
    """The repository speaks of the product alone."""
    for path in tree.paths:
        if tree.excused('workplace', path):
            continue
        for number, line in enumerate(tree.text(path).split('\n'), 1):
            match = ALWAYS.search(line) or (path.endswith('.md') and PROSE.search(line))
            if match:
                yield path, number, f'"{match.group(0)}" is no word of the product'


RULES = [include_directions, known_includes, dead_headers, test_mirror, folder_readmes,
         document_links, product_only]
