"""Telephones for `bench.hearing`, in a process of their own: tracks into AudioSocket connections, paced.

    python -m bench.feeder FILE...

Reads orders, a JSON object a line: ``leg`` (UUID), ``address``, ``file`` (16-bit, 16 kHz), ``begin``
(monotonic seconds) and ``network``. Connects at once, sends 20 ms of the file every 20 ms from ``begin`` on,
and hangs up when the other side does. What ``network`` does to the frames:

clean      nothing
loss       every twentieth is lost, at random
stalls     every two seconds nothing comes for 300 ms, then all of it at once
quiet      frames without speech are not sent (silence suppression)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from array import array
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from hotline.telephony.audiosocket import pack_audio, pack_identity

RATE_HZ: Final = 16_000
FRAME_BYTES: Final = 640
FRAME_SECONDS: Final = 0.02
NETWORKS: Final = ("clean", "loss", "stalls", "quiet")
LOST: Final = 0.05
STALL_EVERY_SECONDS: Final = 2.0
STALL_SECONDS: Final = 0.3
HANGOVER_FRAMES: Final = 10  # sent after the last loud one, as phones do
LOUD: Final = 200


def due_frames(pcm: bytes, network: str, seed: int) -> list[tuple[float, bytes]]:
    """The frames that arrive, each with its moment in seconds from the beginning."""
    rng = random.Random(seed)
    frames: list[tuple[float, bytes]] = []
    quiet_for = 0
    for count, first in enumerate(range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES), start=1):
        payload = pcm[first : first + FRAME_BYTES]
        at = count * FRAME_SECONDS
        quiet_for = 0 if max(map(abs, array("h", payload))) > LOUD else quiet_for + 1
        if (network == "loss" and rng.random() < LOST) or (
            network == "quiet" and quiet_for > HANGOVER_FRAMES
        ):
            continue
        if network == "stalls" and (late := at % STALL_EVERY_SECONDS) < STALL_SECONDS:
            at += STALL_SECONDS - late
        frames.append((at, pack_audio(payload, RATE_HZ)))
    return frames


async def feed(order: dict[str, Any], pcm: bytes) -> None:
    """One leg, to the end of its track and then until the other side hangs up."""
    host, _, port = order["address"].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        writer.write(pack_identity(UUID(order["leg"])))
        for at, frame in due_frames(pcm, order["network"], UUID(order["leg"]).int):
            if (pause := order["begin"] + at - loop.time()) > 0:
                await asyncio.sleep(pause)
            if writer.is_closing():
                break
            writer.write(frame)
        await reader.read()
    writer.close()


async def main(files: dict[str, bytes]) -> None:
    """Obey orders until there are no more."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async with asyncio.TaskGroup() as legs:
        while line := await reader.readline():
            order = json.loads(line)
            legs.create_task(feed(order, files[order["file"]]))


if __name__ == "__main__":
    asyncio.run(main({name: Path(name).read_bytes() for name in sys.argv[1:]}))
