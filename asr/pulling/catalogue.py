"""The models that are known, as data: ``catalogue.yaml`` typed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from hotline.config.section import Section
from hotline.config.yaml_text import read_document

FILE = Path(__file__).with_name("catalogue.yaml")

ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$")]
"""A model's name: also the name of its folder, so never a path."""


class KnownModel(Section):
    """A model as its publisher offers it.

    Attributes:
        engine: the kind it is made for; ``funasr`` models run in that program's own server, not pulled.
        language: ``zh``, ``en``, ``zh+en``; empty where nobody said.
        sample_rate_hz: of the speech it was trained on; 0 where nobody said.
        archive_bytes: of the archive, nearly; 0 where nobody said.
        url: of the archive, or of the page about it; empty for an archive brought by hand.
        sha256: of the archive; None where none is known beyond doubt.
    """

    name: ModelName
    engine: Literal["vosk", "sherpa", "funasr"] = "vosk"
    language: str = ""
    sample_rate_hz: int = 0
    archive_bytes: int = 0
    licence: str = ""
    url: Annotated[str, Field(pattern=r"^(https?://[^\s/]+/\S*)?$")] = ""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    about: str = ""

    @property
    def archive_name(self) -> str:
        """The last part of its address."""
        return self.url.split("?")[0].rsplit("/", 1)[-1]


@lru_cache(maxsize=1)
def catalogue() -> tuple[KnownModel, ...]:
    """Return every known model, in the catalogue's order."""
    return TypeAdapter(tuple[KnownModel, ...]).validate_python(read_document(FILE).data)


def known_model(name: str) -> KnownModel | None:
    """Return the model of that name, or None."""
    return next((model for model in catalogue() if model.name == name), None)
