"""Texts on the pages: only what changed of partial ones, and numbers masked for who was not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotline.agent_console import tails
from hotline.core.events import Side, TranscriptSegment
from hotline.core.views import Segment
from hotline.server.demo.whole_texts import WholeTexts
from tests.fixtures.console import AT, ConsoleUnderTest, Page, answered, running_console, store_call

HEARD, WRITTEN = "我电话幺三八零零幺三八零零零", "我电话13800138000。"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        yield running


def heard(text: str, revision: int, *, final: bool = False, utterance: int = 1) -> TranscriptSegment:
    return TranscriptSegment(
        "c1", AT, Side.CALLER, utterance, revision, text, final, 0.5, 1.5, None, AT, "", "写" if final else ""
    )


async def events(page: Page, count: int) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    while len(found) < count:
        frame = await page.until("event")
        if frame["name"].startswith("transcript"):
            found.append((frame["name"], frame["data"]))
    return found


async def test_of_a_partial_text_only_what_changed_is_sent(console: ConsoleUnderTest) -> None:
    """The first and the final one come whole, with both forms; in between what stays and what follows."""
    console.publish(answered("c1", "a1"))
    async with console.page(await console.user("zhang", agent="a1")) as page:
        await page.hello("agent")
        await page.until("snapshot")
        console.publish(
            heard("路", 1),
            heard("路灯部", 2),
            heard("路灯坏了", 3),
            heard("", 4),
            heard("路灯坏了", 5, final=True),
        )
        (first, one), (second, two), (third, three), (fourth, four), (last, five) = await events(page, 5)
    assert (first, one["text"], one["written"]) == ("transcript_segment", "路", "路")
    assert (second, two["keep"], two["tail"]) == ("transcript_tail", 1, "灯部")
    assert (third, three["keep"], three["tail"]) == ("transcript_tail", 2, "坏了")
    assert (fourth, four["keep"], four["tail"]) == ("transcript_tail", 0, "")
    assert (last, five["text"], five["written"], five["final"]) == (
        "transcript_segment",
        "路灯坏了",
        "写",
        True,
    )


async def test_a_page_that_comes_amid_an_utterance_gets_it_whole_first(console: ConsoleUnderTest) -> None:
    """Pages put together the same text, whenever they came, and after a break."""
    zhang = await console.user("zhang", agent="a1")
    console.publish(answered("c1", "a1"))
    async with console.page(zhang) as early:
        await early.hello("agent")
        await early.until("snapshot")
        console.publish(heard("您", 1), heard("您好", 2))
        assert [name for name, _ in await events(early, 2)] == ["transcript_segment", "transcript_tail"]
        async with console.page(zhang) as late:
            await late.hello("agent")
            await late.until("snapshot")
            console.publish(heard("您好我", 3), heard("您好我要", 4))
            assert [name for name, _ in await events(early, 2)] == ["transcript_tail"] * 2
            (whole, text), (tail, _) = await events(late, 2)
            assert (whole, text["text"], tail) == ("transcript_segment", "您好我", "transcript_tail")
            seq = console.bus.last_seq
    console.publish(heard("您好我要问", 5))
    async with console.page(zhang) as back:
        await back.hello("agent", boot_id=console.bus.boot_id, last_seq=seq)
        (missed,) = await events(back, 1)
        assert (missed[0], missed[1]["text"]) == ("transcript_segment", "您好我要问")
        console.publish(heard("您好我要问一", 6))
        ((name, data),) = await events(back, 1)
        assert (name, data["text"]) == ("transcript_segment", "您好我要问一")


def test_a_client_puts_the_texts_together_again() -> None:
    """What it yields are whole texts; a tail without its text is left out."""
    texts = WholeTexts()
    first = {"call_id": "c1", "side": "caller", "utterance": 1, "revision": 1, "text": "路", "final": False}
    whole = {"type": "event", "seq": 1, "name": "transcript_segment", "data": first | {"written": "路"}}
    change = {"at": "", "end_seconds": 2.0, "audio_at": "", "keep": 1, "tail": "灯"}
    tail = {"type": "event", "seq": 2, "name": "transcript_tail", "data": {**first, "revision": 2} | change}
    assert texts.of(whole) == whole
    made = texts.of(tail)
    assert made is not None
    assert (made["name"], made["seq"], made["data"]["text"]) == ("transcript_segment", 2, "路灯")
    assert made["data"]["written"] == "路灯"
    assert texts.of(tail) is None
    assert texts.of({"type": "live", "data": {}}) == {"type": "live", "data": {}}


def test_utterances_that_never_end_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit all are forgotten, and the next texts are whole."""
    monkeypatch.setattr(tails, "LIMIT", 3)
    revisions = tails.Revisions()
    for utterance in range(4):
        revisions.take(heard("一", 1, utterance=utterance))
    assert revisions.take(heard("一二", 2, utterance=0)) is None
    assert revisions.take(heard("一二", 2, utterance=3)) is not None


async def test_numbers_in_a_past_calls_text_are_for_who_took_part(console: ConsoleUnderTest) -> None:
    """The agent reads them; a supervisor who was not there does not, until asked for and recorded."""
    await store_call(console, "c1", "a1")
    text = Segment("c1", Side.CALLER, 1, 1, HEARD, True, 0.5, 1.5, 0.9, AT, "", WRITTEN)
    console.transcripts.texts["c1"] = [text]
    agent = await console.user("zhang", agent="a1")
    boss = await console.user("boss", "supervisor")
    was_there = await console.user("chief", "supervisor", "a1")
    for client in (agent, was_there):
        body = (await client.get("/api/calls/c1")).json()
        assert (body["segments"][0]["text"], body["segments"][0]["written"]) == (HEARD, WRITTEN)
        assert body["text_masked"] is False
    masked = (await boss.get("/api/calls/c1")).json()
    assert masked["segments"][0]["text"] == "我电话幺三八****八零零零"
    assert masked["segments"][0]["written"] == "我电话138****8000。"
    assert masked["text_masked"] is True
    whole = (await boss.post("/api/calls/c1/reveal-text")).json()
    assert [one["written"] for one in whole["segments"]] == [WRITTEN]
    newest = (await console.audit.recent())[0]
    assert (newest.user, newest.action, newest.subject) == ("boss", "reveal_text", "c1")
    assert (await agent.post("/api/calls/c1/reveal-text")).status_code == 403


async def test_numbers_in_a_live_calls_text_are_for_whose_call_it_is(console: ConsoleUnderTest) -> None:
    """Snapshot, page and file: whole for the seat that has the call, a supervisor's too, else masked."""
    console.picture.talk("c1", "a1")
    console.publish(answered("c1", "a1"))
    whole = Segment("c1", Side.CALLER, 1, 1, HEARD, True, 0.5, 1.5, 0.9, AT, "", WRITTEN)
    said_now = Segment("c1", Side.CALLER, 2, 1, "就是幺三八零", False, 2, 3, None, AT)
    console.transcripts.texts["c1"] = [whole, said_now]
    boss = await console.user("boss", "supervisor")
    for client, topic in (
        (await console.user("zhang", agent="a1"), "agent"),
        (await console.user("chief", "supervisor", "a1"), "calls"),
    ):
        assert [one["written"] for one in await snapshot(console, client, topic)] == [WRITTEN, "就是幺三八零"]
        body = (await client.get("/api/calls/c1")).json()
        assert (body["segments"][0]["written"], body["text_masked"]) == (WRITTEN, False)
        assert WRITTEN in (await client.get("/api/calls/c1/transcript.txt")).text
    shown = await snapshot(console, boss, "calls")
    body = (await boss.get("/api/calls/c1")).json()
    for texts in (shown, body["segments"]):
        assert [one["text"] for one in texts] == ["我电话幺三八****八零零零", "就是****"]
        assert [one["written"] for one in texts] == ["我电话138****8000。", "就是****"]
    assert body["text_masked"] is True
    assert "我电话138****8000。" in (await boss.get("/api/calls/c1/transcript.txt")).text
    revealed = (await boss.post("/api/calls/c1/reveal-text")).json()
    assert [one["written"] for one in revealed["segments"]] == [WRITTEN, "就是幺三八零"]
    assert (await console.audit.recent())[0].action == "reveal_text"


async def test_a_number_is_not_shown_digit_by_digit(console: ConsoleUnderTest) -> None:
    """Whole texts, tails and what a page missed: the agent reads all of it, who looks on only the ends."""
    console.publish(answered("c1", "a1"))
    number = "幺三八零零幺三八零零零"
    texts = [heard(f"电话{number[:size]}", size) for size in range(1, 12)]
    final = heard(f"电话{number}", 12, final=True)
    boss = await console.user("boss", "supervisor")
    async with (
        console.page(boss) as over_the_shoulder,
        console.page(await console.user("zhang", agent="a1")) as own,
        console.page(await console.user("chief", "supervisor", "a1")) as at_the_seat,
    ):
        await at_the_seat.hello("calls")
        await at_the_seat.until("snapshot")
        await over_the_shoulder.hello("calls")
        await over_the_shoulder.until("snapshot")
        await own.hello("agent")
        await own.until("snapshot")
        console.publish(*texts, final)
        to_agent, to_boss = await events(own, 12), await events(over_the_shoulder, 12)
        assert await events(at_the_seat, 12) == to_agent
    assert {name for name, _ in to_boss[1:-1]} == {"transcript_tail"}
    assert to_agent[-1][1]["text"] == f"电话{number}"
    assert "".join(data["tail"] for name, data in to_agent if name == "transcript_tail") == number[1:]
    assert to_boss[-1][1]["text"] == "电话幺三八****八零零零"
    for name, data in to_boss[:-1]:
        shown = data["text"] if name == "transcript_segment" else data["tail"]
        assert not set(shown) & set(number[1:]) - {"幺"}
    async with console.page(boss) as again:
        await again.hello("calls", boot_id=console.bus.boot_id, last_seq=1)
        missed = await events(again, 12)
    assert missed[0][1]["text"] == "电话幺"
    assert [data["text"] for _, data in missed[1:-1]] == [f"电话{'*' * size}" for size in range(2, 12)]
    assert missed[-1][1]["text"] == "电话幺三八****八零零零"


async def snapshot(console: ConsoleUnderTest, client: httpx.AsyncClient, topic: str) -> list[dict[str, Any]]:
    async with console.page(client) as page:
        await page.hello(topic)
        segments: list[dict[str, Any]] = (await page.until("snapshot"))["segments"]
    return segments
