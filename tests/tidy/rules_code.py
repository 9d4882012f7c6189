"""Rules that look at one C++ file: size, words, coroutines."""

import re

from cpp_text import matching_brace

HEADER_LINES, SOURCE_LINES, FUNCTION_LINES, COLUMNS = 150, 400, 70, 100


def size_limits(tree):
    """Files, functions and lines fit on what a reader can hold; ratchet.txt lists what does not yet."""
    for source in tree.sources('src'):
        limit = HEADER_LINES if source.path.endswith('.h') else SOURCE_LINES
        count = len(source.lines) - (source.lines[-1] == '')
        yield from tree.ratchet('file-size', source.path, 1, count, limit, 'lines')
        for function in source.functions():
            yield from tree.ratchet('function-size', f'{source.path}:{function.name}', function.first,
                                    function.last - function.first + 1, FUNCTION_LINES, 'lines')
    for source in tree.sources('src', 'tests', 'firmware', 'bench'):
        for number, line in enumerate(source.lines, 1):
            if len(line) > COLUMNS:
                yield source.path, number, f'{len(line)} columns, at most {COLUMNS}'


# (pattern, what to use instead, folders it is looked for in, paths where it is allowed)
BANNED = [
    (r'\bnew\s+[\w:(<]', 'std::make_unique', ('src',), ()),
    (r'\bdelete\s+[\w*(]|\bdelete\s*\[', 'std::unique_ptr', ('src',), ()),
    (r'::close\s*\(', 'Fd', ('src',), ('src/base/fd.cpp',)),
    (r'\breinterpret_cast\b', 'load() and store() of base/bytes.h', ('src',),
     ('src/base/bytes.h', 'src/vmm/')),
    (r'\bconst_cast\b', 'an interface that says what it changes', ('src',), ()),
    (r'\bstd::thread\b(?!::)', 'std::jthread', ('src', 'tests'), ()),
    (r'thread\w*\.detach\s*\(', 'a thread that is joined', ('src', 'tests'), ()),
    (r'\bvolatile\b', 'std::atomic', ('src', 'tests', 'bench'), ()),
    (r'\busing\s+namespace\s+(?!std::\w*literals;)', 'names, or a namespace alias', ('src', 'tests', 'bench'), ()),
    (r'\bshared_ptr\b', 'one owner and references', ('src',), ()),
    (r'this_thread::sleep_\w+|(?<![\w)])::(?:u|nano)?sleep\s*\(', 'a condition to wait for', ('src', 'tests'), ()),
    (r'(?<!:)\bassert\s*\(', 'an Error: a guest must not end the process', ('src/devices/',), ()),
    (r'\bthrow\b', 'fail()', ('src',), ()),
]


# The one way to a private constructor.
_OWNED_NEW = re.compile(r'(?<=>\{)(\s*)new(?=\s)')


def banned_words(tree):
    """A banned construct is named together with what to use instead."""
    for pattern, instead, folders, allowed in BANNED:
        for source in tree.sources(*folders):
            if source.path.startswith(allowed or '\0') or tree.excused('word', source.path, pattern):
                continue
            code = _OWNED_NEW.sub(r'\1   ', source.code)
            for match in re.finditer(pattern, code):
                yield (source.path, source.line_of(match.start()),
                       f'"{match.group(0).strip()}" is banned: use {instead}')


def unfinished(tree):
    """What is not done is an issue, not a mark in the source."""
    for source in tree.sources('src', 'tests', 'firmware', 'bench'):
        for number, line in enumerate(source.lines, 1):
            if match := re.search(r'\b(FIXME|TODO|XXX|HACK)\b', line):
                yield source.path, number, f'"{match.group(0)}": do it, or open an issue'


def pragma_once(tree):
    """Every header can be included twice."""
    for source in tree.sources('src', 'tests', 'firmware', 'bench'):
        if source.path.endswith('.h') and '#pragma once' not in source.lines:
            yield source.path, 1, 'a header has #pragma once'


def own_header_first(tree):
    """A source includes its own header before any other, and so shows that it compiles alone."""
    for source in tree.sources('src'):
        own = source.path.removesuffix('.cpp') + '.h'
        if source.path.endswith('.cpp') and tree.has(own):
            first = next((line for line in source.lines if line.startswith('#include')), '')
            if first != (wanted := f'#include "{own.removeprefix("src/")}"'):
                yield source.path, 1, f'{wanted} comes first'


def header_says_why(tree):
    """A public header opens with why it exists."""
    for source in tree.sources('src'):
        if source.path.endswith('.h') and not any(
                line.startswith('// Why: ') for line in source.lines[:4]):
            yield source.path, 1, 'a header opens with a comment "// Why: ..."'


_CO = re.compile(r'\bco_(?:await|return|yield)\b')


def _without_lambdas(source, block):
    body, start = block.body, block.start
    for inner in source.lambdas():
        if start <= inner.start < start + len(block.body):
            offset = inner.start - start
            body = body[:offset] + ' ' * len(inner.body) + body[offset + len(inner.body):]
    return body


def coroutine_law(tree):
    """The subset of coroutines that compilers and readers get right (STYLE.md)."""
    for source in tree.sources('src', 'tests'):
        for block in source.lambdas():
            if _CO.search(block.body):
                yield source.path, block.first, 'a lambda is no coroutine: make it a named function'
        for block in source.functions():
            body = _without_lambdas(source, block)
            if _CO.search(body) and (used := re.search(r'\bTRY(?:_WITHIN)?\s*\(', body)):
                yield (source.path, source.line_of(block.start + used.start()),
                       'TRY in a coroutine: co_await does the same')
        for match in re.finditer(r'\bco_await\b[^;]*', source.code):
            line = source.line_of(match.start())
            if re.search(r'\{\s*\.|(?<![\w\])>])\[[^\[\]]*\]\s*[({]', match.group(0)):
                yield source.path, line, 'name the aggregate or closure before the co_await line'
        for match in re.finditer(r'\bauto[&\s]*\[[^\]]*\]\s*=\s*co_await\b', source.code):
            yield (source.path, source.line_of(match.start()),
                   'no structured binding on a co_await: name the result first')
        for match in re.finditer(r'\bcatch\s*\([^)]*\)\s*\{', source.code):
            end = matching_brace(source.code, match.end() - 1)
            if 'co_await' in source.code[match.end():end]:
                yield source.path, source.line_of(match.start()), 'no co_await in catch'


RULES = [size_limits, banned_words, unfinished, pragma_once, own_header_first, header_says_why,
         coroutine_law]
