"""The HTTP API of figures: what is measured, any measure over any period, and what a figure rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response

from hotline.agent_console.errors import ApiError
from hotline.agent_console.figure_files import FigureTable, TableKind, as_file, file_name
from hotline.agent_console.past_api import Limit, Name
from hotline.agent_console.routes import InRoom, Signed, supervisor
from hotline.agent_console.wire import dump, to_json
from hotline.core.errors import SetupError, UsageError
from hotline.core.figures import Comparison, CountSide, Dimension, FigureAnswer, FigureQuestion, Grain

router = APIRouter()


def _only(
    line: Name = None,
    queue: Name = None,
    agent: Name = None,
    skill: Name = None,
    language: Name = None,
    channel: Name = None,
    unit: Name = None,
    caller_list: Name = None,
) -> dict[Dimension, str]:
    """The groups to look at alone."""
    given = {
        Dimension.LINE: line,
        Dimension.QUEUE: queue,
        Dimension.AGENT: agent,
        Dimension.SKILL: skill,
        Dimension.LANGUAGE: language,
        Dimension.CHANNEL: channel,
        Dimension.UNIT: unit,
        Dimension.CALLER_LIST: caller_list,
    }
    return {dimension: value for dimension, value in given.items() if value is not None}


Only = Annotated[dict[Dimension, str], Depends(_only)]
Measure = Annotated[str, Query(min_length=1, max_length=80)]
First = Annotated[str, Query(alias="from", min_length=1, max_length=40)]
Last = Annotated[str, Query(alias="to", min_length=1, max_length=40)]
Compare = Annotated[tuple[Comparison, ...], Query(max_length=2)]
PartOf = Annotated[Grain | None, Query()]


@router.get("/api/figures/measures")
async def measures(identity: Signed, room: InRoom) -> dict[str, Any]:
    """The catalogue of measures."""
    supervisor(identity)
    return {"measures": to_json(room.deps.measures.catalogue())}


@router.get("/api/figures/query")
async def query(
    identity: Signed,
    room: InRoom,
    only: Only,
    measure: Measure,
    first: First,
    last: Last,
    by: Annotated[Dimension | None, Query()] = None,
    grain: Annotated[Grain | None, Query()] = None,
    compare: Compare = (),
    part_of: PartOf = None,
) -> Response:
    """A measure over a period, cut into parts and told apart, beside other periods."""
    supervisor(identity)
    with _told():
        start, end = room.deps.measures.period(first, last)
        compared = tuple(dict.fromkeys(compare))
        question = FigureQuestion(measure, start, end, grain, by, only, compared, part_of)
        return await _written(await room.deps.measures.answer(question))


@router.get("/api/figures/explain")
async def explain(
    identity: Signed,
    room: InRoom,
    only: Only,
    measure: Measure,
    first: First,
    last: Last,
    side: Annotated[CountSide, Query()] = CountSide.NUMERATOR,
    compare: Compare = (),
    part_of: PartOf = None,
    limit: Limit = 50,
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> Any:
    """A figure with its formula, its counts and a page of the rows behind one of them."""
    supervisor(identity)
    with _told():
        start, end = room.deps.measures.period(first, last)
        compared = tuple(dict.fromkeys(compare))
        question = FigureQuestion(measure, start, end, only=only, compare=compared, part_of=part_of)
        return to_json(await room.deps.measures.explain(question, side, limit=limit, after=after))


@router.get("/api/figures/export")
async def export(
    identity: Signed,
    room: InRoom,
    only: Only,
    measure: Measure,
    first: First,
    last: Last,
    kind: Annotated[TableKind, Query(alias="format")] = TableKind.CSV,
    by: Annotated[Dimension | None, Query()] = None,
    grain: Annotated[Grain | None, Query()] = None,
    compare: Compare = (),
    part_of: PartOf = None,
) -> Response:
    """The figures of a query as a file, the period as a whole and cut into parts; recorded first."""
    user = supervisor(identity)
    site = room.deps.site
    with _told():
        start, end = room.deps.measures.period(first, last)
        compared = tuple(dict.fromkeys(compare))
        question = FigureQuestion(measure, start, end, None, by, only, compared, part_of)
        whole = await room.deps.measures.answer(question)
        parts = None if grain is None else await room.deps.measures.answer(replace(question, grain=grain))
    table = FigureTable(whole, parts, site.zone, site.site.language == "en")
    await room.deps.audit.record(user, "export_figures", measure, f"{first} {last} {kind.value}")
    try:
        made = await asyncio.to_thread(as_file, table, kind)
    except SetupError as error:
        raise ApiError(503, "not_installed", error.message, hint=error.hint) from error
    headers = {
        "Content-Disposition": f"attachment; filename=\"{measure}.{kind.value}\"; filename*=UTF-8''"
        + quote(file_name(table, kind)),
        "Cache-Control": "no-store",
    }
    return Response(made, headers=headers, media_type=kind.media_type)


async def _written(answer: FigureAnswer) -> Response:
    """Thousands of figures as JSON, made beside the loop, which has calls to follow."""
    text = await asyncio.to_thread(lambda: dump(to_json(answer)))
    return Response(text, media_type="application/json")


@contextmanager
def _told() -> Iterator[None]:
    """What cannot be asked is the asker's to mend."""
    try:
        yield
    except UsageError as error:
        raise ApiError(400, "bad_question", error.message, hint=error.hint) from error
