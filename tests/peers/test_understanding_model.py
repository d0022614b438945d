"""A model over HTTP that answers well, late, wrongly, endlessly, not at all: the rules' result stands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hotline.asr.understanding.ear import Ear
from hotline.asr.understanding.model import MOST_WAITING, ModelUnderstanding
from hotline.asr.understanding.rules import RulesUnderstanding
from hotline.config.understanding import UnderstandingModel, shipped_rules
from hotline.core.events import Side
from hotline.core.understanding import HeardCall, PointKind, Utterance
from tests.fixtures.asr import eventually
from tests.fixtures.receiver import Behaviour, Receiver, answer, break_off, drip, flood, receiving, silence

EAR = Ear(shipped_rules())
CALL = HeardCall(
    "c1",
    frozenset({"12315"}),
    (
        Utterance(Side.AGENT, 1, "您好请讲"),
        Utterance(Side.CALLER, 1, "我要投诉人民路二百六十号的健身房电话一三八零零零零一二三四"),
    ),
)
GOOD = {"request_type": {"value": "help", "utterances": ["c1"]}}


def says(content: Any, status: int = 200) -> Behaviour:
    """A completion as OpenAI-compatible servers send it."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    message = {"role": "assistant", "content": text}
    body = {"id": "x", "object": "chat.completion", "choices": [{"index": 0, "message": message}]}
    return answer(status, json.dumps(body).encode())


@asynccontextmanager
async def model(
    *first: Behaviour, then: Behaviour | None = None, key: str = "", seconds: int = 5, calls: int = 2
) -> AsyncIterator[tuple[ModelUnderstanding, Receiver]]:
    async with receiving(*first, then=then or says(GOOD)) as peer:
        settings = UnderstandingModel(
            url=peer.url.replace("/hook", "/v1/"), name="qwen", timeout_seconds=seconds, max_calls=calls
        )
        understanding = ModelUnderstanding(settings, key, EAR)
        try:
            yield understanding, peer
        finally:
            await understanding.aclose()


async def type_of(understanding: ModelUnderstanding) -> tuple[str, str]:
    found = await understanding.understand(CALL)
    return next(one.value for one in found.points if one.kind is PointKind.REQUEST_TYPE), found.source


async def test_a_good_answer_is_taken() -> None:
    """Asked with the key and the words of both sides as data; no telephone number goes out."""
    async with model(key="geheim") as (understanding, peer):
        assert await type_of(understanding) == ("help", "qwen")
        headers, body = await peer.posts.get()
        assert headers[""].startswith("POST /v1/chat/completions ")
        assert headers["authorization"] == "Bearer geheim"
        asked = json.loads(body)
        assert asked["model"] == "qwen"
        said = json.loads(asked["messages"][1]["content"])
        assert [one["id"] for one in said] == ["a1", "c1"] and "（号码）" in said[1]["text"]
        assert "一三八零零零零一二三四" not in body.decode() and "消费维权" in asked["messages"][0]["content"]


@pytest.mark.parametrize(
    "wrong",
    [
        answer(404),
        answer(200, b"<html>"),
        answer(200, b'{"choices": []}'),
        answer(200, b'{"choices": [{"message": {"content": null}}]}'),
        says("抱歉，我不能回答"),
        flood,
    ],
    ids=["404", "html", "no choices", "no content", "prose", "endless"],
)
async def test_nonsense_is_not_asked_for_again(wrong: Behaviour) -> None:
    """One question, no answer of use: the rules' result, counted."""
    async with model(wrong) as (understanding, peer):
        assert await type_of(understanding) == ("complaint", "rules")
        assert (understanding.counts.failed, peer.posts.qsize()) == (1, 1)


@pytest.mark.parametrize("trouble", [answer(500), answer(503), answer(429), break_off])
async def test_trouble_is_tried_once_more(trouble: Behaviour) -> None:
    """A second answer counts; a second failure is the last."""
    async with model(trouble) as (understanding, peer):
        assert await type_of(understanding) == ("help", "qwen") and peer.posts.qsize() == 2
    async with model(then=trouble) as (understanding, peer):
        assert await type_of(understanding) == ("complaint", "rules") and peer.posts.qsize() == 2


@pytest.mark.parametrize("slow", [silence, drip])
async def test_a_model_that_is_late_is_not_waited_for(slow: Behaviour) -> None:
    """Silent, or a byte at a time: given up after the site's seconds and not asked again."""
    async with model(then=slow, seconds=1) as (understanding, peer):
        async with asyncio.timeout(5):
            assert await type_of(understanding) == ("complaint", "rules")
        assert peer.posts.qsize() == 1


async def test_a_model_that_invents_is_dropped_part_by_part() -> None:
    """A name that nobody said is left out and counted; the rest of the answer is taken."""
    invented = GOOD | {"things": [{"kind": "name", "value": "李四光", "utterances": ["c1"]}]}
    async with model(then=says(invented)) as (understanding, _):
        found = await understanding.understand(CALL)
        assert (found.dropped, found.source) == (1, "qwen")
        assert "李四光" not in {point.value for point in found.points}


async def test_nobody_there_is_no_harm() -> None:
    """The address answers to nobody."""
    async with model() as (understanding, _):
        pass
    gone = ModelUnderstanding(UnderstandingModel(url="http://127.0.0.1:9/v1", name="qwen"), "", EAR)
    assert await type_of(gone) == ("complaint", "rules")
    await gone.aclose()
    assert understanding.counts.asked == 0


async def test_no_more_calls_at_once_than_the_site_says() -> None:
    """Two are asked, others wait their turn, and beyond the bound calls are left to the rules."""
    release = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await says(GOOD)(writer)

    async with model(then=held, seconds=30) as (understanding, peer):
        waiting = [asyncio.create_task(understanding.understand(CALL)) for _ in range(MOST_WAITING + 5)]
        await eventually(lambda: understanding.counts.left_out == 5 and peer.posts.qsize() == 2)
        assert (peer.posts.qsize(), understanding.counts.asked) == (2, 2)
        release.set()
        async with asyncio.timeout(20):
            found = await asyncio.gather(*waiting)
        assert sum(one.source == "qwen" for one in found) == MOST_WAITING


async def test_a_silent_caller_is_no_question() -> None:
    """Nothing was said: nothing is asked."""
    async with model() as (understanding, peer):
        found = await understanding.understand(HeardCall("c1", frozenset(), CALL.utterances[:1]))
        assert found == await RulesUnderstanding(EAR).understand(
            HeardCall("c1", frozenset(), CALL.utterances[:1])
        )
        assert peer.posts.qsize() == 0
