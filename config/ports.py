"""Which ports a site listens on, and which of them collide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hotline.config.checker import Item
from hotline.config.problems import KeyPath
from hotline.config.schema import (
    AmiSection,
    AsrSection,
    AsteriskSection,
    AudioSocketSection,
    FastAgiSection,
    MetricsSection,
    WebSection,
)
from hotline.config.section import Section

_ANY_HOST = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, slots=True)
class _Range:
    path: KeyPath
    what: str
    protocol: str  # tcp or udp
    host: str
    first: int
    last: int

    def meets(self, other: _Range) -> bool:
        same_host = self.host == other.host or self.host in _ANY_HOST or other.host in _ANY_HOST
        same_port = self.first <= other.last and other.first <= self.last
        return self.protocol == other.protocol and same_host and same_port


def port_problems(site: Item) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield place, message and hint for each pair of listeners that would want the same port.

    Args:
        site: the whole file.
    """
    rtp_first, rtp_last = _rtp(site)
    if rtp_first >= rtp_last:
        message = f"the RTP ports end ({rtp_last}) before they begin ({rtp_first})"
        yield ("asterisk", "rtp_last_port"), message, "give rtp_last_port a higher number"
    ranges = list(_ranges(site))
    for index, one in enumerate(ranges):
        for other in ranges[index + 1 :]:
            if one.meets(other):
                place = other.path if _written(site, other.path) or not _written(site, one.path) else one.path
                message = f"{one.what} and {other.what} both want port {max(one.first, other.first)}"
                yield place, message, "give one of them another port"


def _written(site: Item, path: KeyPath) -> bool:
    """Return whether the file itself says what is at ``path``, rather than leaving the default."""
    section = site
    for step in path[:-1]:
        section = section.section(str(step))
    return path[-1] in section.data


def _rtp(site: Item) -> tuple[int, int]:
    asterisk = site.section("asterisk")
    first = asterisk.number("rtp_first_port", _default(AsteriskSection, "rtp_first_port"))
    last = asterisk.number("rtp_last_port", _default(AsteriskSection, "rtp_last_port"))
    return first, last


def _ranges(site: Item) -> Iterator[_Range]:
    asterisk, asr = site.section("asterisk"), site.section("asr")
    host = asterisk.text("host") or "127.0.0.1"
    sip = asterisk.number("sip_port", _default(AsteriskSection, "sip_port"))
    yield _Range(("asterisk", "sip_port"), "SIP", "tcp", host, sip, sip)
    yield _Range(("asterisk", "sip_port"), "SIP", "udp", host, sip, sip)
    first, last = _rtp(site)
    if first <= last:
        yield _Range(("asterisk", "rtp_first_port"), "RTP", "udp", host, first, last)
    yield _one(asterisk, "http_port", "Asterisk's HTTP", host, AsteriskSection)
    ami = asterisk.section("ami")
    yield _one(ami, "port", "AMI", ami.text("host") or "127.0.0.1", AmiSection)
    for name, what, kind in (
        ("fastagi", "FastAGI", FastAgiSection),
        ("web", "the web pages", WebSection),
        ("metrics", "Prometheus", MetricsSection),
    ):
        section = site.section(name)
        yield _one(section, "port", what, section.text("host") or "127.0.0.1", kind)
    audio = asr.section("audiosocket")
    port = audio.number("port", _default(AudioSocketSection, "port"))
    workers = asr.number("workers", _default(AsrSection, "workers"))  # each listens on a port of its own
    audio_host = audio.text("host") or "127.0.0.1"
    yield _Range((*audio.path, "port"), "AudioSocket", "tcp", audio_host, port, port + max(workers, 1) - 1)


def _one(section: Item, key: str, what: str, host: str, kind: type[Section]) -> _Range:
    port = section.number(key, _default(kind, key))
    return _Range((*section.path, key), what, "tcp", host, port, port)


def _default(kind: type[Section], key: str) -> int:
    return int(kind.model_fields[key].default)
