"""Past calls, a caller's earlier calls and the audit log, asked for as a browser does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotline.core.events import Side
from hotline.core.views import Segment
from hotline.store.database import sessions_of
from hotline.store.models import Call, NoteRow, QueueEntry, SurveyRow, TalkRow
from tests.fixtures.console import AT, ConsoleUnderTest, running_console, seat

NUMBER = "13812341234"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        yield running


async def store(
    console: ConsoleUnderTest,
    call_id: str,
    *talks: tuple[str | None, str, int, int],
    minutes: int = 0,
    number: str = NUMBER,
    outcome: str = "answered",
    line: str = "12345",
) -> None:
    """A call that is over. ``talks``: agent, kind, from which second to which; the first is the queue's."""
    at = AT + timedelta(minutes=minutes)

    def moment(seconds: int) -> Any:
        return at + timedelta(seconds=seconds)

    async with sessions_of(console.engine).begin() as session:
        session.add(
            Call(
                call_id=call_id, node="n1", line=line, did=line, caller_number=number, caller_name="",
                started_at=at, ended_at=at + timedelta(minutes=5), menu_path="",
            )
        )  # fmt: skip
        first = talks[0] if talks else None
        session.add(
            QueueEntry(
                entry_id=f"{call_id}:{line}:1", node="n1", uniqueid=call_id, queue=line, visit=1,
                call_id=call_id, line=line, source="live", joined_at=at, outcome=outcome,
                agent=first[0] if first else None, answered_at=moment(first[2]) if first else None,
                closed_at=moment(first[3]) if first else at, wait_ms=2500, talk_ms=30_000,
            )
        )  # fmt: skip
        for number_of, (agent, kind, start, end) in enumerate(talks):
            session.add(
                TalkRow(
                    talk_id=f"{call_id}-{number_of}", node="n1", call_id=call_id, entry_id=None, kind=kind,
                    agent=agent, party="8001", source="live", answered_at=moment(start), ended_at=moment(end),
                    talk_ms=(end - start) * 1000,
                )
            )  # fmt: skip


def say(console: ConsoleUnderTest, call_id: str, *starts: float) -> None:
    for utterance, start in enumerate(starts, 1):
        text = Segment(call_id, Side.CALLER, utterance, 1, f"第{start:g}秒", True, start, start + 1, 0.9, AT)
        console.transcripts.texts.setdefault(call_id, []).append(text)


async def ids(client: httpx.AsyncClient, **wanted: str) -> list[str]:
    answer = await client.get("/api/calls", params=wanted)
    assert answer.status_code == 200, answer.text
    return [one["call_id"] for one in answer.json()["calls"]]


async def code_of(client: httpx.AsyncClient, path: str, **wanted: str) -> tuple[int, str]:
    answer = await client.get(path, params=wanted)
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_call_that_was_handed_over_is_past_for_both_agents(console: ConsoleUnderTest) -> None:
    """The second finds it among the own calls, with the own talk, and may write on it."""
    await store(console, "c1", ("a1", "queue", 2, 40), ("a2", "transfer", 41, 90))
    zhang, li = await console.user("zhang", agent="a1"), await console.user("li", agent="a2")
    assert await ids(zhang) == await ids(li) == ["c1"]
    (his,) = (await li.get("/api/calls")).json()["calls"]
    assert (his["agent"], his["outcome"], his["talk_seconds"]) == ("a2", "answered", 49.0)
    note = await li.post("/api/calls/c1/note", json={"text": "已转办"})
    assert (note.status_code, note.json()["name"]) == (200, "li同志")


async def test_who_handed_a_call_on_reads_nothing_of_what_came_after(console: ConsoleUnderTest) -> None:
    """Text and notes end with the own last talk; who had it last, and a supervisor, have all of it."""
    await store(console, "c1", ("a1", "queue", 2, 40), ("a2", "transfer", 41, 90))
    say(console, "c1", 1, 37, 39, 60)  # on the transcript's clock: a1's talk ends at 38
    async with sessions_of(console.engine).begin() as session:
        for seconds, user in ((20, "zhang"), (50, "zhang"), (60, "li")):
            at = AT + timedelta(seconds=seconds)
            session.add(NoteRow(call_id="c1", at=at, user=user, text=f"{user}{seconds}"))
    seen = {}
    for user, role, agent in (("zhang", "agent", "a1"), ("li", "agent", "a2"), ("boss", "supervisor", None)):
        client = await console.user(user, role, agent)  # type: ignore[arg-type]
        body = (await client.get("/api/calls/c1")).json()
        texts, notes = [one["text"] for one in body["segments"]], [one["text"] for one in body["notes"]]
        seen[user] = (texts, notes)
    assert seen["zhang"] == (["第1秒", "第37秒"], ["zhang20", "zhang50"])
    assert seen["li"] == seen["boss"]
    assert seen["li"] == (["第1秒", "第37秒", "第39秒", "第60秒"], ["zhang20", "zhang50", "li60"])


async def test_what_a_caller_said_after_the_talk_is_for_who_had_it_last(console: ConsoleUnderTest) -> None:
    """And for supervisors; not for who had handed the call on, nor for who has the caller again now."""
    await store(console, "c1", ("a1", "queue", 2, 40), ("a2", "transfer", 41, 90))
    async with sessions_of(console.engine).begin() as session:
        session.add(
            SurveyRow(
                call_id="c1", node="n1", line="12345", queue="12345", language="", caller_lists="",
                agent="a2", asked_at=AT + timedelta(seconds=91), outcome="answered", answer=2, source="live",
            )
        )  # fmt: skip
    seen = {}
    for user, role, agent in (("zhang", "agent", "a1"), ("li", "agent", "a2"), ("boss", "supervisor", None)):
        client = await console.user(user, role, agent)  # type: ignore[arg-type]
        call = (await client.get("/api/calls/c1")).json()["call"]
        seen[user] = call["survey"], call["answer"]
    assert seen == {"zhang": (None, None), "li": ("answered", 2), "boss": ("answered", 2)}
    await store(console, "now", ("a1", "queue", 2, 400), minutes=60)
    console.picture.view = replace(console.picture.view, agents=(replace(seat("a1"), call_id="now"),))
    wang = await console.user("wang", agent="a1")
    async with console.page(wang) as page:
        await page.hello("agent")
        await page.until("snapshot")
    (earlier,) = (await wang.get("/api/calls/now/earlier")).json()["calls"]
    assert (earlier["call"]["call_id"], earlier["call"]["survey"]) == ("c1", None)


async def test_past_calls_are_found_by_what_is_known_of_them(console: ConsoleUnderTest) -> None:
    """By day, line and how the wait ended; by agent and number only supervisors, the number on record."""
    await store(console, "c1", ("a1", "queue", 2, 40))
    await store(console, "c2", minutes=10, outcome="abandoned", number="13900000000")
    await store(console, "c3", ("a2", "queue", 2, 40), minutes=20, line="12315")
    boss, zhang = await console.user("boss", "supervisor"), await console.user("zhang", agent="a1")
    assert await ids(boss) == ["c3", "c2", "c1"]
    assert await ids(boss, outcome="abandoned") == ["c2"]
    assert await ids(boss, line="12315") == ["c3"]
    later = (AT + timedelta(minutes=10)).isoformat()
    assert (await ids(boss, since=later), await ids(boss, until=later)) == (["c3", "c2"], ["c1"])
    assert await ids(boss, agent="a2") == ["c3"]
    assert await ids(boss, number=NUMBER) == ["c3", "c1"]
    newest = (await console.audit.recent())[0]
    assert (newest.user, newest.action, newest.subject) == ("boss", "search_number", "138****1234")
    assert await ids(zhang, outcome="abandoned") == []
    assert await code_of(zhang, "/api/calls", agent="a2") == (403, "forbidden")
    assert await code_of(zhang, "/api/calls", number=NUMBER) == (403, "forbidden")
    assert await code_of(boss, "/api/calls", outcome="lost") == (400, "bad_request")


async def test_the_callers_earlier_calls_come_with_the_call(console: ConsoleUnderTest) -> None:
    """With their notes, newest first, on record; only for whoever has the call, and only of that number."""
    await store(console, "old", ("a2", "queue", 2, 40))
    await store(console, "older", minutes=-10, outcome="abandoned")
    await store(console, "stranger", minutes=-5, number="13900000000")
    await console.marks.add_note("old", "li", "路灯已报修")
    zhang, li = await console.user("zhang", agent="a1"), await console.user("li", agent="a2")
    await store(console, "now", ("a1", "queue", 2, 40), minutes=30)
    assert await code_of(zhang, "/api/calls/now/earlier") == (403, "forbidden")
    wrapping = replace(seat("a1"), call_id="now")
    console.picture.view = replace(console.picture.view, agents=(wrapping, seat("a2")))
    async with console.page(zhang) as page:  # joining brings the hub up to date
        await page.hello("agent")
        await page.until("snapshot")
    found = (await zhang.get("/api/calls/now/earlier")).json()["calls"]
    assert [(one["call"]["call_id"], [note["text"] for note in one["notes"]]) for one in found] == [
        ("old", ["路灯已报修"]),
        ("older", []),
    ]
    newest = (await console.audit.recent())[0]
    assert (newest.user, newest.action, newest.subject) == ("zhang", "earlier_calls", "now")
    assert await code_of(li, "/api/calls/now/earlier") == (404, "not_found")


async def test_the_audit_log_is_for_supervisors(console: ConsoleUnderTest) -> None:
    """Newest first, by user and action, page by page."""
    boss, zhang = await console.user("boss", "supervisor"), await console.user("zhang", agent="a1")
    for number in range(3):
        await console.audit.record("zhang", "reveal_number", f"c{number}")
    rows = (await boss.get("/api/audit", params={"user": "zhang", "action": "reveal_number"})).json()["rows"]
    assert [row["subject"] for row in rows] == ["c2", "c1", "c0"]
    page = {"limit": 1, "before": rows[0]["id"]}
    (older,) = (await boss.get("/api/audit", params=page)).json()["rows"]
    assert (older["user"], older["action"], older["subject"]) == ("zhang", "reveal_number", "c1")
    assert await code_of(zhang, "/api/audit") == (403, "forbidden")
