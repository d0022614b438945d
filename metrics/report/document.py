"""A report as a document: headings, sentences, tables and charts that every format is made from. No I/O.

Blocks have names that stay the same from one making to the next (``p.phone``, ``t.lines``), so that an edited
draft can be told from what the figures say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

Value = int | float | str | None
"""A cell: percents as percents (75.0), not as fractions. None: nobody gave it."""

_STRICT = ConfigDict(extra="forbid")
WHOLE_ROWS: Final = 14
"""Tables of no more rows are kept on one page."""


class Form(StrEnum):
    """What the values of a column are, and so how they are written."""

    TEXT = "text"
    COUNT = "count"
    PERCENT = "percent"
    CHANGE = "change"  # percent with its sign
    POINTS = "points"  # percentage points with their sign
    NUMBER = "number"  # two decimals


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: level 1 of a chapter, 2 within it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    text: str
    level: int = 1
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    text: str
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the report: where figures come from, what does not add up, what people changed."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    text: str
    tone: Literal["source", "check", "edit"]
    kind: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    title: str
    form: Form = Form.COUNT

    def lines(self) -> list[str]:
        """Its title as it is set: a long one goes on a second line with what stands in brackets."""
        name, bracket, rest = self.title.partition("（")
        return [name, bracket + rest] if bracket and name and columns_wide(self.title) > 8 else [self.title]


@dataclass(frozen=True, slots=True)
class Row:
    """``depth``: how far under another row; ``strong``: a heading row or a total."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    cells: tuple[Value, ...]
    depth: int = 0
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. ``source`` says where the figures come from."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    source: str
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers of a chart, one for each label; None leaves a gap."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    name: str
    values: tuple[int | float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture. ``unit``: what the numbers count."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    title: str
    shape: Literal["pie", "bar", "line"]
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str
    kind: Literal["chart"] = "chart"


Block = Annotated[Heading | Paragraph | Note | Table | Chart, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes:
        title: its heading.
        issuer: who publishes it.
        period: what it is about, in words.
        status: whether it is final, and who says so.
        number: which of its year it is (期号), as 2026年第10期; a 文号 takes its place in the draft.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    title: str
    issuer: str
    period: str
    blocks: tuple[Block, ...]
    status: str = "未定稿"
    number: str = ""

    def captions(self) -> dict[str, str]:
        """What is written at each table and chart, by its id: 表1　…, 图1　…, counted through."""
        found: dict[str, str] = {}
        for kind, word in ((Table, "表"), (Chart, "图")):
            mine = [block for block in self.blocks if isinstance(block, kind)]
            found |= {block.id: f"{word}{at}　{block.title}" for at, block in enumerate(mine, 1)}
        return found

    def tables(self) -> list[Table]:
        """Its tables in order."""
        return [block for block in self.blocks if isinstance(block, Table)]


def written(value: Value, form: Form) -> str:
    """A cell as people read it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    match form:
        case Form.COUNT:
            return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
        case Form.PERCENT:
            return f"{value:.2f}%"
        case Form.CHANGE:
            return f"{value:+,.2f}%" if value else "0.00%"
        case Form.POINTS:
            return f"{value:+.2f}" if value else "0.00"
        case Form.NUMBER:
            return f"{value:,.2f}"
        case Form.TEXT:
            return str(value)


def columns_wide(text: str) -> int:
    """How wide a text is in half characters: Chinese ones are two columns wide."""
    return sum(1 if character.isascii() else 2 for character in text)
