"""A running Asterisk as tests see it: its site, its console, and what it wrote."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hotline.config.schema import Site
from hotline.telephony.local_asterisk import LocalAsterisk

HARMLESS = ("CDR logging disabled", "indications.c", "modules will be loaded", "built by")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def secret_of(name: str) -> str:
    """The secrets of test sites: one for each name, with a character that Asterisk's files must escape."""
    return f"{name};secret"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A running Asterisk and the site it serves."""

    site: Site
    local: LocalAsterisk
    secret: Callable[[str], str] = secret_of

    async def rx(self, command: str) -> str:
        """What Asterisk's console says."""
        return await self.local.rx(command)

    def messages(self) -> list[str]:
        """Its warnings and errors (and notices that are not about starting) so far."""
        lines = self.local.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if line and not any(words in line for words in HARMLESS)]

    def queue_log(self) -> list[str]:
        """The lines of its queue_log so far."""
        path = self.local.places.log_dir / "queue_log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


StartAsterisk = Callable[[Site], Awaitable[Exchange]]
