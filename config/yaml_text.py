"""YAML text into plain data, with the line of every key and value.

Scalars stay the text that was written: the schema decides what they are. So ``number: 0757`` is not read as
octal, ``opens: 8:30`` is not 510 seconds and ``key: 0`` is the key 0, whatever YAML 1.1 thinks of them.
No YAML tag can make an object, and a file cannot grow by its aliases.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import yaml

from hotline.config.problems import KeyPath, Problem, SiteProblems, dotted

Data = None | str | list["Data"] | dict[str, "Data"]
"""What a site file holds before the schema has looked at it."""

MAX_BYTES = 4_000_000  # a site with 10,000 agents takes about 1.5 MB
MAX_NODES = 400_000  # after aliases are followed
MAX_DEPTH = 100  # of sections and lists in one another, for libyaml
_OPENS = {
    yaml.MappingStartEvent: 1,
    yaml.SequenceStartEvent: 1,
    yaml.MappingEndEvent: -1,
    yaml.SequenceEndEvent: -1,
}
_PLAIN = "tag:yaml.org,2002:"
_SCALARS = {_PLAIN + kind for kind in ("str", "int", "float", "bool", "timestamp", "value")}


@dataclass(slots=True)
class Document:
    """A parsed file.

    Attributes:
        data: the whole content.
        lines: key path -> line, counted from 1.
        problems: what is wrong with the YAML itself but did not stop the reading (duplicate keys, tags).
    """

    file: Path
    data: Data = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: KeyPath) -> int:
        """Return the line of ``path``, or of the nearest part of it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_document(file: Path, *, like: str = "config/samples/demo.yaml") -> Document:
    """Read one YAML file; hints say that a person may start from ``like``.

    Raises:
        SiteProblems: if the file cannot be read, is no UTF-8 or no YAML, is empty, or expands without end.
    """
    text = _read_text(file, like)
    try:
        root = _compose(text)
        if root is None:
            raise _refuse(file, 0, "the file is empty", f"start from a copy of {like}")
        return _Reader(file, text).read(root)
    except yaml.YAMLError as error:
        raise SiteProblems(file, [_yaml_problem(file, text, error)]) from error
    except RecursionError as error:
        raise _refuse(file, 0, "lists or sections are nested hundreds deep", "six are enough") from error


def _compose(text: str) -> yaml.Node | None:
    """The text as nodes, by libyaml if it is there, which takes a tenth of the time.

    What it refuses is read by Python's parser, whose words become hints; so is what is nested so deep that
    libyaml's composer, which knows no end, could run out of its stack.
    """
    fast = getattr(yaml, "CSafeLoader", None)
    if fast is not None:
        try:
            depths = accumulate(_OPENS.get(type(event), 0) for event in yaml.parse(text, Loader=fast))
            if max(depths) <= MAX_DEPTH:
                return yaml.compose(text, Loader=fast)
        except yaml.YAMLError:
            pass  # said below
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _refuse(file: Path, line: int, message: str, hint: str = "") -> SiteProblems:
    return SiteProblems(file, [Problem(file, line, "", message, hint)])


def _read_text(file: Path, like: str) -> str:
    try:
        raw = file.read_bytes()
    except FileNotFoundError as error:
        raise _refuse(file, 0, "there is no such file", f"give the path of a file like {like}") from error
    except OSError as error:
        raise _refuse(file, 0, f"the file cannot be read: {error.strerror or error}") from error
    if len(raw) > MAX_BYTES:
        raise _refuse(file, 0, f"the file is {len(raw)} bytes long; at most {MAX_BYTES} are read")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refuse(file, line, "the file is not UTF-8 text", _encoding_hint(raw)) from error


def _encoding_hint(raw: bytes) -> str:
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return "save it as UTF-8"
    return "it looks like GBK: save it as UTF-8"


def _yaml_problem(file: Path, text: str, error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Problem(file, line, "", "a control character stands in the text", "delete it")
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(file, 0, "", f"this is not YAML: {error}")
    mark = error.problem_mark or error.context_mark
    line = _line_at(text, mark.index) if mark else 0
    said = error.problem or "it cannot be parsed"
    if "'\\t'" in said:
        return Problem(file, line, "", "a tab stands where YAML wants spaces", "indent with spaces")
    if "another document" in said:
        return Problem(file, line, "", "a second document begins here", "remove the line ---")
    hint = "look at the indentation and the colons here and on the line above"
    if "undefined alias" in said:
        hint = "define it with & before it is used with *"
    return Problem(file, line, "", f"this is not YAML: {said}", hint)


class _Reader:
    """Turns nodes into data, keeping positions and counting nodes."""

    def __init__(self, file: Path, text: str) -> None:
        self.document = Document(file)
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._left = MAX_NODES
        self._open: set[int] = set()  # nodes being read: one met again inside itself never ends

    def read(self, root: yaml.Node) -> Document:
        self.document.lines[()] = self._line(root)
        self.document.data = self._value(root, ())
        return self.document

    def _line(self, node: yaml.Node) -> int:
        return bisect_left(self._ends, node.start_mark.index) + 1

    def _value(self, node: yaml.Node, path: KeyPath) -> Data:
        self._left -= 1
        if self._left < 0 or id(node) in self._open:
            raise _refuse(
                self.document.file,
                self._line(node),
                "the aliases in this file make it grow without end",
                "write the values out",
            )
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode) and node.tag == _PLAIN + "seq":
                return self._list(node, path)
            if isinstance(node, yaml.MappingNode) and node.tag == _PLAIN + "map":
                return self._mapping(node, path)
        finally:
            self._open.discard(id(node))
        self._tag_problem(node, path)
        return None

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Data:
        if node.tag == _PLAIN + "null":
            return None
        if node.tag not in _SCALARS:
            self._tag_problem(node, path)
        return str(node.value)

    def _list(self, node: yaml.SequenceNode, path: KeyPath) -> Data:
        items: list[Data] = []
        for index, child in enumerate(node.value):
            self.document.lines[(*path, index)] = self._line(child)
            items.append(self._value(child, (*path, index)))
        return items

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> Data:
        seen: dict[str, int] = {}
        values: dict[str, Data] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN + "merge":
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            line = self._line(key_node)
            if key in seen:
                where = dotted((*path, key))
                message = f'"{key}" is given twice (first on line {seen[key]})'
                self._problem(line, where, message, "keep one of them")
                continue
            seen[key] = line
            self.document.lines[(*path, key)] = line
            values[key] = self._value(value_node, (*path, key))
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN + "merge":
                self._merge(value_node, path, values)
        return values

    def _merge(self, node: yaml.Node, path: KeyPath, values: dict[str, Data]) -> None:
        """Take over what ``<<`` points at, wherever the section does not say otherwise itself."""
        for source in _merge_sources(node):
            if not isinstance(source, yaml.MappingNode) or id(source) in self._open:
                self._problem(self._line(node), dotted(path), "<< takes a section or a list of sections")
                continue
            kept = dict(self.document.lines)
            merged = self._value(source, path)
            self.document.lines.update(kept)
            if isinstance(merged, dict):
                for key, value in merged.items():
                    values.setdefault(key, value)

    def _key(self, node: yaml.Node, path: KeyPath) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS | {_PLAIN + "null"}:
            return str(node.value)
        self._problem(self._line(node), dotted(path), "a key must be a plain word or number")
        return None

    def _tag_problem(self, node: yaml.Node, path: KeyPath) -> None:
        self._problem(
            self._line(node), dotted(path), f"the tag {node.tag} is not understood here", "remove it"
        )

    def _problem(self, line: int, key: str, message: str, hint: str = "") -> None:
        self.document.problems.append(Problem(self.document.file, line, key, message, hint))


def _line_at(text: str, index: int) -> int:
    """Return the line of a character as editors count: to YAML, U+2028 and U+0085 break lines, too."""
    return text.count("\n", 0, index) + 1


def _merge_sources(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    else:
        yield node
