"""C++ source as the rules need it: code without comments and literals, includes, functions, lambdas."""

import re
from dataclasses import dataclass

# What is blanked out of the code: comments, raw strings, strings, characters (not digit separators).
_HIDDEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<delimiter>[^()\s\\"]{0,16})\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
_PREPROCESSOR = re.compile(r'^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', re.MULTILINE)
_NO_FUNCTION = re.compile(r'(?:^|[^\w])(?:if|for|while|switch|catch|namespace|enum)\b[^()]*(?:\(|$)'
                          r'|(?:^|\s)(?:class|struct|union|concept|do|else|try)\b[^()]*$')
_VALUE = re.compile(r'(?<=\S)\{[^{}]*\}')  # a braced value: no space before its brace
_NAME = re.compile(r'([~\w:]+|operator\s*[^\s\w(]+|operator\(\))\s*\(')


def _blank(match):
    """Spaces of the same shape; an empty string literal stays one, so that code stays code."""
    text = match.group(0)
    blanked = re.sub(r'[^\n]', ' ', text)
    return f'"{blanked[1:-1]}"' if text[0] == '"' else blanked


@dataclass
class Block:
    """Something in braces: lines are counted from 1, `first` is where its header begins."""
    name: str
    first: int
    last: int
    start: int  # of what is between the braces
    body: str


class Source:
    """One file. `code` has the length and the lines of `text`."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split('\n')
        self.code = _HIDDEN.sub(_blank, text)

    def line_of(self, position):
        return self.code.count('\n', 0, position) + 1

    def includes(self):
        """(line, name) of each #include "name"."""
        return [(self.line_of(m.start(1)), m.group(1)) for m in _INCLUDE.finditer(self.text)]

    def functions(self):
        """Outermost functions with a body, found by the shape that clang-format gives them."""
        code, values = _PREPROCESSOR.sub(_blank, self.code), 1
        while values:
            code, values = _VALUE.subn(_blank, code)
        found, position = [], 0
        while (brace := code.find('{', position)) >= 0:
            header_start = max(code.rfind(mark, 0, brace) for mark in ';{}') + 1
            header = re.sub(r'\b(?:public|private|protected)\s*:', '', code[header_start:brace])
            position = brace + 1
            if not _is_function(header):
                continue
            end = matching_brace(code, brace)
            first = self.line_of(header_start + len(code[header_start:brace]) -
                                 len(code[header_start:brace].lstrip()))
            name = _NAME.search(header)
            found.append(Block(name.group(1) if name else '?', first, self.line_of(end),
                               brace + 1, self.code[brace + 1:end]))
            position = end
        return found

    def lambdas(self):
        """Every lambda with a body, nested ones too."""
        found = []
        for match in re.finditer(r'\[[^\[\]]*\]\s*(?:<[^<>{}]*>\s*)?(?=[({])', self.code):
            before = self.code[:match.start()].rstrip()
            if before and (before[-1].isalnum() or before[-1] in '_])>') and \
                    not before.endswith(('return', 'co_return', 'co_await')):
                continue  # an index
            brace = self.code.find('{', match.end() - 1)
            between = self.code[match.end():brace]
            if brace < 0 or ';' in between or between.count('(') != between.count(')'):
                continue
            end = matching_brace(self.code, brace)
            found.append(Block('lambda', self.line_of(match.start()), self.line_of(end),
                               brace + 1, self.code[brace + 1:end]))
        return found


def matching_brace(code, start):
    """Where the brace at `start` is closed; the end of the code where it is not."""
    depth = 0
    for match in re.compile(r'[{}]').finditer(code, start):
        depth += 1 if match.group(0) == '{' else -1
        if depth == 0:
            return match.start()
    return len(code)


def _is_function(header):
    """A block has a space before its brace, a braced value has none (.clang-format)."""
    if not header or not header[-1].isspace() or ')' not in header:
        return False
    header = header.strip()
    if re.search(r'(?:[=,(<]|\breturn)$', header) or _NO_FUNCTION.search(header):
        return False
    return True
