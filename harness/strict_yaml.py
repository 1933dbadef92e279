"""YAML with plain values only, whose keys are text and stand once, and whose size is bounded.

PyYAML raises errors of many kinds for odd values: a ValueError for the date 2020-13-45, a RecursionError for deep
nesting, a TypeError for a list as a key. Here each of them becomes a `YamlError`.
"""

from __future__ import annotations

import yaml

from harness.errors import shown

LONGEST_TEXT = 2**18
"""Characters of a file. PyYAML reads so many in about 2 seconds."""
LONGEST_SCALAR = 10_000
"""Characters of one value."""
MOST_VALUES = 10_000
"""Values of a file. Each alias counts as much as what it stands for."""
DEEPEST = 20
"""Levels of lists and mappings inside each other."""
LONGEST_INTEGER = 4300
"""Decimal digits. Python reads no more."""
TOO_DEEP = f"lists and mappings are nested more than {DEEPEST} levels deep"
SEVERAL = "a second document starts here; a file holds one"

_PREFIX = "tag:yaml.org,2002:"
_KINDS = ("null", "bool", "int", "float", "timestamp", "str", "seq", "map")
_TEXTS = ("value", "merge")
"""What YAML 1.1 makes of `=` and `<<`. As values they are text here."""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They change the order in which the text around them is shown."""


class YamlError(ValueError):
    """The text can't be read. `line` counts from 1; it is None where the error has no place."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


def read_yaml(text: str) -> object:
    """The value that a text stands for: None, bool, int, float, date, str, list and dict. Raises YamlError."""
    if len(text) > LONGEST_TEXT:
        raise YamlError(f"the file has more than {LONGEST_TEXT} characters")
    try:
        loader = _Loader(text)
        node = _only_document(loader)
        if node is None:
            return None
        _Check().visit(node, 0)
        return loader.construct_document(node)
    except _RefusedError as error:
        raise YamlError(error.problem, error.line) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or error
        raise YamlError(f"isn't valid YAML: {problem}", mark.line + 1 if mark else None) from error
    except RecursionError as error:
        raise YamlError(TOO_DEEP) from error
    except (ValueError, OverflowError) as error:  # from PyYAML's scanner, for escapes such as \UFFFFFFFF
        raise YamlError(f"isn't valid YAML: {error}") from error


def _only_document(loader: _Loader) -> yaml.Node | None:
    """None where there is none."""
    node = loader.get_node() if loader.check_node() else None
    if loader.check_node():
        raise _RefusedError(loader.peek_event().start_mark, SEVERAL)
    return node


class _RefusedError(yaml.YAMLError):
    """What starts at the mark is valid YAML, and not allowed here."""

    def __init__(self, mark: yaml.error.Mark, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = mark.line + 1


class _Loader(yaml.SafeLoader):
    """Constructs plain values only: no sets, pairs or bytes."""

    yaml_constructors = {  # noqa: RUF012 - PyYAML's own way to tell constructors
        **{f"{_PREFIX}{kind}": yaml.SafeLoader.yaml_constructors[f"{_PREFIX}{kind}"] for kind in _KINDS},
        **{f"{_PREFIX}{kind}": yaml.SafeLoader.construct_yaml_str for kind in _TEXTS},
    }

    def fetch_flow_collection_start(self, TokenClass: type) -> None:
        """PyYAML's scanner takes a second for a thousand brackets."""
        if self.flow_level > DEEPEST:
            raise _RefusedError(self.get_mark(), TOO_DEEP)
        super().fetch_flow_collection_start(TokenClass)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        """PyYAML's constructors of scalars let errors of Python's own conversions through."""
        if node.tag not in self.yaml_constructors:
            tag = node.tag.replace(_PREFIX, "!!")
            raise _RefusedError(node.start_mark, f"the tag {shown(tag)} is not allowed; leave it out")
        if _is_too_long(node):
            raise _RefusedError(node.start_mark, f"a number has more than {LONGEST_INTEGER} digits")
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            fault = f"{shown(node.value)} isn't a valid {node.tag.removeprefix(_PREFIX)}; text must be quoted"
            raise _RefusedError(node.start_mark, fault) from error


def _is_too_long(node: yaml.Node) -> bool:
    """Whether it is an integer that Python doesn't read."""
    if not isinstance(node, yaml.ScalarNode) or node.tag != f"{_PREFIX}int":
        return False
    return sum(map(str.isdecimal, node.value)) > LONGEST_INTEGER


class _Check:
    """Walks the nodes before values are made of them. A node is visited once, however many aliases it has."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def visit(self, node: yaml.Node, depth: int) -> int:
        """The number of values in a node, its aliases' included. Raises _RefusedError where it isn't allowed."""
        if id(node) in self._open:
            raise _RefusedError(node.start_mark, "an alias stands within what it stands for")
        if depth > DEEPEST:
            raise _RefusedError(node.start_mark, TOO_DEEP)
        if id(node) not in self._sizes:
            self._open.add(id(node))
            self._sizes[id(node)] = 1 + sum(self.visit(child, depth + 1) for child in _children(node))
            self._open.remove(id(node))
        if self._sizes[id(node)] > MOST_VALUES:
            raise _RefusedError(
                node.start_mark,
                f"the file holds more than {MOST_VALUES} values, each alias counted as what it stands for",
            )
        return self._sizes[id(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.ScalarNode):
        _check_scalar(node)
        return []
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
        return [item for pair in node.value for item in pair]
    return node.value


def _check_scalar(node: yaml.ScalarNode) -> None:
    if len(node.value) > LONGEST_SCALAR:
        raise _RefusedError(node.start_mark, f"a value has more than {LONGEST_SCALAR} characters")
    for character in node.value:
        odd = not character.isprintable() and not character.isspace()
        if odd and (character < " " or "\x7f" <= character < "\xa0" or "\ud800" <= character <= "\udfff"):
            raise _RefusedError(node.start_mark, f"{shown(character)} is a control character or half a character")
        if character in _BIDI:
            raise _RefusedError(node.start_mark, f"{shown(character)} changes the direction of the text")


def _check_keys(node: yaml.MappingNode) -> None:
    """PyYAML would keep the last of equal keys. The key `<<` merges another mapping."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            kind = "list" if isinstance(key, yaml.SequenceNode) else "mapping"
            raise _RefusedError(key.start_mark, f"a key is a {kind}, not text")
        if key.tag != f"{_PREFIX}str" and (key.tag, key.value) != (f"{_PREFIX}merge", "<<"):
            raise _RefusedError(key.start_mark, f"the key {shown(key.value)} isn't text; it must be quoted")
        if key.value in seen:
            raise _RefusedError(key.start_mark, f"the key {shown(key.value)} stands twice")
        seen.add(key.value)
