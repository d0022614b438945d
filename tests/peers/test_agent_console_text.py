"""Texts on the pages: only what changed of partial ones, and numbers masked for who was not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

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


async def test_a_supervisor_reads_a_call_that_goes_on_unmasked(console: ConsoleUnderTest) -> None:
    """Who watches over a call sees what its agent sees."""
    console.picture.talk("c1", "a1")
    text = Segment("c1", Side.CALLER, 1, 1, HEARD, True, 0.5, 1.5, 0.9, AT, "", WRITTEN)
    console.transcripts.texts["c1"] = [text]
    boss = await console.user("boss", "supervisor")
    body = (await boss.get("/api/calls/c1")).json()
    assert (body["segments"][0]["written"], body["text_masked"]) == (WRITTEN, False)
