"""One call's text as a file, and beside its second version, as a browser gets them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from hotline.core.events import Side
from hotline.store.models import TalkRow
from hotline.store.second_texts import SecondTextStore
from tests.fixtures.console import AT, ConsoleUnderTest, running_console
from tests.fixtures.search_checks import SearchedStore, segment


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    """A call of a1, who handed it on to a2 after a minute."""
    async with running_console(tmp_path) as running:
        store = SearchedStore(running.engine)
        await store.call("c1", agent="a1")
        answered_at = AT + timedelta(minutes=1)
        async with store.sessions.begin() as session:
            session.add(
                TalkRow(
                    talk_id="t2", node="n1", call_id="c1", kind="transfer", agent="a2", party="8002",
                    source="live", answered_at=answered_at + timedelta(seconds=60),
                    ended_at=answered_at + timedelta(seconds=120),
                )
            )  # fmt: skip
        agent = replace(segment("c1", 2, "请问您的卡号"), side=Side.AGENT, party="a1")
        running.transcripts.texts["c1"] = [
            segment("c1", 1, "我的设保卡丢了"), agent, segment("c1", 20, "以后说的话"),
        ]  # fmt: skip
        yield running


async def test_a_text_is_taken_away_as_a_file_on_record(console: ConsoleUnderTest) -> None:
    """The three kinds are attachments with names of their own, both sides named; each is in the audit log."""
    boss = await console.user("boss", "supervisor")
    srt = await boss.get("/api/calls/c1/transcript.srt")
    assert srt.headers["content-type"] == "application/x-subrip; charset=utf-8"
    assert 'filename="transcript-c1.srt"' in srt.headers["content-disposition"]
    assert "通话文字_12345_20261102-090100.srt" in unquote(srt.headers["content-disposition"])
    assert srt.text.startswith("1\n00:00:05,000 --> 00:00:08,000\n来电人：我的设保卡丢了\n\n2\n")
    assert "坐席 张三：请问您的卡号" in srt.text
    plain = await boss.get("/api/calls/c1/transcript.txt")
    assert "138****1234" in plain.text and "13812341234" not in plain.text
    whole = json.loads((await boss.get("/api/calls/c1/transcript.json")).text)
    assert [one["text"] for one in whole["segments"]] == ["我的设保卡丢了", "请问您的卡号", "以后说的话"]
    rows = [row for row in await console.audit.recent() if row.action == "export_text"]
    assert [(row.user, row.subject, row.detail) for row in rows] == [
        ("boss", "c1", "json"), ("boss", "c1", "txt"), ("boss", "c1", "srt"),
    ]  # fmt: skip
    assert (await boss.get("/api/calls/c1/transcript.pdf")).status_code in (400, 404)


async def test_an_agent_gets_the_own_part_of_the_own_call(console: ConsoleUnderTest) -> None:
    """What was said after the call was handed on is in no file of that agent's; strangers get none."""
    agent = await console.user("zhang", agent="a1")
    assert "以后说的话" not in (await agent.get("/api/calls/c1/transcript.txt")).text
    assert "我的设保卡丢了" in (await agent.get("/api/calls/c1/transcript.txt")).text
    guest = await console.user("guest")
    assert (await guest.get("/api/calls/c1/transcript.txt")).status_code == 404
    assert [row.user for row in await console.audit.recent() if row.action == "export_text"] == ["zhang"] * 2


async def test_both_versions_stand_beside_each_other(console: ConsoleUnderTest) -> None:
    """What a larger model heard is shown with what differs, once there is any, and to agents in part."""
    boss, agent = await console.user("boss", "supervisor"), await console.user("zhang", agent="a1")
    nothing = (await boss.get("/api/calls/c1/second-text")).json()
    assert (nothing["state"], nothing["rows"]) == (None, [])
    second = SecondTextStore(SearchedStore(console.engine).sessions)
    await second.begin("c1", "large", AT)
    assert (await boss.get("/api/calls/c1/second-text")).json()["state"] == "begun"
    heard = [segment("c1", 1, "我的社保卡丢了"), segment("c1", 20, "以后说的话")]
    await second.finish("c1", heard, AT)
    found = (await boss.get("/api/calls/c1/second-text")).json()
    assert (found["state"], found["model"]) == ("done", "large")
    assert found["rows"][0]["live"][1] == {"text": "设", "same": False}
    assert found["rows"][0]["second"][1] == {"text": "社", "same": False}
    assert found["differed"] == pytest.approx((1 + 6) / (7 + 6 + 5))  # the agent was heard live alone
    part = (await agent.get("/api/calls/c1/second-text")).json()
    assert "以后" not in json.dumps(part, ensure_ascii=False)
