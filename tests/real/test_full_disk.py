"""A disk that is really full: calls go on, and once there is room again the rows are whole."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from hotline.config.secrets import Secrets
from hotline.server.paths import database_url
from hotline.store.database import open_engine
from tests.real.following import AGENTS, Visit, check, direct_lines
from tests.real.serving import Seat, ServerProcess, serving, write_site

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

DISK_BYTES = 48 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a disk of its own; only root may make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk))
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"a disk cannot be mounted here: {made.stderr.strip() or 'only root may'}")
    yield disk
    subprocess.run(("umount", "-l", str(disk)), check=True)


@pytest.fixture
async def server(small_disk: Path) -> AsyncIterator[ServerProcess]:
    """All its data lies on the small disk, its Asterisk's too."""
    plain = {
        name: [one.model_dump(mode="json", exclude_defaults=True) for one in section]
        for name, section in direct_lines(AGENTS).items()
    }
    async with serving(write_site(small_disk, **plain, asr={"enabled": False})) as running:
        yield running


def fill(disk: Path) -> Path:
    """The file that leaves no byte of room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for block in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * block)
            except OSError:
                continue
    assert os.statvfs(disk).f_bavail == 0
    return filler


async def test_a_full_disk_delays_rows_and_loses_none(server: ServerProcess, small_disk: Path) -> None:
    """One call begins before and ends after, one begins and ends on the full disk, one begins there."""
    async with AsyncExitStack() as stack:
        seats = {}
        for line, agent in AGENTS.items():
            await server.add_user(agent, agent=agent)
            seats[line] = (await stack.enter_async_context(Seat(server, agent))).phone
        through, during, begun = (Visit(server.site, f"1380000030{number}") for number in range(3))
        await through.arrive("12301")
        await through.answered(await through.rung(seats["12301"]), "8001")
        filler = fill(small_disk)
        await during.arrive("12302")
        talking = await during.rung(seats["12302"])
        await during.answered(talking, "8002")
        await server.said("ledger rows wait for the database")
        await during.over(by=talking)
        await begun.arrive("12303")
        await begun.answered(await begun.rung(seats["12303"]), "8003")
        filler.unlink()
        await through.over()
        await begun.over()
        await server.stop()
        engine = open_engine(database_url(server.site, Secrets(server.site.data_dir)))
        try:
            rows = await check(engine, through, during, begun)
        finally:
            await engine.dispose()
        assert {row.source for row in rows.values()} == {"live"}
