"""What every test gets: it fails if it leaves a task, a thread, a process or a listening port behind."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import wraps
from typing import Any

import psutil
import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # how fast is for bench/ to say
settings.register_profile("long", deadline=None, max_examples=20_000)  # hours: see tests/README.md
settings.load_profile("untimed")

GRACE_SECONDS = 3.0
"""How long a thing that was told to end may take; nothing waits that long in a test that cleans up."""

TIDYING_SECONDS = 30.0
"""Of a test's time, what is kept for putting things away after it was found to hang."""

POOLED_THREADS = ("asyncio_", "ThreadPoolExecutor-")
"""Idle workers of the loop's own executor: they end with their loop."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Trials that take their time are shorter in CI."""
    parser.addoption("--cut-seconds", type=float, default=25.0, help="how long a test cuts the link")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """End a test that hangs a little before pytest-timeout would: then the report shows where it waited."""
    test = getattr(item, "obj", None)
    mark = item.get_closest_marker("timeout")
    seconds = float(mark.args[0] if mark else item.config.getini("timeout"))
    if not inspect.iscoroutinefunction(test) or seconds <= 2 * TIDYING_SECONDS:
        return

    @wraps(test)
    async def bounded(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(seconds - TIDYING_SECONDS):
            await test(*args, **kwargs)

    item.obj = bounded  # type: ignore[attr-defined]  # a Function's


def _threads() -> set[threading.Thread]:
    return {
        thread
        for thread in threading.enumerate()
        if thread.is_alive() and not thread.name.startswith(POOLED_THREADS)
    }


def _children() -> set[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return {child for child in found if child.is_running() and child.status() != psutil.STATUS_ZOMBIE}


def _listening() -> set[tuple[str, int]]:
    return {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.Process().net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a process or a listening port behind (and a task, if it is async)."""
    threads, children, listening = _threads(), _children(), _listening()
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("no_task_left_behind")
    yield
    deadline = time.monotonic() + GRACE_SECONDS
    for thread in _threads() - threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    psutil.wait_procs(_children() - children, timeout=max(0.0, deadline - time.monotonic()))
    left = [f"thread {thread.name}" for thread in _threads() - threads]
    left += [f"process {child.pid} {' '.join(child.cmdline()[:3])}" for child in _children() - children]
    left += [f"listening port {address}:{port}" for address, port in _listening() - listening]
    if left:
        pytest.fail(f"left behind: {'; '.join(left)}", pytrace=False)


@pytest.fixture
async def no_task_left_behind() -> AsyncIterator[None]:
    """Fail a test that leaves an unfinished task behind. Used by ``nothing_left_behind``."""
    before = asyncio.all_tasks()
    yield
    mine = asyncio.current_task()
    left = {task for task in asyncio.all_tasks() - before if task is not mine}
    if left:
        _, left = await asyncio.wait(left, timeout=GRACE_SECONDS)
    if left:
        pytest.fail(f"left behind: {'; '.join(repr(task) for task in left)}", pytrace=False)
