"""The names that values may have: what variables.tf declares, down to the fields of objects.

Terraform drops a field that an object's type does not know without a word, and of a variable that is not declared it only warns.
Which fields a type has it says nowhere: so the types are read here, out of what Terraform has already found to be valid.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Type = dict[str, Any]
"""An object by its fields; a map or a list by "*": the type of each in it. Of what has no fields: empty."""
_VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_TYPE = re.compile(r"^ +type +=(.*)", re.MULTILINE | re.DOTALL)
_ASSIGNED = re.compile(r'#[^\n]*|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|[\w-]+|[=(){}\[\]]', re.DOTALL)
_DEPTH = {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}
_TOKEN = re.compile(r'"[^"]*"|\w+|[(){}=,\[\]]')


def types(module: Path) -> dict[str, Type]:
    """The types of the variables of a module, by name."""
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(module.glob("*.tf")))
    found = {}
    for name, body in _VARIABLE.findall(text):
        written = _TYPE.search(re.sub(r"#.*", "", body))
        found[name] = _type(_TOKEN.findall(written[1])) if written else {}
    return found


def _type(tokens: list[str]) -> Type:
    """The type that the tokens begin with; they are used up."""
    word = tokens.pop(0) if tokens else ""
    if word in ("map", "list", "set", "optional") and tokens[:1] == ["("]:
        del tokens[0]
        inner = _type(tokens)
        _skip(tokens)
        return inner if word == "optional" else {"*": inner}
    if word == "object" and tokens[:2] == ["(", "{"]:
        del tokens[:2]
        fields = _fields(tokens)
        _skip(tokens)
        return fields
    return {}


def _fields(tokens: list[str]) -> Type:
    found: Type = {}
    while tokens and tokens[0] != "}":
        name = tokens.pop(0)
        if tokens[:1] == ["="]:
            del tokens[0]
            found[name] = _type(tokens)
    del tokens[:1]
    return found


def _skip(tokens: list[str]) -> None:
    """Past the closing bracket of what was opened, whatever else stands before it, such as an optional field's default."""
    depth = 1
    while tokens and depth:
        depth += _DEPTH.get(tokens.pop(0), 0)


def assigned(text: str) -> Iterator[str]:
    """The variables that a file of values gives one, whatever stands in the values and in comments."""
    depth, before = 0, ""
    for word in _ASSIGNED.findall(text):
        if word.startswith(("#", "//", "/*")):
            continue
        if word == "=" and not depth:
            yield before
        depth += _DEPTH.get(word, 0)
        before = word


def unknown(kinds: Mapping[str, Type], values: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each field in the values that its type does not have."""
    for name, value in values.items():
        yield from _unknown(name, kinds.get(name, {}), value)


def _unknown(path: str, kind: Type, value: Any) -> Iterator[str]:
    if "*" in kind:
        inside = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
        for key, each in inside:
            yield from _unknown(f"{path}.{key}", kind["*"], each)
    elif kind and isinstance(value, dict):
        for key, each in value.items():
            if key not in kind:
                yield f"{path}.{key}: {no_such(key, kind)}"
            else:
                yield from _unknown(f"{path}.{key}", kind[key], each)


def no_such(name: str, known: Mapping[str, Any]) -> str:
    """That a name is not known, and which one is near."""
    near = difflib.get_close_matches(name, known, 1)
    return (
        f"there is no such name; did you mean {near[0]}?"
        if near
        else f"there is no such name; use one of {', '.join(sorted(known))}"
    )
