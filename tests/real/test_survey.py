"""The survey after the talk on a real Asterisk: who is asked, what comes of it, and what it leaves alone."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from hotline.config.schema import Recorded, RecordingSection, Site
from hotline.config.survey import SurveySection
from hotline.core.events import Source
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import AGENTS_ONLY
from hotline.queue.queue_log.reader import NewsOfTheExchange, parse_line
from hotline.queue.routing import Routing
from hotline.speech.wav import write_wav
from hotline.store.ledger import SurveyRecord
from hotline.store.models import Call as CallRow
from hotline.store.models import SurveyRow
from hotline.telephony.asterisk_config.places import raw_recordings_of, sounds_dir_of
from tests.real.answered_case import TALK_SECONDS, AnsweredCase, answered_by_zhang
from tests.real.books import Books, open_books, take
from tests.real.exchange import StartAsterisk
from tests.real.floor import WITHIN_SECONDS, Floor, open_floor, site_with_outside
from tests.real.tones import tone

WAIT_SECONDS = 2


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Every line asks and is recorded; the question is a tone, so that callers' phones know it."""
    site = site_with_outside(tmp_path).model_copy(
        update={
            "survey": SurveySection(wait_seconds=WAIT_SECONDS),
            "recording": RecordingSection(lines=Recorded.ON),
        }
    )
    prompt = sounds_dir_of(site) / "zh/hotline/_survey.wav"
    prompt.parent.mkdir(parents=True)
    write_wav(prompt, tone(0.3, 440), 8000)
    return site


async def test_who_is_asked_and_what_becomes_of_it(
    start_asterisk: StartAsterisk, site: Site, tmp_path: Path
) -> None:
    """Keys, silence, hang-ups, transfers; told live, and only by queue_log while the server is away."""
    async with open_floor(start_asterisk, site) as floor:
        await floor.serve("zhang", "12345")
        await floor.serve("wang", "12333")
        async with asyncio.timeout(60), open_books(floor, tmp_path) as books:
            await _very_satisfied(books)
            await _silence_holds_no_seat_and_is_not_recorded(books)
            await _a_wrong_key_and_a_right_one(books)
            await _two_wrong_keys(books)
            await _hung_up(books)
            await _not_asked_who_hangs_up(books)
            await _handed_on_to_an_agent(books)
            await _put_through_to_an_agent(books)
            await _put_through_to_a_queue(books)
            await _left_by_somebody_outside(books)
            await books.check_everything()
        await _nobody_listens(books)
        async with asyncio.timeout(20), open_books(floor, tmp_path) as books:
            await _is(books, "1391020", "answered", 4, source="queue_log")
            await _same_by_queue_log_alone(books)
    assert [line for line in floor.exchange.messages() if "survey" in line.lower()] == []


async def _asked(case: AnsweredCase) -> None:
    """Wait until the caller hears the question."""
    began, heard = asyncio.get_running_loop().time(), case.caller.call.heard
    async with asyncio.timeout(WITHIN_SECONDS):
        while (heard.last_sound_at or 0.0) < began:
            await heard.wait_packet()


async def _is(
    books: Books,
    number: str,
    outcome: str,
    answer: int | None = None,
    *,
    agent: str = "zhang",
    queue: str = "12345",
    source: str = "live",
) -> None:
    """The row of this caller's survey, once it is there."""
    deadline = time.monotonic() + WITHIN_SECONDS
    query = select(SurveyRow).join(CallRow, CallRow.call_id == SurveyRow.call_id)
    while True:
        async with books.sessions() as session:
            row = await session.scalar(query.where(CallRow.caller_number == number))
        if row is not None:
            break
        assert time.monotonic() < deadline, books.floor.exchange.queue_log()[-5:]
        await asyncio.sleep(0.05)
    told = (row.outcome, row.answer, row.agent, row.queue, row.line, row.language, row.source)
    assert told == (outcome, answer, agent, queue, "12345", "zh-CN", source)
    assert 0 <= (datetime.now(UTC) - row.asked_at).total_seconds() < 60


async def _very_satisfied(books: Books) -> None:
    """The row of the talk is what it is without a survey."""
    async with AnsweredCase(books, "1391001") as case:
        await case.zhang.hangup()
        await _asked(case)
        await case.caller.call.send_dtmf("5")
        await case.caller.ended()
    (entry,), (talk,) = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "agent")
    assert (talk.ended_by, talk.ended_at) == ("agent", entry.closed_at)
    await _is(books, case.number, "answered", 5)


async def _silence_holds_no_seat_and_is_not_recorded(books: Books) -> None:
    async with AnsweredCase(books, "1391002") as case:
        await case.zhang.hangup()
        await _asked(case)
        raw = {path: path.stat().st_size for path in raw_recordings_of(books.floor.exchange.site).iterdir()}
        async with AnsweredCase(books, "1391003") as other:
            assert case.caller.call.end is None, "the first is still asked while Zhang talks with the next"
            await other.caller.hangup()
            await other.zhang.ended()
        await case.caller.ended()
        assert raw and {path: path.stat().st_size for path in raw} == raw
    (entry,), _ = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "agent")
    await _is(books, case.number, "no_answer")


async def _a_wrong_key_and_a_right_one(books: Books) -> None:
    async with AnsweredCase(books, "1391004") as case:
        await case.zhang.hangup()
        await _asked(case)
        await case.caller.call.send_dtmf("9")
        await _asked(case)
        await case.caller.call.send_dtmf("4")
        await case.caller.ended()
    await _is(books, case.number, "answered", 4)


async def _two_wrong_keys(books: Books) -> None:
    async with AnsweredCase(books, "1391005") as case:
        await case.zhang.hangup()
        await _asked(case)
        await case.caller.call.send_dtmf("#")
        await _asked(case)
        await case.caller.call.send_dtmf("0")
        await case.caller.ended()
    await _is(books, case.number, "wrong_key")


async def _hung_up(books: Books) -> None:
    async with AnsweredCase(books, "1391006") as case:
        await case.zhang.hangup()
        await _asked(case)
        await case.caller.hangup()
    await _is(books, case.number, "hung_up")


async def _not_asked_who_hangs_up(books: Books) -> None:
    async with AnsweredCase(books, "1391007") as case:
        await case.caller.hangup()
        await case.zhang.ended()
    (entry,), _ = await books.closed(case.number)
    answered_by_zhang(entry, case.zhang, "caller")
    await _never_asked(books, case)


async def _handed_on_to_an_agent(books: Books) -> None:
    async with AnsweredCase(books, "1391008") as case:
        await case.floor.blind_transfer("zhang", "8002")
        li = await take(case.floor.phones["li"])
        await asyncio.sleep(TALK_SECONDS)
        await li.hangup()
        await _asked(case)
        await case.caller.call.send_dtmf("3")
        await case.caller.ended()
    await _is(books, case.number, "answered", 3, agent="li")


async def _put_through_to_an_agent(books: Books) -> None:
    async with AnsweredCase(books, "1391009") as case:
        await case.consult("8002")
        li = await take(case.floor.phones["li"])
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.hangup()
        await asyncio.sleep(TALK_SECONDS)
        await li.hangup()
        await _asked(case)
        await case.caller.call.send_dtmf("2")
        await case.caller.ended()
    await _is(books, case.number, "answered", 2, agent="li")


async def _put_through_to_a_queue(books: Books) -> None:
    async with AnsweredCase(books, "1391010") as case:
        await case.consult("q12333")
        wang = await take(case.floor.phones["wang"])
        await asyncio.sleep(TALK_SECONDS)
        await case.zhang.hangup()
        await asyncio.sleep(TALK_SECONDS)
        await wang.hangup()
        await _asked(case)
        await case.caller.call.send_dtmf("1")
        await case.caller.ended()
    await _is(books, case.number, "answered", 1, agent="wang", queue="12333")


async def _left_by_somebody_outside(books: Books) -> None:
    for number, by in (("1391011", "blind"), ("1391012", "consult")):
        async with AnsweredCase(books, number) as case:
            if by == "blind":
                await case.floor.blind_transfer("zhang", "110")
            else:
                await case.consult("110")
            police = await take(case.floor.outside)
            await asyncio.sleep(TALK_SECONDS)
            if by == "consult":
                await case.zhang.hangup()
                await asyncio.sleep(TALK_SECONDS)
            await police.hangup()
            await case.caller.ended()
        await books.closed(number)
        await _never_asked(books, case)


async def _never_asked(books: Books, case: AnsweredCase) -> None:
    call_id = (await books.closed(case.number))[0][0].uniqueid
    asked = [line for line in case.floor.exchange.queue_log() if "HOTLINESURVEY" in line and call_id in line]
    assert asked == []


async def _nobody_listens(books: Books) -> None:
    """The server is away from before the call to its end."""
    async with AnsweredCase(books, "1391020") as case:
        await case.zhang.hangup()
        await _asked(case)
        await case.caller.call.send_dtmf("4")
        await case.caller.ended()
    await books.floor.exchange.quiet()


async def _same_by_queue_log_alone(books: Books) -> None:
    """Every row, as a table makes it of the file alone."""
    async with books.sessions() as session:
        rows = {row.call_id: row for row in await session.scalars(select(SurveyRow))}
    told = _from_queue_log(books.floor)
    assert told.keys() == rows.keys() and len(rows) == 9
    for call_id, one in told.items():
        row = rows[call_id]
        assert (one.agent, one.queue, one.line, one.language) == (
            row.agent,
            row.queue,
            row.line,
            row.language,
        )
        assert (one.asked_at, one.outcome, one.answer) == (row.asked_at, row.outcome, row.answer)


def _from_queue_log(floor: Floor) -> dict[str, SurveyRecord]:
    site, found = floor.exchange.site, dict[str, SurveyRecord]()
    table = CallTable(site.site.node, Routing.of_site(site), 5.0)
    for line in floor.exchange.queue_log():
        fact = parse_line(line)
        if fact is None or isinstance(fact, AGENTS_ONLY):
            continue
        if isinstance(fact, NewsOfTheExchange) or fact.queue != "NONE":
            out = table.apply(fact, Source.QUEUE_LOG)
            assert not out.surveys.keys() & found.keys()
            found |= out.surveys
    return found
