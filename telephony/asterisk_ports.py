"""The ports a managed Asterisk takes, looked at before it starts so that a taken one is named."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from hotline.config.schema import Site
from hotline.core.errors import SetupError


@dataclass(frozen=True, slots=True)
class NeededPort:
    """A port the instance listens on, and the site file's key for it."""

    number: int
    kind: socket.SocketKind
    host: str
    key: str


def ports_of(site: Site) -> list[NeededPort]:
    """The ports a managed Asterisk of this site takes (media ports apart: it picks free ones itself)."""
    asterisk = site.asterisk
    return [
        NeededPort(asterisk.sip_port, socket.SOCK_DGRAM, asterisk.host, "asterisk.sip_port"),
        NeededPort(asterisk.ami.port, socket.SOCK_STREAM, asterisk.ami.host, "asterisk.ami.port"),
        NeededPort(asterisk.http_port, socket.SOCK_STREAM, asterisk.host, "asterisk.http_port"),
    ]


def check_ports(ports: Sequence[NeededPort]) -> None:
    """Raise SetupError for the first port that cannot be had, naming it and the site file's key."""
    for port in ports:
        try:
            _try_bind(port)
        except OSError as error:
            kind = "UDP" if port.kind is socket.SOCK_DGRAM else "TCP"
            taken = error.errno == errno.EADDRINUSE
            reason = "is taken by another program" if taken else f"cannot be used: {error.strerror}"
            raise SetupError(
                f"{kind} port {port.number} of {port.host} {reason}",
                hint=f"stop that program or set {port.key} in the site file",
            ) from error


def is_taken(port: NeededPort) -> bool:
    """Whether somebody listens there."""
    try:
        _try_bind(port)
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def _try_bind(port: NeededPort) -> None:
    """Bind it as Asterisk does, and let it go."""
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    with socket.socket(family, port.kind) as probe:
        if port.kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((port.host, port.number))
