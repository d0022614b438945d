"""The engines of a site: what a worker is told of them, how they are loaded, and whether they answer.

An order travels to the worker process as JSON; keys travel apart from it, in the environment, because the
arguments of a process can be read by everybody on the machine.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hotline.asr.chain import Chain, Member
from hotline.asr.engine import Engine
from hotline.asr.models import model_path, read_model
from hotline.asr.trial import try_model
from hotline.asr.vosk_engine import VoskEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotline.asr.remote.engine import RemoteEngine
    from hotline.config.engines import EngineSection
    from hotline.config.schema import Site

VOSK: Final = "vosk"
REMOTE: Final = ("vosk-server", "funasr")


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """One engine.

    Attributes:
        kind: vosk, vosk-server, funasr, sherpa, or ``module:function`` that takes this order.
        name: for people; empty for the engine's own.
        model: its folder, for an engine on this machine.
        url: for one on another.
        ca: a file of certificates; empty for the system's.
        sample_rate_hz: what another machine's model wants.
        family: of a sherpa model; see `asr.sherpa_engine`.
        threads: of a sherpa model.
        hot_words: the site has some, so it is to be loaded in a way that knows them.
        legs_max: as many legs at once in one process; None for no limit.
        slow_seconds: behind by more, it is slow.
    """

    kind: str
    name: str = ""
    model: str = ""
    url: str = ""
    ca: str = ""
    sample_rate_hz: int = 16_000
    family: str = "auto"
    threads: int = 1
    hot_words: bool = False
    legs_max: int | None = None
    slow_seconds: float = 4.0

    def share(self, worker: int, workers: int) -> EngineOrder:
        """The part of one of several workers: the legs are divided among them."""
        if self.legs_max is None:
            return self
        return replace(self, legs_max=self.legs_max // workers + (worker < self.legs_max % workers))


@dataclass(frozen=True, slots=True)
class LineWords:
    """What callers of a line are likely to say: `asr.hot_words` and the line's own; see `Engine.open`."""

    hot_words: tuple[str, ...] = ()
    grammar: tuple[str, ...] = ()


def words_by_line(site: Site) -> dict[str, LineWords]:
    """By line id; ``""`` is for calls whose line is not known."""
    common = site.asr.hot_words
    words = {
        line.id: LineWords(tuple(dict.fromkeys((*common, *line.hot_words))), line.grammar)
        for line in site.lines
    }
    return {"": LineWords(common), **words}


def orders_of(site: Site) -> tuple[EngineOrder, ...]:
    """The engines that a site names, in its order; Vosk with ``asr.model`` if it names none."""
    if not site.asr.engines:
        return (EngineOrder(VOSK, model=str(model_path(site.asr.model))),)
    hot_words = bool(site.asr.hot_words) or any(line.hot_words for line in site.lines)
    return tuple(_order(one, hot_words) for one in site.asr.engines)


def _order(section: EngineSection, hot_words: bool) -> EngineOrder:
    return EngineOrder(
        kind=section.kind.value,
        name=section.name,
        model=str(model_path(section.model)) if section.url is None else "",
        url=section.url or "",
        ca=str(section.ca or ""),
        sample_rate_hz=section.sample_rate_hz,
        family=section.family.value,
        threads=section.threads,
        hot_words=hot_words,
        legs_max=section.legs,
        slow_seconds=section.slow_seconds,
    )


def keys_of(site: Site) -> dict[str, str]:
    """The keys of those engines that want one, by name.

    Raises:
        SecretError: one cannot be read.
    """
    from hotline.config.secrets import Secrets

    secrets = Secrets(site.data_dir)
    return {
        one.name: secrets.resolve(one.key, f"engine-{one.name}")
        for one in site.asr.engines
        if one.key is not None
    }


def load(order: EngineOrder, key: str = "") -> Engine:
    """Load one engine; one on another machine is not asked yet.

    Raises:
        SetupError: the model, a package or a certificate is missing.
        EngineError: the model does not load.
    """
    if order.kind == VOSK:
        return VoskEngine(Path(order.model))
    if order.kind in REMOTE:
        return remote(order, key)
    if order.kind == "sherpa":
        from hotline.asr.sherpa_engine import SherpaEngine

        return SherpaEngine(Path(order.model), order.family, threads=order.threads, hot_words=order.hot_words)
    module, _, function = order.kind.partition(":")
    engine: Engine = getattr(importlib.import_module(module), function)(order)
    return engine


def remote(order: EngineOrder, key: str = "") -> RemoteEngine:
    """An engine on another machine."""
    from hotline.asr.remote.engine import FUNASR_SUBPROTOCOL, RemoteEngine, funasr, vosk_server
    from hotline.asr.remote.line import Address

    ca = Path(order.ca) if order.ca else None
    if order.kind == "funasr":
        address = Address(order.url, key, ca, (FUNASR_SUBPROTOCOL,))
        return RemoteEngine(funasr(order.sample_rate_hz), address)
    return RemoteEngine(vosk_server(order.sample_rate_hz), Address(order.url, key, ca))


def load_chain(
    orders: Sequence[EngineOrder], keys: Mapping[str, str], monotonic: Callable[[], float]
) -> Chain:
    """Load all engines of a worker; see `load`."""
    members = []
    for order in orders:
        engine = load(order, keys.get(order.name, ""))
        members.append(Member(order.name or engine.name, engine, order.legs_max, order.slow_seconds))
    return Chain(members, monotonic)


def look_at(order: EngineOrder) -> None:
    """Look at the files of an engine's model, if it has one on this machine; nothing is loaded.

    Raises:
        SetupError: it is no model of this kind, or a file is missing or empty.
    """
    if order.kind == VOSK:
        read_model(Path(order.model))
    elif order.kind == "sherpa":
        from hotline.asr.sherpa_engine import find_files

        find_files(Path(order.model), order.family)


def probe(order: EngineOrder, key: str = "") -> str:
    """Try an engine: a model in a process that may crash, a server by a moment of silence.

    Returns:
        One line about it.

    Raises:
        SetupError: the model cannot be used.
        PeerError: the server does not answer.
    """
    if order.kind == VOSK:
        return str(try_model(Path(order.model)))
    if order.kind in REMOTE:
        from hotline.asr.remote.engine import probe as ask

        return ask(remote(order, key))
    from hotline.asr.sherpa_engine import probe_sherpa

    return probe_sherpa(order)
