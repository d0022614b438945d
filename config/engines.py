"""The site file's ``asr.engines``: recognisers in the order of preference.

The next one takes over when one fails, falls behind or is full.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from hotline.config.section import Name, SecretRef, Section

HotWord = Annotated[str, Field(pattern=r"^[\w·-]{1,20}$")]
"""A word as it is spoken: no spaces, no punctuation."""


class EngineKind(StrEnum):
    """Which recogniser."""

    VOSK = "vosk"  # a model on this machine
    VOSK_SERVER = "vosk-server"  # over its WebSocket
    FUNASR = "funasr"  # its runtime, over its WebSocket, 2pass
    SHERPA = "sherpa"  # a streaming model on this machine: pip install 'hotline12345[sherpa]'


class SherpaFamily(StrEnum):
    """What kind of streaming model a sherpa folder holds."""

    AUTO = "auto"  # transducer or paraformer, by its files
    TRANSDUCER = "transducer"
    PARAFORMER = "paraformer"
    ZIPFORMER2_CTC = "zipformer2-ctc"
    WENET_CTC = "wenet-ctc"
    T_ONE_CTC = "t-one-ctc"


REMOTE_KINDS: Final = frozenset({EngineKind.VOSK_SERVER, EngineKind.FUNASR})
_ONLY_FOR: Final = {
    "model": frozenset({EngineKind.VOSK, EngineKind.SHERPA}),
    "url": REMOTE_KINDS,
    "ca": REMOTE_KINDS,
    "key": REMOTE_KINDS,
    "sample_rate_hz": REMOTE_KINDS,
    "family": frozenset({EngineKind.SHERPA}),
    "threads": frozenset({EngineKind.SHERPA}),
}


class EngineSection(Section):
    """One recogniser.

    Attributes:
        model: its folder; of vosk the small one in the package when absent.
        url: ``ws://host:port`` or ``wss://host:port``.
        ca: certificates to verify ``wss://`` with, where the system's do not do.
        key: sent as ``Authorization: Bearer`` to a gateway before the server.
        sample_rate_hz: what the server's model was made for.
        legs: voices at once, of the whole server; no limit when absent.
        slow_seconds: behind by more, its voices go to the next engine.
    """

    name: Name
    kind: EngineKind
    model: Path | None = None
    url: str | None = None
    ca: Path | None = None
    key: SecretRef | None = None
    sample_rate_hz: Annotated[int, Field(ge=8_000, le=48_000)] = 16_000
    family: SherpaFamily = SherpaFamily.AUTO
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    legs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    slow_seconds: Annotated[float, Field(ge=1, le=14)] = 4.0

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0
            named = parts.username is not None or parts.password is not None
        except ValueError:
            usable = named = False
        if not usable or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("this is no address of a recogniser; write it like wss://host:10095")
        if named:
            raise ValueError("an address holds no password; give it as key: {env: NAME}")
        return value

    @model_validator(mode="after")
    def _keys_of_its_kind(self) -> Self:
        for key, kinds in _ONLY_FOR.items():
            if key in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f"a {self.kind.value} engine takes no {key}")
        if self.kind in REMOTE_KINDS and self.url is None:
            raise ValueError(f"a {self.kind.value} engine needs a url, like wss://host:10095")
        if self.key is not None and not (self.key.env or self.key.file):
            raise ValueError("say where the key is kept: key: {env: NAME} or {file: PATH}")
        if self.kind is EngineKind.SHERPA and self.model is None:
            raise ValueError("a sherpa engine needs a model: its folder")
        return self
