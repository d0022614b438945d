"""Runs what makes reports in processes of their own: the server's has calls to follow."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel

MAKE_SECONDS: Final = 1800.0  # of one report; then its process is killed
MOST_SAID: Final = 2000  # characters of what a process wrote to stderr
_JOB: Final = (sys.executable, "-P", "-m", "hotline.metrics.report.job")


class RunFailed(Exception):
    """A process did not do its work; the text says why."""


async def run_job(order: BaseModel) -> str:
    """Have ``job.py`` carry out an order; what it said of it.

    Raises:
        RunFailed: see ``finished``.
    """
    return await finished(_JOB, MAKE_SECONDS, order.model_dump_json().encode())


async def finished(
    command: tuple[str, ...],
    seconds: float,
    order: bytes = b"",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run a process to its end; what it wrote to stderr. ``environment``: beside our own.

    Raises:
        RunFailed: it did not start, ended with another code than 0, or took too long and was killed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    except OSError as error:
        raise RunFailed(f"{command[0]} does not start: {error.strerror}") from error
    try:
        async with asyncio.timeout(seconds):
            _, written = await process.communicate(order)
    except TimeoutError:
        raise RunFailed(f"it took longer than {seconds:.0f} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    said = written.decode(errors="replace").strip()[-MOST_SAID:]
    if process.returncode != 0:
        raise RunFailed(f"{Path(command[0]).name} ended with {process.returncode}: {said}")
    return said
