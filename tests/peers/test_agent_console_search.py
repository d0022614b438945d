"""Searching the text of calls as a browser does it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.console import ConsoleUnderTest, running_console
from tests.fixtures.search_checks import SearchedStore


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        store = SearchedStore(running.engine)
        await store.call("c1", "我的社保卡丢了", agent="a1")
        await store.call("c2", "社保卡怎么办", "电话13812345678", "手机号幺三九", agent="a2")
        await store.indexed()
        yield running


async def test_a_supervisor_searches_all_calls_on_record(console: ConsoleUnderTest) -> None:
    """All calls are found, and the search is in the audit log, long numbers masked, before it is answered."""
    boss = await console.user("boss", "supervisor")
    answer = await boss.get("/api/transcripts/search", params={"q": "社保卡"})
    assert answer.status_code == 200
    assert [one["call"]["call_id"] for one in answer.json()["calls"]] == ["c2", "c1"]
    assert answer.json()["calls"][1]["call"]["caller_number"] == "138****1234"
    assert answer.json()["calls"][1]["utterances"] == [
        {
            "side": "caller", "party": "", "utterance": 1, "start_seconds": 5.0, "end_seconds": 8.0,
            "text": "我的社保卡丢了", "marks": [[2, 5]],
        }
    ]  # fmt: skip
    assert (answer.json()["before"], answer.json()["complete"]) == (None, True)
    by_number = await boss.get("/api/transcripts/search", params={"q": "13812345678", "agent": "a2"})
    (hit,) = by_number.json()["calls"][0]["utterances"]
    assert (hit["text"], hit["marks"]) == ("电话138****5678", [[2, 13]])
    in_pieces = await boss.get("/api/transcripts/search", params={"q": "手机号"})
    assert in_pieces.json()["calls"][0]["utterances"][0]["text"] == "手机号***"
    rows = [row for row in await console.audit.recent() if row.action == "search_text"]
    assert [(row.user, row.detail) for row in rows] == [
        ("boss", "手机号"),
        ("boss", "138****5678 agent=a2"),
        ("boss", "社保卡"),
    ]


async def test_an_agent_searches_the_own_calls(console: ConsoleUnderTest) -> None:
    """An agent finds the own calls, may not name another's, and without a seat there are none."""
    agent = await console.user("zhang", agent="a1")
    answer = await agent.get("/api/transcripts/search", params={"q": "社保卡"})
    assert [one["call"]["call_id"] for one in answer.json()["calls"]] == ["c1"]
    assert (
        await agent.get("/api/transcripts/search", params={"q": "社保", "agent": "a2"})
    ).status_code == 403
    nobody = await console.user("guest")
    assert (await nobody.get("/api/transcripts/search", params={"q": "社保"})).json()["calls"] == []
    assert (await console.client().get("/api/transcripts/search", params={"q": "社保"})).status_code == 401


async def test_a_search_for_nothing_is_refused(console: ConsoleUnderTest) -> None:
    """One letter or none is told apart from finding nothing."""
    agent = await console.user("zhang", agent="a1")
    answer = await agent.get("/api/transcripts/search", params={"q": "社"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "nothing_to_search"
    assert (await agent.get("/api/transcripts/search", params={"q": "社" * 81})).status_code == 400
