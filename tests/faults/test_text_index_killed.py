"""A server that is killed while texts are being indexed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from hotline.store.database import open_engine
from tests.fixtures.search_checks import SearchedStore

KILLED = """
import asyncio, sys, threading
from hotline.store import text_index
from hotline.store.database import open_engine
from tests.fixtures.migrated import upgrade
from tests.fixtures.search_checks import SearchedStore

def stop_here():
    print("now", flush=True)
    threading.Event().wait()

async def main(url, where):
    engine = open_engine(url)
    await upgrade(engine)
    store = SearchedStore(engine)
    await store.call("c1", *[f"编号{number}号的路灯不亮" for number in range(100, 300)])
    words = await store.words.get()
    await store.index.begin(store.words.edition)
    put = text_index._put

    async def put_and_stop(session, made):
        await put(session, made)
        stop_here()

    if where == "inside its transaction":
        text_index._put = put_and_stop
    else:
        words.tokens = lambda text: stop_here()
    await store.index.index_new(store.words, 150)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("where", ["before its transaction", "inside its transaction"])
async def test_a_killed_server_finds_what_it_had_not_indexed(tmp_path: Path, where: str) -> None:
    """Every text that was saved is found after the next start, wherever the kill came."""
    url = f"sqlite+aiosqlite:///{tmp_path}/hotline.db"
    command = [sys.executable, "-c", KILLED, url, where]
    server = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert await server.stdout.readline() == b"now\n"
    server.kill()
    await server.wait()
    engine = open_engine(url)
    try:
        store = SearchedStore(engine)
        assert await store.calls("路灯") == []  # the half batch left nothing behind
        await store.indexed()
        for number in (100, 180, 299):
            [found] = (await store.find(f"编号{number}号")).calls
            assert found.count == 1
        [every] = (await store.find("路灯不亮")).calls
        assert every.count == 200
    finally:
        await engine.dispose()
