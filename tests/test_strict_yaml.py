"""YAML of any kind is read as plain values or refused with a sentence, and costs little time and memory."""

from __future__ import annotations

import datetime
import time

import pytest

from harness.strict_yaml import DEEPEST, LONGEST_INTEGER, LONGEST_TEXT, MOST_VALUES, YamlError, read_yaml

BASE = "base: &b {x: 1, y: 2}\n"
OTHER = "other: &o {y: 3, z: 4}\n"

READ = {
    "nothing": ("", None),
    "a comment": ("# nothing\n", None),
    "a date": ("2020-01-31", datetime.date(2020, 1, 31)),
    "a quoted date that isn't one": ("'2020-13-45'", "2020-13-45"),
    "what YAML 1.1 has for a default": ("a: =", {"a": "="}),
    "two brackets as a value": ("a: <<", {"a": "<<"}),
    "a tag that is implied": ("a: !!int 7", {"a": 7}),
    "a key with brackets": ('"budget(s)": 1', {"budget(s)": 1}),
    "an end of the document": ("a: 1\n...\n", {"a": 1}),
    "a merge": (BASE + "new: {<<: *b}", {"x": 1, "y": 2}),
    "own keys win": (BASE + "new: {<<: *b, y: 5}", {"x": 1, "y": 5}),
    "own keys win wherever the merge stands": (BASE + "new: {y: 5, <<: *b}", {"x": 1, "y": 5}),
    "the first of several merges wins": (BASE + OTHER + "new: {<<: [*b, *o]}", {"x": 1, "y": 2, "z": 4}),
    "the order of merges counts": (BASE + OTHER + "new: {<<: [*o, *b]}", {"x": 1, "y": 3, "z": 4}),
    "merges of merges": (BASE + "next: &n {<<: *b, z: 6}\nnew: {<<: *n, x: 7}", {"x": 7, "y": 2, "z": 6}),
    "a mapping merged in place": ("new: {<<: {x: 1}, y: 2}", {"x": 1, "y": 2}),
    "an empty merge": ("new: {<<: [], y: 2}", {"y": 2}),
    "a quoted merge is a key": ("new: {'<<': 1}", {"<<": 1}),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_valid_is_read(name: str):
    text, value = READ[name]
    found = read_yaml(text)
    assert (found["new"] if isinstance(found, dict) and "new" in found else found) == value


def test_a_merge_changes_nothing_where_it_comes_from():
    found = read_yaml(BASE + "new: {<<: *b, y: 5}")
    assert found == {"base": {"x": 1, "y": 2}, "new": {"x": 1, "y": 5}}


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
MERGES = "m0: &m0 {x: 1}\n" + "".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, 40))

REFUSED = {
    "a date that isn't one": ("a: 2020-13-45", "line 1: '2020-13-45' isn't a valid timestamp"),
    "too many digits": ("a:\n  " + "9" * 5001, f"line 2: a number has more than {LONGEST_INTEGER} digits"),
    "too many digits after a sign": ("a: -" + "9" * 5001, "line 1: a number has more than"),
    "a tag of another kind": ("a: !!int x", "line 1: 'x' isn't a valid int"),
    "a list tagged as a number": ("a: !!int [1]", "expected a scalar node"),
    "a tag of Python": ("a: !!python/object/apply:os.system [ls]", "the tag '!!python/object/apply:os.system'"),
    "a tag of Python on a mapping": ("!!python/object:os.system {a: 1}", "the tag '!!python/object:os.system'"),
    "an unknown tag": ("a: !own x", "the tag '!own' is not allowed"),
    "bytes": ("a: !!binary aGk=", "the tag '!!binary' is not allowed"),
    "a set": ("a: !!set {x}", "the tag '!!set' is not allowed"),
    "a tag without its handle": ("a: !e!x 1", "undefined tag handle"),
    "a list as a key": ("? [1]\n: 2", "line 1: a key is a list, not text"),
    "a mapping as a key": ("? {a: 1}\n: 2", "line 1: a key is a mapping, not text"),
    "an alias as a key": ("a: &a [1]\n*a : 2", "a key is a list, not text"),
    "a number as a key": ("1: 2", "the key '1' isn't text"),
    "nothing as a key": ("? \n: 2", "the key '' isn't text"),
    "a tag that merges": ("!!merge a: {b: 1}", "the key 'a' isn't text"),
    "a key twice": ("a: 1\n'a': 2", "line 2: the key 'a' stands twice"),
    "a key twice deep below": ("a: [{b: 1, b: 2}]", "the key 'b' stands twice"),
    "two merges": (BASE + "new: {<<: *b, <<: *b}", "the key '<<' stands twice"),
    "a merge of a number": ("new: {<<: 5}", "expected a mapping or list of mappings for merging"),
    "a merge of numbers": ("new: {<<: [{a: 1}, 5]}", "expected a mapping for merging"),
    "two documents": ("a: 1\n---\nb: 2", "line 2: a second document starts here"),
    "a second document that is empty": ("a: 1\n---\n", "a second document starts here"),
    "an empty document before it": ("---\n---\na: 1", "a second document starts here"),
    "an alias that nothing has": ("a: *b", "undefined alias"),
    "lists in lists": ("[" * 2000 + "]" * 2000, f"{DEEPEST} levels"),
    "lists in lists, left open": ("[" * 100_000, f"{DEEPEST} levels"),
    "mappings in mappings": ("{a: " * 2000 + "1" + "}" * 2000, f"{DEEPEST} levels"),
    "lists in lists, in block style": ("- " * 2000 + "1", f"{DEEPEST} levels"),
    "keys of keys": ("? " * 2000 + "1", f"{DEEPEST} levels"),
    "aliases in aliases": (BOMB, f"{MOST_VALUES} values"),
    "merges in merges": (MERGES, f"{MOST_VALUES} values"),
    "an alias within itself": ("a: &a {b: *a}", "an alias stands within what it stands for"),
    "half a character": ('a: "\\ud800"', "'\\ud800' is a control character or half a character"),
    "a control character": ('a: "\\x1b[2J"', "is a control character"),
    "a control character in a key": ('"\\a": 1', "is a control character"),
    "C1": ('a: "\\x9b"', "is a control character"),
    "a change of direction": ('a: "\\u202e"', "changes the direction of the text"),
    "a change of direction in a key": ('"a\\u2067": 1', "changes the direction of the text"),
    "no character": ('a: "\\UFFFFFFFF"', "isn't valid YAML"),
    "a version to come": ("%YAML 3.0\n---\na: 1", "line 1: isn't valid YAML"),
    "a long text": ("#" * (LONGEST_TEXT + 1), f"{LONGEST_TEXT} characters"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_odd_is_refused_in_a_sentence(name: str):
    text, words = REFUSED[name]
    start = time.process_time()
    with pytest.raises(YamlError) as raised:
        read_yaml(text)
    assert time.process_time() - start < 5  # the most that a text of the largest size takes is about 2 s
    said = f"line {raised.value.line}: {raised.value.problem}"
    assert words in said
    assert said.isprintable()
    assert len(said) < 300
