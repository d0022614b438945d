"""A kept recording on disk: plain, or sealed with AES-GCM in chunks, so that any part can be read alone.

    sealed file = header, chunk 0, chunk 1, ...
    header      = "HOTLREC2", the key's id (8 bytes), 16 bytes of salt, bytes of sound (8 bytes, big-endian)
    chunk       = AES-256-GCM of CHUNK_BYTES of sound (the last may be shorter) and its 16-byte tag

Each file has a key of its own: HKDF-SHA256 of the site's key and the salt; so a chunk's number can be its
nonce. The header is authenticated with every chunk: a byte changed, a chunk moved, left out or taken from
another file, or a wrong length is found when the part is read (NIST SP 800-38D; RFC 5869). The key's id is
derived from the site's key likewise: it tells which key a file wants, and nothing of the key.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hotline.core.errors import HotlineError

CHUNK_BYTES: Final = 64 * 1024  # 4 s of two channels of A-law
_MAGIC: Final = b"HOTLREC2"
_ID_BYTES: Final = 8
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 16
_HEADER_BYTES: Final = len(_MAGIC) + _ID_BYTES + _SALT_BYTES + 8


class RecordingDamaged(HotlineError):
    """The file is not what was written: changed, cut off, or sealed with another key."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it lies on disk. ``size_bytes`` and ``sha256`` are of the stored bytes."""

    size_bytes: int
    sha256: str


def key_id(key: str) -> str:
    """Which key this is, in hexadecimal, for headers and rows."""
    return _derived(key, None, b"hotline recording key id", _ID_BYTES).hex()


def write_recording(path: Path, size_bytes: int, sound: Iterable[bytes], key: str | None) -> Written:
    """Write a recording whole or not at all, safe on disk when this returns.

    Args:
        path: where to; its folder is made. What lies there is replaced.
        size_bytes: of all of ``sound`` together.
        sound: the file's content, in pieces of any size.
        key: the site's secret to seal it with; None: plain.

    Raises:
        OSError: the disk is full or will not be written; nothing is left behind.
        ValueError: ``sound`` is not ``size_bytes`` long.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    draft = path.with_name(path.name + ".part")
    digest, stored_bytes = hashlib.sha256(), 0
    try:
        with draft.open("wb") as file:
            os.fchmod(file.fileno(), 0o640)
            for piece in _seal(size_bytes, sound, key) if key is not None else _checked(size_bytes, sound):
                file.write(piece)
                digest.update(piece)
                stored_bytes += len(piece)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return Written(stored_bytes, digest.hexdigest())


class RecordingReader:
    """Reads parts of a recording; use it with ``with``.

    Args:
        path: the file.
        key: the site's secret if the file is sealed, else None.

    Raises:
        RecordingDamaged: the file is no recording of ours, or has the wrong length.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path, key: str | None) -> None:
        self._file: BinaryIO = path.open("rb")
        self._cipher: AESGCM | None = None
        self._header = b""
        try:
            stored_bytes = os.fstat(self._file.fileno()).st_size
            self.size_bytes = stored_bytes
            if key is not None:
                self._open_sealed(stored_bytes, key)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self._file.close()

    def read(self, start: int, count: int) -> bytes:
        """The sound from byte ``start`` on, ``count`` bytes of it or fewer at its end.

        Raises:
            RecordingDamaged: this part is not what was written.
        """
        count = max(0, min(count, self.size_bytes - start))
        if self._cipher is None:
            self._file.seek(start)
            sound = self._file.read(count)
            if len(sound) < count:
                raise RecordingDamaged("the file was cut off while it was read")
            return sound
        if not count:
            return b""
        first, last = start // CHUNK_BYTES, (start + count - 1) // CHUNK_BYTES
        chunks = b"".join(self._chunk(self._cipher, number) for number in range(first, last + 1))
        skipped = start - first * CHUNK_BYTES
        return chunks[skipped : skipped + count]

    def _open_sealed(self, stored_bytes: int, key: str) -> None:
        self._header = self._file.read(_HEADER_BYTES)
        self.size_bytes = int.from_bytes(self._header[-8:], "big")
        if len(self._header) < _HEADER_BYTES or not self._header.startswith(_MAGIC):
            raise RecordingDamaged("this is no sealed recording")
        if stored_bytes != _sealed_bytes(self.size_bytes):
            raise RecordingDamaged(f"the file has {stored_bytes} bytes, not {_sealed_bytes(self.size_bytes)}")
        wanted = self._header[len(_MAGIC) :][:_ID_BYTES].hex()
        if wanted != key_id(key):
            raise RecordingDamaged(
                f"the recording is sealed with another key: {wanted}", hint="see recording.old_keys"
            )
        self._cipher = _cipher(key, self._header)

    def _chunk(self, cipher: AESGCM, number: int) -> bytes:
        self._file.seek(_HEADER_BYTES + number * (CHUNK_BYTES + _TAG_BYTES))
        sealed = self._file.read(CHUNK_BYTES + _TAG_BYTES)
        try:
            return cipher.decrypt(_nonce(number), sealed, self._header)
        except InvalidTag:
            raise RecordingDamaged("the recording was changed", hint="restore it from a backup") from None


def stored_sha256(path: Path) -> str:
    """The digest of a file as it lies on disk, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seal(size_bytes: int, sound: Iterable[bytes], key: str) -> Iterable[bytes]:
    salt = secrets.token_bytes(_SALT_BYTES)
    header = _MAGIC + bytes.fromhex(key_id(key)) + salt + size_bytes.to_bytes(8, "big")
    cipher = _cipher(key, header)
    yield header
    waiting, number = bytearray(), 0
    for piece in _checked(size_bytes, sound):
        waiting += piece
        while len(waiting) >= CHUNK_BYTES:
            yield cipher.encrypt(_nonce(number), bytes(waiting[:CHUNK_BYTES]), header)
            del waiting[:CHUNK_BYTES]
            number += 1
    if waiting:
        yield cipher.encrypt(_nonce(number), bytes(waiting), header)


def _checked(size_bytes: int, sound: Iterable[bytes]) -> Iterable[bytes]:
    left = size_bytes
    for piece in sound:
        left -= len(piece)
        yield piece
    if left:
        raise ValueError(f"the sound is {size_bytes - left} bytes long, not {size_bytes}")


def _cipher(key: str, header: bytes) -> AESGCM:
    salt = header[len(_MAGIC) + _ID_BYTES :][:_SALT_BYTES]
    return AESGCM(_derived(key, salt, b"hotline recording", 32))


def _derived(key: str, salt: bytes | None, purpose: bytes, count: int) -> bytes:
    return HKDF(SHA256(), count, salt, purpose).derive(key.encode())


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _sealed_bytes(size_bytes: int) -> int:
    chunks = -(-size_bytes // CHUNK_BYTES)
    return _HEADER_BYTES + size_bytes + chunks * _TAG_BYTES


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
