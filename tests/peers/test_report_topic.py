"""``hotline report topic``: calls found by what was said in them, and nothing that names a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.config.loading import load_site
from hotline.config.own_words import own_words
from hotline.config.samples import path as sample
from hotline.core.clock import SystemClock
from hotline.core.drafts import RequestType
from hotline.core.errors import UsageError
from hotline.core.events import Side
from hotline.core.understanding import CallPoints, Cite, Point, PointKind
from hotline.metrics.report.compose import compose
from hotline.metrics.report.periods import from_to
from hotline.metrics.report.topic import gather_topic, masked
from hotline.store.database import open_engine
from hotline.store.points import PointStore
from tests.fixtures.migrated import upgrade
from tests.fixtures.search_checks import AT, SearchedStore

SITE = load_site(sample("demo"), {})
CITES = (Cite(Side.CALLER, 1),)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SearchedStore]:
    """Calls of 2 November 2026 about water and about noise, understood and indexed."""
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(engine)
    made = SearchedStore(engine, tuple(own_words(SITE)))
    await made.call("c1", "人民路260号停水了", "我姓陈，电话13812345678")
    await made.call("c2", "我们这里停水两天了陈建国说没人管", line="12315")
    await made.call("c3", "楼上太吵了")
    points = PointStore(made.sessions)
    for call_id, place in (("c1", "人民路260号"), ("c2", "人民路")):
        found = (
            Point(PointKind.REQUEST_TYPE, RequestType.HELP.value, 1.0, (), CITES),
            Point(PointKind.TOPIC, "供水", 1.0, ("topic:停水", "line:12345"), CITES),
            Point(PointKind.PLACE, place, 1.0, (), CITES),
            Point(PointKind.NAME, "陈建国", 1.0, (), CITES),
        )
        await points.save([CallPoints(call_id, AT, 1, True, found)])
    await made.indexed()
    yield made
    await engine.dispose()


async def test_a_topics_days_places_phrases_and_samples(store: SearchedStore) -> None:
    """Two calls of one day on one street, told with their lines, without numbers and names."""
    data = await gather_topic(
        SITE, store.sessions, SystemClock(), "停水", from_to("2026-11-01", "2026-11-03")
    )
    topic = data.topic
    assert topic is not None and topic.complete and not topic.catching_up
    assert [(one.name, one.count) for one in topic.days] == [("11月1日", 0), ("11月2日", 2), ("11月3日", 0)]
    assert [(one.name, one.count) for one in topic.places] == [("人民路", 2)]
    assert [(one.name, one.count) for one in topic.heard] == [("停水", 2)]
    assert [(one.name, one.count) for one in topic.types] == [("求助", 2)]
    document = compose(data)
    told = "\n".join(getattr(block, "text", "") for block in document.blocks)
    assert "2026年11月1日至11月3日，通话中提到“停水”的来电2通，日均0.67通，11月2日最多（2通）。" in told
    assert "2026-11-02 09:02，市场监管：" in told
    assert "人民路***号停水了" in told and "陈**说没人管" in told
    assert not any(secret in told for secret in ("260", "陈建国", "13812345678", "太吵"))
    assert document.title.endswith("专题报告：停水")


async def test_words_that_nobody_said(store: SearchedStore) -> None:
    """Nought calls, in one sentence."""
    data = await gather_topic(
        SITE, store.sessions, SystemClock(), "地铁", from_to("2026-11-02", "2026-11-02")
    )
    told = [getattr(block, "text", "") for block in compose(data).blocks]
    assert "2026年11月2日，通话中提到“地铁”的来电为0通。" in told


def test_periods_that_are_none() -> None:
    """The wrong way round, or longer than the search should run."""
    with pytest.raises(UsageError, match="no period: 2026-11-03 to 2026-11-01"):
        from_to("2026-11-03", "2026-11-01")
    with pytest.raises(UsageError, match="at most 366 days"):
        from_to("2024-01-01", "2026-01-01")


def test_what_a_sample_hides() -> None:
    """Telephone numbers, house numbers as said and as written, names the call's understanding knows."""
    assert masked("人民路260号三栋二零一室", []) == "人民路***号*栋***室"
    assert masked("我叫陈建国，电话是13812345678找我", ["陈建国"]) == "我叫陈**，电话是138****5678找我"
