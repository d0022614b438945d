"""Where the generator asks for passwords: ``ami`` and ``agent-<id>``."""

from __future__ import annotations

from typing import Protocol


class SecretSource(Protocol):
    """Gives a secret by name, making it at first use (``Secrets.get`` of config is one)."""

    def __call__(self, name: str, /) -> str: ...
