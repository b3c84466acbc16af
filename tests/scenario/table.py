"""The table's syntax: *.scn files into scenarios of steps. No behaviour here."""
import re
from dataclasses import dataclass, field

_WORD = re.compile(r'''((?:[^\s"'=~<>!]+)(?:>=|<=|!=|=|~))?("(?:[^"\\]|\\.)*"|'[^']*'|[^\s]+)''')
_ESCAPE = re.compile(r'\\(x[0-9a-fA-F]{2}|.)')


class TableError(Exception):
    pass


def _unescape(text):
    def one(m):
        c = m.group(1)
        if c[0] == 'x':
            return chr(int(c[1:], 16))
        return {'n': '\n', 't': '\t', 'r': '\r', '0': '\0'}.get(c, c)
    return _ESCAPE.sub(one, text)


@dataclass
class Word:
    key: str      # '' for a bare word
    sign: str     # = ~ >= <= !=
    value: str    # characters 0-255 stand for bytes
    quoted: bool


@dataclass
class Step:
    where: str
    text: str
    verb: str
    args: list                      # bare words behind the verb
    words: list                     # key=value words; a quoted bare word is body="..."
    status: str = ''                # after "->"
    answer: list = field(default_factory=list)

    def get(self, key, absent=None):
        for w in self.words:
            if w.key == key:
                return w.value
        return absent


@dataclass
class Scenario:
    name: str
    where: str
    steps: list = field(default_factory=list)
    needs: list = field(default_factory=list)
    doors: list = field(default_factory=list)   # empty: all
    skip: str = ''
    skip_doors: list = field(default_factory=list)
    ctx: list = field(default_factory=list)     # options of both contexts
    one: bool = False                           # one agent plays everything


def _split(line, where):
    words, at = [], 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        m = _WORD.match(line, at)
        if not m:
            raise TableError(f'{where}: cannot read {line[at:]!r}')
        head, raw = m.group(1) or '', m.group(2)
        sign = ''
        if head:
            sign = head[-2:] if head[-2:] in ('>=', '<=', '!=') else head[-1]
        quoted = raw[0] in '"\''
        value = raw
        if raw[0] == '"':
            value = _unescape(raw[1:-1]).encode().decode('latin-1') if not re.search(r'\\x[89a-fA-F]', raw) \
                else _unescape(raw[1:-1])
        elif raw[0] == "'":
            value = raw[1:-1].encode().decode('latin-1')
        words.append(Word(head[:len(head) - len(sign)], sign, value, quoted))
        at = m.end()
    return words


def parse_step(line, where):
    left, status, answer = line, '', []
    words = _split(line, where)
    for i, w in enumerate(words):
        if not w.key and w.value == '->' and not w.quoted:
            rest = words[i + 1:]
            if not rest:
                raise TableError(f'{where}: nothing after ->')
            status, answer, words = rest[0].value, rest[1:], words[:i]
            break
    verb, args, pairs = words[0].value, [], []
    for w in words[1:]:
        if w.key:
            pairs.append(w)
        elif w.quoted:
            pairs.append(Word('body', '=', w.value, True))
        else:
            args.append(w.value)
    return Step(where, left.strip(), verb, args, pairs, status, answer)


def _each(rest, where):
    """each A,B,C: LINE, once for each name: $it is the name, $next the one behind it, in a ring."""
    names, colon, line = rest.partition(': ')
    names = names.split(',')
    if not colon:
        raise TableError(f'{where}: each has no line')
    return [line.replace('$it', name).replace('$next', names[(i + 1) % len(names)]) for i, name in enumerate(names)]


def load(path):
    scenarios = []
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            where = f'{path.rsplit("/", 1)[-1]}:{number}'
            text = line.strip()
            if not text or text.startswith('#'):
                continue
            if text.startswith('scenario '):
                scenarios.append(Scenario(text[9:].strip(), where))
                continue
            if not scenarios:
                raise TableError(f'{where}: no scenario begun')
            s = scenarios[-1]
            head, _, rest = text.partition(' ')
            if head == 'needs':
                s.needs += rest.split()
            elif head == 'doors':
                s.doors += rest.split()
            elif head == 'skip':
                # skip "reason", or skip queue turn "reason"
                m = re.match(r'([\w\s]*)"([^"]+)"$', rest)
                if not m:
                    raise TableError(f'{where}: a skip needs its reason in quotes')
                s.skip, s.skip_doors = m.group(2), m.group(1).split()
            elif head == 'ctx':
                s.ctx += _split(rest, where)
            elif head == 'one-agent':
                s.one = True
            else:
                s.steps += [parse_step(line, where) for line in (_each(rest, where) if head == 'each' else [text])]
    return scenarios
