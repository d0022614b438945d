"""What every section of the site file is made of: strict keys, safe names, where secrets are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

MAX_LANGUAGE_CHARACTERS = 35  # RFC 5646, 4.4.1: room for every tag there is

Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
"""A name that is safe as an Asterisk section, queue or endpoint."""
Digits = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
Text = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]+$")]
"""A human name: no control characters and no line separators."""
DialString = Annotated[
    str, Field(pattern=r"^[A-Za-z]+/[A-Za-z0-9_.@:/-]*\{number\}[A-Za-z0-9_.@:/-]*$", max_length=200)
]
"""How a number outside is dialled: a technology, an endpoint, and ``{number}`` once."""
LanguageTag = Annotated[
    str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=MAX_LANGUAGE_CHARACTERS)
]
"""What a caller speaks, as BCP 47 writes it: zh-CN, yue, en."""
Key = Annotated[str, Field(pattern=r"^[0-9*#]$")]


def is_web_address(value: str) -> bool:
    """Whether something can be posted there."""
    try:
        parts = urlsplit(value)
        usable = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        return False
    return usable and value.isascii() and value.isprintable() and " " not in value


class Section(BaseModel):
    """Common ground: strict keys, immutable values, paths that count from the site file's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def _from_the_site_files_folder(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(info.context, dict) or "folder" not in info.context:
            return value
        if isinstance(value, tuple):
            return tuple(_in_folder(one, info.context["folder"]) for one in value)
        return _in_folder(value, info.context["folder"])


def _in_folder(value: object, folder: Path) -> object:
    return folder / value.expanduser() if isinstance(value, Path) else value


class SecretRef(Section):
    """Where a secret is kept. Without either, one is made at first start and kept in ``data_dir/secrets``."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.env and self.file:
            raise ValueError("give env or file, not both")
        return self
