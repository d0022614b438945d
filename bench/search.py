"""Searching what was said in 200,000 utterances, beside a plain scan of the texts for the same words.

    python -m bench.search [--utterances 200000] [--rounds 9] [--only sqlite|postgresql]

The texts are made up of what people call about, so that some words are in many and some in few. Both sides
find the newest twenty calls in which a word was said; the scan asks the same database for ``text LIKE
'%word%'``, newest first, and no more rows than twenty calls can have. Shown is the median.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.common import head, machine, row
from hotline.core.clock import SystemClock
from hotline.core.views import CallFilter
from hotline.store.database import Sessions, open_engine, sessions_of
from hotline.store.migrate import upgrade
from hotline.store.models import Call, TranscriptRow
from hotline.store.search_words import SearchWordsOnDemand
from hotline.store.text_index import TextIndex
from hotline.store.text_search import StoredTextSearch
from tests.fixtures.postgres import fresh_database, running_cluster

OF_A_CALL = 25  # utterances
CALLS = 20  # a page
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = "建国文华明芳丽娜秀英桂兰志强海燕晓梅玉珍国庆春生"
ABOUT = (
    "社保卡", "公积金", "医疗保险", "退休手续", "物业费", "停车位", "路灯", "下水道", "垃圾清运", "施工噪音",
    "拖欠工资", "健身卡", "食品过期", "自来水", "燃气", "公交站", "居住证", "户口迁移", "驾驶证", "违章停车",
)  # fmt: skip
SAYS = (
    "我想咨询一下{about}怎么办理", "你们那个{about}的问题反映好几次了", "{about}到现在还没有解决",
    "我叫{name}，住在人民路{number}号", "请问{about}归哪个部门管", "好的，我帮您记录一下{about}",
    "电话是{number}{number}", "嗯嗯好的", "请您稍等", "还有其他问题吗", "谢谢你啊再见",
    "我打了{number}次电话没有人管",
)  # fmt: skip
RARE = "二维码扫不出来"
QUESTIONS = (
    ("in every tenth call", "拖欠工资"),
    ("in nearly every call", "好的"),
    ("a name that no dictionary has", "郭桂兰"),
    ("said ten times", RARE),
    ("never said", "核酸检测"),
    ("two words of a call", "路灯 燃气"),
)


def sentence(dice: random.Random) -> str:
    """Something that is said on the telephone."""
    name = dice.choice(SURNAMES) + dice.choice(GIVEN) + dice.choice(GIVEN)
    return dice.choice(SAYS).format(about=dice.choice(ABOUT), name=name, number=dice.randrange(10, 9999))


async def fill(engine: AsyncEngine, utterances: int) -> None:
    """Write calls and texts, as rows that were there before the index."""
    dice = random.Random(12345)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    rare = set(dice.sample(range(utterances), 10))
    async with engine.begin() as connection:
        for first in range(0, utterances, OF_A_CALL * 40):
            calls, rows = [], []
            for number in range(first, min(first + OF_A_CALL * 40, utterances)):
                call_id = f"node1-{number // OF_A_CALL}"
                at = began + timedelta(seconds=number)
                if number % OF_A_CALL == 0:
                    calls.append({"call_id": call_id, "started_at": at, "ended_at": at} | _CALL)
                said = RARE if number in rare else sentence(dice)
                place = number % OF_A_CALL
                rows.append(
                    {"call_id": call_id, "side": ("caller", "agent")[place % 2], "utterance": place,
                     "revision": 1, "text": said, "start_ms": place * 4000, "end_ms": place * 4000 + 3000,
                     "confidence": 0.9, "at": at, "party": ""}
                )  # fmt: skip
            await connection.execute(insert(Call), calls)
            await connection.execute(insert(TranscriptRow), rows)


_CALL = {
    "node": "node1", "line": "12345", "did": "12345", "caller_number": "13800000000", "caller_name": "",
    "menu_path": "", "menu_ms": 0, "fallback_used": False, "language": "",
}  # fmt: skip


async def scan(sessions: Sessions, question: str) -> int:
    """The newest calls by LIKE; how many."""
    first, *others = question.split()
    query = select(TranscriptRow.call_id).where(TranscriptRow.text.like(f"%{first}%"))
    for word in others:
        said = select(TranscriptRow.call_id).where(TranscriptRow.text.like(f"%{word}%"))
        query = query.where(TranscriptRow.call_id.in_(said))
    # so many rows hold twenty calls at least, if there are twenty
    query = query.order_by(TranscriptRow.id.desc()).limit(CALLS * OF_A_CALL)
    async with sessions() as session:
        found = list(dict.fromkeys(await session.scalars(query)))
    return len(found[:CALLS])


async def median_ms(rounds: int, ask: Callable[[], Awaitable[int]]) -> tuple[float, int]:
    """The median time of some rounds, the first not counted, and what was found."""
    found = await ask()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), found


async def measure(name: str, engine: AsyncEngine, utterances: int, rounds: int) -> None:
    """Fill, index, and ask every question on both sides."""
    await upgrade(engine)
    await fill(engine, utterances)
    sessions = sessions_of(engine)
    words = SearchWordsOnDemand(())
    index = TextIndex(sessions)
    await words.get()
    await index.begin(words.edition)
    began = time.perf_counter()
    batches = []
    while True:
        batch_began = time.perf_counter()
        if not await index.index_old(words, 200):
            break
        batches.append((time.perf_counter() - batch_began) * 1000)
    took = time.perf_counter() - began
    if name == "postgresql":
        async with engine.connect() as connection:
            plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await plain.execute(text("VACUUM ANALYZE"))
    print(
        f"{name}: indexed {utterances / took:,.0f} texts/s; a batch of 200: median"
        f" {statistics.median(batches):.0f} ms, longest {max(batches):.0f} ms\n",
        flush=True,
    )
    search = StoredTextSearch(sessions, words, SystemClock())

    def asking(question: str) -> Callable[[], Awaitable[int]]:
        async def ask() -> int:
            return len((await search.find(question, CallFilter(), limit=CALLS)).calls)

        return ask

    head(name, "calls", "search ms", "LIKE ms", "ratio")
    for what, question in QUESTIONS:
        ours, found = await median_ms(rounds, asking(question))
        theirs, scanned = await median_ms(rounds, lambda question=question: scan(sessions, question))  # type: ignore[misc]
        same = "" if found == scanned else f" (LIKE: {scanned})"
        row(what, f"{found}{same}", f"{ours:.1f}", f"{theirs:.1f}", f"{theirs / ours:.1f}")
    print()


async def main() -> None:
    """Both databases, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--utterances", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    given = parser.parse_args()
    machine()
    if given.only != "postgresql":
        with TemporaryDirectory() as folder:
            await _on(f"sqlite+aiosqlite:///{Path(folder)}/bench.db", "sqlite", given)
    if given.only != "sqlite":
        with running_cluster() as cluster:
            url = await asyncio.to_thread(fresh_database, cluster)
            await _on(url, "postgresql", given)


async def _on(url: str, name: str, given: argparse.Namespace) -> None:
    engine = open_engine(url)
    try:
        await measure(name, engine, given.utterances, given.rounds)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
