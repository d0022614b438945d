"""One file over HTTP, resumed where it broke off.

What has come so far lies in ``file``; beside it ``file.json`` says of which version it is part: the address,
the server's ETag or date, the length. A range is only asked for with that (If-Range, RFC 9110 13.1.5), so
that halves of two versions never meet; a server that ignores ranges, or has another version now, starts again
from the first byte.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
import ssl
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import httpx

from hotline.core.backoff import backoff
from hotline.core.errors import SetupError, UsageError

CONNECT_SECONDS: Final = 15.0
READ_SECONDS: Final = 30.0  # without a single byte
TRIES: Final = 5  # one after another that get no further
UNKNOWN_MOST_BYTES: Final = 16 * 1024**3  # of a file of which nobody said how long it is
ROOM: Final = 3  # the archive, and about twice as much unpacked

Progress = Callable[[int, int | None], None]
"""Told bytes that are here, and of how many (None: the server does not say)."""


class Unreachable(SetupError):
    """Nobody answers at the address, or the way there breaks again and again."""


class _Again(Exception):
    """This answer is of no use; another may be."""


@dataclass(frozen=True, slots=True)
class _Version:
    """Of which version of the file a part is: ``validator`` is a strong ETag or a date, for If-Range."""

    url: str
    validator: str
    total_bytes: int | None


def make_client() -> httpx.Client:
    """A client that uses this machine's certificates and the environment's proxies.

    Raises:
        SetupError: the environment names a proxy of an unknown kind.
    """
    try:
        return httpx.Client(
            verify=ssl.create_default_context(),
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity"},
            follow_redirects=True,
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        hint = "set HTTPS_PROXY=http://host:port"
        raise SetupError(f"the environment's proxy cannot be used: {error}", hint=hint) from None


class Download:
    """A download that is to end as a whole ``file``.

    Args:
        url: of the file.
        file: where it goes.
        about_bytes: about how long it is; 0 if unknown. Half or twice as long is refused as something else.
        wait: called with the seconds between two tries.
    """

    def __init__(
        self,
        client: httpx.Client,
        url: str,
        file: Path,
        *,
        about_bytes: int = 0,
        progress: Progress = lambda _done, _total: None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._url, self._file = client, url, file
        self._about_bytes = about_bytes
        self._progress = progress
        self._wait = wait
        self._notes = file.with_name(file.name + ".json")
        self._furthest = 0

    def run(self) -> None:
        """Have the whole file here when this returns.

        Raises:
            Unreachable: nobody answers, or not to the end; what came is kept for the next time.
            SetupError: another answer than this file, or no room for it.
            UsageError: the address is none.
        """
        pauses, failures = backoff(initial_seconds=0.5, max_seconds=10), 0
        while True:
            before = self._furthest
            try:
                if self._try_once():
                    return
                why = "the connection broke off"
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise UsageError(f"{self._url} is no address: {error}", hint="give --url https://…") from None
            except _Again as again:
                why = str(again)
            except (httpx.TransportError, httpx.TooManyRedirects) as error:
                why = str(error) or type(error).__name__
            except OSError as error:
                raise _no_room(self._file, error) from None
            if self._furthest > before:
                pauses, failures = backoff(initial_seconds=0.5, max_seconds=10), 0
            failures += 1
            if failures >= TRIES or (self._furthest == 0 and failures > 1):
                host = httpx.URL(self._url).host
                raise Unreachable(f"{host} cannot be reached ({why})")
            self._wait(next(pauses))

    def _try_once(self) -> bool:
        """One request; whether the file is whole now."""
        version = self._known_version()
        have = self._file.stat().st_size if version is not None and self._file.exists() else 0
        if version is not None and have and have == version.total_bytes:
            return True
        headers = {}
        if version is not None and have:
            headers = {"Range": f"bytes={have}-", "If-Range": version.validator}
        with self._client.stream("GET", self._url, headers=headers) as response:
            if response.status_code == 206 and version is not None:
                total = self._range_begins(response, have)
                if total is None or total != version.total_bytes:
                    self._forget()
                    raise _Again("the server sent another range than was asked for")
                return self._take(response, "ab", have, total)
            if response.status_code == 416:
                self._forget()  # what is here is longer than the file: it was another one
                raise _Again("the file there is another one now")
            self._must_be_the_file(response)
            total = _length(response)
            self._remember(response, total)
            return self._take(response, "wb", 0, total)

    def _take(self, response: httpx.Response, mode: str, have: int, total: int | None) -> bool:
        self._must_fit(have, total)
        most = total if total is not None else 2 * self._about_bytes or UNKNOWN_MOST_BYTES
        with self._file.open(mode) as out:
            for chunk in response.iter_raw():
                have += len(chunk)
                if have > most:
                    raise SetupError(f"{self._url} sends more than {most} bytes", hint=_WRONG_FILE)
                out.write(chunk)
                self._furthest = max(self._furthest, have)
                self._progress(have, total)
        return total is None or have == total

    def _must_be_the_file(self, response: httpx.Response) -> None:
        status, host = response.status_code, response.url.host
        if status >= 500 or status in (408, 429):
            raise _Again(f"it answers with status {status}")
        if status != 200:
            hint = "the address is wrong, or asks for a sign-in: give another by --url"
            raise SetupError(f"{host} answers with status {status} for {self._url}", hint=hint)
        if self._url.startswith("https:") and response.url.scheme != "https":
            raise SetupError(f"{self._url} leads to an address without TLS", hint=_WRONG_FILE)
        if response.headers.get("content-type", "").startswith("text/html"):
            raise SetupError(f"{host} answers with a web page, not with an archive", hint=_WRONG_FILE)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise SetupError(f"{host} sends the archive in an encoding of its own", hint=_WRONG_FILE)
        total = _length(response)
        about = self._about_bytes
        if about and total is not None and not about / 2 <= total <= 2 * about:
            raise SetupError(f"{host} offers {total} bytes; about {about} are expected", hint=_WRONG_FILE)

    def _must_fit(self, have: int, total: int | None) -> None:
        needed = ROOM * (total or self._about_bytes) - have
        free = shutil.disk_usage(self._file.parent).free
        if free < needed:
            raise SetupError(
                f"{self._file.parent} has {free / 1e6:.0f} MB free; {needed / 1e6:.0f} MB are needed",
                hint="free some, or give another folder: --into DIR",
            )

    def _range_begins(self, response: httpx.Response, have: int) -> int | None:
        """The whole length, if the range begins where ours ends."""
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("content-range", ""))
        return int(found[2]) if found and int(found[1]) == have else None

    def _known_version(self) -> _Version | None:
        try:
            version = _Version(**json.loads(self._notes.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return version if version.url == self._url and version.validator else None

    def _remember(self, response: httpx.Response, total: int | None) -> None:
        tag = response.headers.get("etag", "")
        validator = tag if tag.startswith('"') else response.headers.get("last-modified", "")
        self._forget()
        if validator and total is not None:
            self._notes.write_text(json.dumps(asdict(_Version(self._url, validator, total))), "utf-8")

    def _forget(self) -> None:
        self._notes.unlink(missing_ok=True)
        self._file.unlink(missing_ok=True)


_WRONG_FILE = "this is not the model: a sign-in page, a wrong mirror? Give another address by --url"


def _length(response: httpx.Response) -> int | None:
    given = response.headers.get("content-length", "")
    return int(given) if given.isdecimal() else None


def _no_room(file: Path, error: OSError) -> SetupError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SetupError(f"no room left in {file.parent}", hint="free some; what came so far is kept")
    return SetupError(f"{file}: {error.strerror or error}", hint="give a folder that this user may write")
