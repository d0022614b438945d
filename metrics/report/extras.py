"""The packages that only reports need: ``pip install 'hotline12345[reports]'``."""

from __future__ import annotations

from hotline.core.errors import SetupError


def missing(package: str) -> SetupError:
    """What to raise where one of them is not installed."""
    return SetupError(f"{package} is missing, which reports need", hint="pip install 'hotline12345[reports]'")
