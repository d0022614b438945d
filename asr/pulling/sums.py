"""What an archive is compared with, so that a damaged or another one is not installed.

In this order: the checksum that the operator gives, the catalogue's, the publisher's own list. Vosk's
publisher keeps ``model-list.json`` beside the archives, with the size and the MD5 of each. It comes from the
same server as the archive: it proves that all of it came, not who made it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from hotline.core.errors import SetupError

LIST_NAME: Final = "model-list.json"
LIST_MOST_BYTES: Final = 4 * 1024 * 1024
_READ_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sum:
    """What an archive must be.

    Attributes:
        algorithm: ``sha256`` or ``md5``.
        source: who says so, for people.
        size_bytes: None where only the sum is known.
    """

    algorithm: str
    digest: str
    source: str
    size_bytes: int | None = None

    def check(self, file: Path) -> str:
        """Compare; return what was compared, for people.

        Raises:
            SetupError: it is another file.
        """
        size = file.stat().st_size
        if self.size_bytes is not None and size != self.size_bytes:
            raise SetupError(
                f"the archive has {size} bytes; {self.source} says {self.size_bytes}", hint=_PULL_AGAIN
            )
        found = hashlib.new(self.algorithm, usedforsecurity=False)
        with file.open("rb") as archive:
            while part := archive.read(_READ_BYTES):
                found.update(part)
        if found.hexdigest() != self.digest:
            raise SetupError(
                f"the archive's {self.algorithm} is {found.hexdigest()}; {self.source} says {self.digest}",
                hint=_PULL_AGAIN,
            )
        return f"the {self.algorithm} that {self.source} says"


_PULL_AGAIN = "it was thrown away; pull it again, or from another place: --url"


def published_sum(client: httpx.Client, archive_url: str, name: str) -> Sum | None:
    """What the publisher's list beside the archive says of a model; None without such a list or model."""
    url = f"{archive_url.split('?')[0].rsplit('/', 1)[0]}/{LIST_NAME}"
    text = bytearray()
    try:
        with client.stream("GET", url) as response:
            if response.status_code != 200:
                return None
            for chunk in response.iter_bytes():
                text += chunk
                if len(text) > LIST_MOST_BYTES:
                    return None
        return find_sum(json.loads(text), name)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None


def find_sum(document: Any, name: str) -> Sum | None:
    """A model's entry in the publisher's list: objects with ``name``, ``md5`` and ``size``."""
    for entry in document if isinstance(document, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name:
            md5, size = entry.get("md5"), entry.get("size")
            if isinstance(md5, str) and len(md5) == 32:
                return Sum(
                    "md5", md5.lower(), "the publisher's list", size if isinstance(size, int) else None
                )
    return None
