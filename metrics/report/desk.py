"""Reports as supervisors work on them: made when asked for, read, edited, made final, fetched.

One process at a time makes or renders. Policy: who asks for a report while one is being made is told to wait;
downloads of formats that must be written first stand in line, ``MOST_WAITING`` at the most. A file that is
older than its draft is written again when somebody fetches it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from hotline.config.reporting import BY_HAND, ReportFormat
from hotline.config.schema import Site
from hotline.core.clock import Clock
from hotline.core.errors import IllegalState, UsageError
from hotline.core.reports import (
    ReportContent,
    ReportHead,
    ReportMaking,
    ReportOrder,
    ReportShelfView,
    ReportState,
)
from hotline.metrics.report.data import Period, Span
from hotline.metrics.report.draft import Draft, content_print, finished, read_draft, with_texts
from hotline.metrics.report.job import Order, Rendering, what_reports_need
from hotline.metrics.report.maker import SCORES, data_file
from hotline.metrics.report.periods import from_to, period_of
from hotline.metrics.report.running import RunFailed, run_job
from hotline.metrics.report.shown import shown
from hotline.metrics.report.writing import FORMATS, write_report
from hotline.store.report_shelf import DUE, Done, MadeReport, ReportShelf

log = logging.getLogger(__name__)

MOST_WAITING: Final = 8
MOST_LISTED: Final = 300
MOST_WORDS: Final = 60


class _Asked(NamedTuple):
    """A report to make: where to, and the order for its process."""

    stem: str
    period: Period
    words: str
    scores: str


class ReportDesk:
    """The reports of a site.

    Args:
        site: whose figures; its schedule says where data files lie.
        database: its address.
        clock: the present.
    """

    def __init__(self, site: Site, database: str, clock: Clock) -> None:
        self._site, self._database, self._clock = site, database, clock
        self._shelf = ReportShelf(site.data_dir)
        self._process = asyncio.Lock()
        self._waiting = 0
        self._pen = asyncio.Lock()  # reading a draft, changing it and writing it back is one thing
        self._asked: _Asked | None = None
        self._making: ReportMaking | None = None
        self._wake = asyncio.Event()
        self._known: dict[Path, tuple[int, ReportHead]] = {}  # by draft, of that change; MOST_LISTED at most

    async def run(self) -> None:
        """Make what is asked for until cancelled. No failure of one report ends it."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            asked = self._asked
            if asked is None:
                continue
            try:
                await self._make(asked)
                self._making = None
            except (RunFailed, OSError) as error:
                log.error("report %s could not be made: %s", asked.stem, error)
                self._making = ReportMaking(BY_HAND, asked.stem, str(error))
            except Exception as error:  # a fault of ours with one report must not end the server
                log.exception("report %s failed", asked.stem)
                self._making = ReportMaking(BY_HAND, asked.stem, type(error).__name__)
            finally:
                self._asked = None

    async def _make(self, asked: _Asked) -> None:
        with TemporaryDirectory() as given:
            try:
                await self._make_with(asked, _scores_file(asked, Path(given)))
            except RunFailed as error:  # whoever gave the file does not know of our folder
                raise RunFailed(str(error).replace(f"{given}/", "")) from error

    async def _make_with(self, asked: _Asked, scores: Path | None) -> None:
        folder = await asyncio.to_thread(self._shelf.folder, BY_HAND)
        data_in = next(
            (one.data for one in self._site.reports.schedule if one.what == asked.period.span and one.data),
            None,
        )
        order = Order(
            site=what_reports_need(self._site),
            database=self._database,
            period=asked.period,
            data=await asyncio.to_thread(data_file, data_in, asked.period.name),
            scores=scores or await asyncio.to_thread(data_file, data_in, asked.period.name, SCORES),
            words=asked.words,
            folder=folder,
            stem=asked.stem,
            formats=(),
        )
        async with self._process, self._pen:
            await run_job(order)
            done = Done((f"{asked.stem}.json",), handed=True)
            await asyncio.to_thread(self._shelf.note, BY_HAND, asked.stem, done)

    async def reports(self) -> ReportShelfView:
        """All there are, newest first, and the one that is being made."""
        return ReportShelfView(await asyncio.to_thread(self._heads), self._making)

    async def begin(self, order: ReportOrder) -> ReportMaking:
        """Have a report made by ``run``.

        Raises:
            UsageError: there is no such period, or it has not begun; a topic without words.
            IllegalState: ``busy``; ``report_final``; ``report_exists``, a draft and not ``again``.
        """
        asked = _asked(order)
        if asked.period.start > self._clock.now().astimezone(self._site.zone).date():
            raise UsageError(f"{asked.period.name} has not begun", hint="choose a period that has calls")
        if self._asked is not None:
            raise IllegalState("a report is being made", hint="try again when it is done", code="busy")
        head = await asyncio.to_thread(self._head, BY_HAND, asked.stem)
        if head is not None and head.state is ReportState.FINAL:
            raise IllegalState("this report is final", hint="it is not made again", code="report_final")
        if head is not None and not order.again:
            raise IllegalState("there is a draft of it already", code="report_exists")
        if self._asked is not None:  # somebody else was faster while the file was read
            raise IllegalState("a report is being made", hint="try again when it is done", code="busy")
        self._asked = asked
        self._making = ReportMaking(BY_HAND, asked.stem)
        self._wake.set()
        return self._making

    async def content(self, name: str, period: str) -> ReportContent | None:
        """What a report says; None if there is no draft of it.

        Raises:
            ConfigError: the draft cannot be read, or was changed after it was final.
        """
        return await asyncio.to_thread(self._content, name, period)

    async def edit(
        self, name: str, period: str, revision: str, texts: Mapping[str, str | None]
    ) -> ReportContent | None:
        """Other words for headings and paragraphs, by id; None: as they were made.

        Raises:
            UsageError: there is no such text.
            IllegalState: ``stale``, somebody else changed it; ``report_final``.
            ConfigError: as ``content``.
        """
        async with self._pen:
            return await asyncio.to_thread(self._change, name, period, revision, texts, None)

    async def finish(self, name: str, period: str, revision: str, by: str) -> ReportContent | None:
        """Make it final as ``by`` saw it, from now on unchangeable.

        Raises:
            IllegalState, ConfigError: as ``edit``.
        """
        async with self._pen:
            return await asyncio.to_thread(self._change, name, period, revision, {}, by)

    async def file(self, name: str, file: str) -> Path | None:
        """A report's file, written first if its draft says something newer; None if there is none.

        Raises:
            IllegalState: ``busy``, too many wait for theirs; ``not_rendered``, with the reason.
        """
        if not await asyncio.to_thread(self._to_render, name, file):
            return await asyncio.to_thread(self._shelf.file, name, file)
        if self._waiting >= MOST_WAITING:
            raise IllegalState("too many wait for reports", hint="try again in a minute", code="busy")
        self._waiting += 1
        try:
            async with self._process:
                draft = await asyncio.to_thread(self._to_render, name, file)
                if draft is not None:
                    await run_job(Rendering(draft=draft, out=draft.with_name(file)))
        except RunFailed as error:
            raise IllegalState(str(error), code="not_rendered") from error
        finally:
            self._waiting -= 1
        return await asyncio.to_thread(self._shelf.file, name, file)

    def _to_render(self, name: str, file: str) -> Path | None:
        """The draft that a file has yet to be written from."""
        stem, _, form = file.rpartition(".")
        draft = self._shelf.file(name, f"{stem}.json")
        if draft is None or form not in FORMATS or form == "json":
            return None
        there = self._shelf.file(name, file)
        fresh = there is not None and there.stat().st_mtime_ns >= draft.stat().st_mtime_ns
        return None if fresh else draft

    def _content(self, name: str, period: str) -> ReportContent | None:
        found = self._draft(name, period)
        head = self._head(name, period)
        return None if found is None or head is None else shown(found[1], head)

    def _change(
        self, name: str, period: str, revision: str, texts: Mapping[str, str | None], by: str | None
    ) -> ReportContent | None:
        found = self._draft(name, period)
        if found is None:
            return None
        path, draft = found
        if draft.final is not None:
            raise IllegalState(
                "this report is final", hint="it can no longer be changed", code="report_final"
            )
        if content_print(draft) != revision:
            raise IllegalState("somebody else changed this report", hint="read it again", code="stale")
        draft = with_texts(draft, texts)
        if by is not None:
            self._let_hand_over(name, period)
            draft = finished(draft, by, self._clock.now())
        write_report(draft, draft.document, path)
        return self._content(name, period)

    def _let_hand_over(self, name: str, period: str) -> None:
        """Have the maker hand a scheduled report over once more: as final, once its draft says that it is."""
        done = self._shelf.done(name, period)
        if done is not None and any(one.name == name for one in self._site.reports.schedule):
            self._shelf.note(name, period, replace(done, final=DUE))

    def _draft(self, name: str, period: str) -> tuple[Path, Draft] | None:
        path = self._shelf.file(name, f"{period}.json")
        return None if path is None else (path, read_draft(path.read_bytes(), path.name))

    def _heads(self) -> tuple[ReportHead, ...]:
        groups: dict[tuple[str, str], list[MadeReport]] = {}
        for one in self._shelf.made():
            groups.setdefault((one.name, one.period), []).append(one)
        newest = list(groups.items())[:MOST_LISTED]
        return tuple(self._head_of(name, period, files) for (name, period), files in newest)

    def _head(self, name: str, period: str) -> ReportHead | None:
        files = [one for one in self._shelf.made() if (one.name, one.period) == (name, period)]
        return self._head_of(name, period, files) if files else None

    def _head_of(self, name: str, period: str, files: list[MadeReport]) -> ReportHead:
        path = self._shelf.file(name, f"{period}.json")
        made_at = min(one.made_at for one in files)
        bare = ReportHead(
            name, period, "", ReportState.FILES, made_at, None, None, None,
            tuple(form.value for form in ReportFormat if any(one.format == form for one in files)),
        )  # fmt: skip
        if path is None:
            return bare
        try:
            changed_at = path.stat().st_mtime_ns
            known = self._known.get(path)
            if known is None or known[0] != changed_at:
                known = changed_at, _drafted(bare, json.loads(path.read_bytes()))
                if len(self._known) >= MOST_LISTED:
                    self._known.clear()
                self._known[path] = known
            return known[1]
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("the draft %s of report %s cannot be read", path.name, name)
            return bare


def _drafted(bare: ReportHead, draft: Any) -> ReportHead:
    """The head of a report with a draft, of which only this is read: lists are long."""
    final = draft.get("final")
    return replace(
        bare,
        title=str(draft["document"]["title"]),
        state=ReportState.FINAL if final else ReportState.DRAFT,
        made_at=datetime.fromisoformat(draft["made_at"]),
        final_by=str(final["by"]) if final else None,
        final_at=datetime.fromisoformat(final["at"]) if final else None,
        disagreements=len(draft["disagreements"]),
        formats=FORMATS,
    )


def _asked(order: ReportOrder) -> _Asked:
    if order.what != "topic":
        period = period_of(Span(order.what), order.period)
        return _Asked(period.name, period, "", order.scores)
    words = order.words.strip()
    if not words or len(words) > MOST_WORDS:
        raise UsageError("a topic is about words that were said", hint=f"give 1 to {MOST_WORDS} characters")
    period = from_to(order.period, order.last)
    mark = hashlib.sha256(words.encode()).hexdigest()[:8]
    return _Asked(f"topic-{period.start}-{period.last}-{mark}", period, words, "")


def _scores_file(asked: _Asked, folder: Path) -> Path | None:
    """What was given of sub-centres as the file that it was: of YAML, or the list that was worked out."""
    if not asked.scores.strip():
        return None
    file = folder / f"scores{'.json' if asked.scores.lstrip().startswith('[') else '.yaml'}"
    file.write_text(asked.scores, encoding="utf-8")
    return file
