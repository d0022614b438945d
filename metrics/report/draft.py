"""A report as JSON: its figures, its document and what it was made of, to be edited and rendered again. Pure.

What may be edited are sentences and headings (``document.blocks[].text``), what is said of rows and notes
(``remarks``) and the figures under ``data``. Tables and charts follow from ``data`` and are made anew; an
edited table is refused (why: ``remarks.py``). Tables of edited figures say so beside where these come from,
numbers that people wrote and that are in no table are told in the report as 人工改动, and the arithmetic is
checked again. Fingerprints tell what was edited; they are no protection against somebody who makes new ones.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from hotline.config.problems import ConfigError, dotted
from hotline.core.errors import UsageError
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.compose import compose
from hotline.metrics.report.data import ReportData
from hotline.metrics.report.document import (
    Block,
    Chart,
    Document,
    Heading,
    Note,
    Paragraph,
    Table,
    written,
)
from hotline.metrics.report.ratios import ratios
from hotline.metrics.report.remarks import LONGEST, places, remarked
from hotline.metrics.report.words import SECTIONS

FORMAT: Final = "hotline-report-1"
_TEXTS: Final = (Heading, Paragraph)
_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate with what it was made of, for readers of the file; it is made anew from ``data``."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    id: str
    name: str
    formula: str
    numerator: float | None
    denominator: float | None
    value: float | None
    unit: str


Remark = Annotated[str, Field(min_length=1, max_length=LONGEST)]


@dataclass(frozen=True, slots=True)
class FinalMark:
    """Somebody said that the report is final: ``of`` is the fingerprint of what they saw."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    at: datetime
    by: Annotated[str, Field(min_length=1, max_length=80)]
    of: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole file.

    Attributes:
        prints: the fingerprints of its parts as they were made.
        remarks: what people said of rows and notes, by their place (``remarks.py``).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    format: Literal["hotline-report-1"]
    made_at: datetime
    data: ReportData
    figures: tuple[Figure, ...]
    disagreements: tuple[str, ...]
    document: Document
    prints: dict[str, str]
    final: FinalMark | None = None
    remarks: dict[str, Remark] = dataclasses.field(default_factory=dict)


_DRAFT: Final = TypeAdapter(Draft)
_BLOCK: Final[TypeAdapter[Block]] = TypeAdapter(Block)


def new_draft(data: ReportData, made_at: datetime) -> Draft:
    """The draft of these figures."""
    document = compose(data)
    prints = _data_prints(data) | {f"block {one.id}": _print_of_block(one) for one in document.blocks}
    return Draft(FORMAT, made_at, data, _figures(data), _disagreements(data), document, prints)


def as_json(draft: Draft) -> bytes:
    """The file."""
    return _DRAFT.dump_json(draft, indent=2) + b"\n"


def read_draft(text: bytes, name: str) -> Draft:
    """The draft of a file's content; ``name`` is for errors.

    Raises:
        ConfigError: it is none, with the first place that is wrong.
    """
    try:
        return _DRAFT.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        place = dotted(tuple(first["loc"]))
        hint = "make the draft anew, and change only texts and figures in it"
        raise ConfigError(f"{name}: {place}: {first['msg']}{more}", hint=hint) from None


def reviewed(draft: Draft) -> Document:
    """The document of a draft as people left it, with what they said of it; see `made_anew`."""
    document = made_anew(draft)
    blocks = tuple(remarked(block, draft.remarks) for block in document.blocks)
    return replace(document, blocks=blocks)


def made_anew(draft: Draft) -> Document:
    """The document of a draft as people left it, its figures made anew and every change told.

    Raises:
        ConfigError: a table or chart was edited, or something was changed after the report became final.
    """
    if draft.final is not None and draft.final.of != content_print(draft):
        raise ConfigError("the report was changed after it became final", hint="take the key final out of it")
    made = compose(_marked(draft))
    anew = {block.id: block for block in made.blocks}
    blocks: list[Block] = []
    for block in draft.document.blocks:
        unchanged = draft.prints.get(f"block {block.id}") == _print_of_block(block)
        if isinstance(block, (Table, Chart)) and not unchanged:
            raise ConfigError(
                f"document: {block.id} ({block.title}) was edited",
                hint="change its figures under data instead",
            )
        # what does not add up is told as it is now, whatever became of it in the file
        taken = anew.get(block.id) if unchanged or isinstance(block, Note) else block
        if taken is not None:
            blocks.append(taken)
    kept = {block.id for block in blocks}
    notes = [block for block in made.blocks if isinstance(block, Note) and block.id not in kept]
    status = _status(draft.final, draft.data.timezone) if draft.final else draft.document.status
    return replace(draft.document, blocks=(*blocks, *notes, *_edits(draft, made)), status=status)


def _changed_sections(draft: Draft) -> list[str]:
    now = _data_prints(draft.data)
    return [section for section in SECTIONS if now[section] != draft.prints.get(section)]


def _marked(draft: Draft) -> ReportData:
    """The figures, those that were changed by hand with a word on it beside where they come from."""
    origins = dict(draft.data.origins)
    for section in _changed_sections(draft):
        origins[section] = "，".join(one for one in (origins.get(section), "经人工修改") if one)
    return draft.data.model_copy(update={"origins": origins})


def with_texts(draft: Draft, texts: Mapping[str, str | None]) -> Draft:
    """The draft with other words for headings, paragraphs and remarks, by place; None: as they were made.

    Raises:
        ConfigError: it is final.
        UsageError: there is no such place in it, or a remark is too long.
    """
    if draft.final is not None:
        raise ConfigError("the report is final", hint="make it anew to change it")
    made = {block.id: block for block in compose(draft.data).blocks if isinstance(block, _TEXTS)}
    known = {block.id for block in draft.document.blocks if isinstance(block, _TEXTS)}
    remarks = {id_: text and " ".join(text.split()) for id_, text in texts.items() if id_ not in known}
    if strange := sorted(remarks.keys() - places(made_anew(draft).blocks) - draft.remarks.keys()):
        raise UsageError(f"the report has no text {strange[0]}", hint="texts are told by their ids")
    if any(len(text or "") > LONGEST for text in remarks.values()):
        raise UsageError("the remark is too long", hint=f"at most {LONGEST} characters")

    def worded(block: Block) -> Block:
        if not isinstance(block, _TEXTS) or block.id not in texts:
            return block
        text = texts[block.id]
        return made.get(block.id, block) if text is None else replace(block, text=text)

    blocks = tuple(worded(block) for block in draft.document.blocks)
    said = {id_: text for id_, text in (draft.remarks | remarks).items() if text}
    return replace(draft, document=replace(draft.document, blocks=blocks), remarks=said)


def was_edited(draft: Draft, block: Block) -> bool:
    """Whether people changed a block."""
    return draft.prints.get(f"block {block.id}") != _print_of_block(block)


def finished(draft: Draft, by: str, at: datetime) -> Draft:
    """The draft marked as final, from now on unchangeable."""
    return replace(draft, final=FinalMark(at, by, content_print(draft)))


def refreshed(draft: Draft) -> Draft:
    """The draft with its figures and disagreements made anew from ``data``, as an editor leaves it."""
    return replace(draft, figures=_figures(draft.data), disagreements=_disagreements(draft.data))


def _status(final: FinalMark, timezone: str) -> str:
    return f"定稿 {final.at.astimezone(ZoneInfo(timezone)):%Y-%m-%d} {final.by}"


def _edits(draft: Draft, made: Document) -> Iterator[Note]:
    """What people changed, as notes."""
    names = [SECTIONS[section] for section in _changed_sections(draft)]
    if names:
        yield Note(
            "n.edit.data", f"人工改动——下列数据经人工修改，已重新计算和核对：{'、'.join(names)}。", "edit"
        )
    known = _numbers_of(made)
    for id_, text in _written(draft):
        strange = [one for one in _NUMBER.findall(text) if _plain(one) not in known]
        if strange:
            told = "、".join(dict.fromkeys(strange))
            yield Note(
                f"n.edit.{id_}",
                f"人工改动——“{text[:12]}…”中的数字{told}不见于本报告的表格，为人工填写。",
                "edit",
            )
    if lost := sorted(draft.remarks.keys() - places(made.blocks)):
        told = "；".join(f"{id_.partition('/')[2] or '说明'}：{draft.remarks[id_]}" for id_ in lost)
        yield Note("n.edit.lost", f"人工改动——下列备注所指的行或核对结果已不在报告中：{told}。", "edit")
    kept = {block.id for block in draft.document.blocks}
    gone = [block.title for block in made.blocks if isinstance(block, Table) and block.id not in kept]
    if gone:
        yield Note("n.edit.gone", f"人工改动——删去表格：{'、'.join(gone)}。", "edit")


def _written(draft: Draft) -> Iterator[tuple[str, str]]:
    """What people wrote, by its place."""
    for block in draft.document.blocks:
        if isinstance(block, _TEXTS) and was_edited(draft, block):
            yield block.id, block.text
    yield from draft.remarks.items()


def _numbers_of(document: Document) -> set[str]:
    """Every number that the report's figures say, without commas."""
    found: set[str] = set()
    for block in document.blocks:
        if isinstance(block, Table):
            texts = [written(value, column.form) for row in block.rows
                     for value, column in zip(row.cells, block.columns, strict=True)]  # fmt: skip
        elif isinstance(block, Chart):
            texts = [*block.labels, *(str(value) for series in block.series for value in series.values)]
        else:
            texts = [block.text]
        found |= {_plain(one) for text in texts for one in _NUMBER.findall(text)}
    return found


def _plain(number: str) -> str:
    return number.replace(",", "")


def _data_prints(data: ReportData) -> dict[str, str]:
    return {name: _sha(TypeAdapter(object).dump_json(getattr(data, name))) for name in SECTIONS}


def _print_of_block(block: Block) -> str:
    return _sha(_BLOCK.dump_json(block))


def content_print(draft: Draft) -> str:
    """Names what a draft says: another one after every change."""
    document = TypeAdapter(Document).dump_json(draft.document)
    remarks = json.dumps(draft.remarks, sort_keys=True).encode() if draft.remarks else b""
    return _sha(document + draft.data.model_dump_json().encode() + remarks)


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]


def _figures(data: ReportData) -> tuple[Figure, ...]:
    return tuple(
        Figure(one.id, one.name, one.formula, one.numerator, one.denominator, one.value, one.unit)
        for one in ratios(data)
    )


def _disagreements(data: ReportData) -> tuple[str, ...]:
    return tuple(str(one) for one in disagreements(data))
