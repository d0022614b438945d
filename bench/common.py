"""What the benchmarks share: a whole server on free ports in a scratch folder, and one way to print."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.server.app import HotlineServer
from hotline.server.logs import log_to_stderr


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_site(folder: Path, **changes: Any) -> Path:
    """The demo site on free ports with prompts of a word; ``changes`` replace top-level sections."""
    data: dict[str, Any] = yaml.safe_load(sample("demo").read_text(encoding="utf-8"))
    first = random.randrange(12000, 30000, 1000)
    data |= {
        "data_dir": str(folder / "data"),
        "asterisk": {
            "sip_port": free_port(socket.SOCK_DGRAM),
            "http_port": free_port(),
            "rtp_first_port": first,
            "rtp_last_port": first + 999,
            "ami": {"port": free_port()},
        },
        "fastagi": {"port": free_port()},
        "asr": {"audiosocket": {"port": free_port()}},
        "web": {"port": free_port()},
        "metrics": {"port": free_port()},
        "prompts": [{"name": prompt["name"], "text": "请按键"} for prompt in data["prompts"]],
    }
    data.pop("notice", None)
    data |= changes
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file


@asynccontextmanager
async def whole_server(**changes: Any) -> AsyncIterator[HotlineServer]:
    """A started server with its Asterisk; both are gone afterwards."""
    log_to_stderr("ERROR")
    with TemporaryDirectory(prefix="hotline-bench-") as folder:
        server = HotlineServer(load_site(write_site(Path(folder), **changes), {}))
        await server.start()
        try:
            yield server
        finally:
            await server.aclose()


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of them lie; nan for none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def row(*cells: object) -> None:
    """One line of a table of the report."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
