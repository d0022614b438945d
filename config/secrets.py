"""Secrets: from the environment, from a file, or made at first use and kept in ``data_dir/secrets``.

Names in use: ``ami``, ``agent-<id>``, ``session-key``.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from hotline.config.problems import ConfigError
from hotline.config.section import SecretRef

__all__ = ["SecretError", "Secrets"]

MADE_BYTES = 32  # of randomness in a secret that we make: 43 characters of A-Z a-z 0-9 - _
MAX_BYTES = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class SecretError(ConfigError):
    """A secret is missing, unusable or readable by others."""


class Secrets:
    """The secrets of one site.

    Args:
        data_dir: those made here are kept in ``data_dir/secrets`` (mode 0700, files 0600).
        env: where ``SecretRef.env`` looks.
    """

    def __init__(self, data_dir: Path, env: Mapping[str, str] = os.environ) -> None:
        self._folder = data_dir / "secrets"
        self._env = env

    def get(self, name: str) -> str:
        """Return the secret kept under ``name``; it is made at first use, once, whoever asks first.

        Raises:
            SecretError: if it cannot be kept, or if others can read it.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name for a secret: {name!r}")
        self._make_folder()
        file = self._folder / name
        if not file.exists():
            self._make(file)
        return self._read(file)

    def resolve(self, ref: SecretRef, name: str) -> str:
        """Return the secret that ``ref`` points at, or the one kept under ``name`` if it points nowhere.

        Raises:
            SecretError: if the variable is not set, or the file is missing, empty or readable by others.
        """
        if ref.env:
            value = self._env.get(ref.env, "")
            if not value:
                raise SecretError(f"the environment does not hold {ref.env}", hint=f"export {ref.env}=...")
            return _checked(value, f"the variable {ref.env}")
        return self._read(ref.file) if ref.file else self.get(name)

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(self._folder.stat().st_mode)
        except OSError as error:
            hint = "give data_dir a folder that this user may write to"
            raise SecretError(
                f"secrets cannot be kept in {self._folder}: {error.strerror}", hint=hint
            ) from error
        if mode & 0o077:
            raise SecretError(f"{self._folder} is open to others", hint=f"chmod 700 {self._folder}")

    def _make(self, file: Path) -> None:
        """Write a new secret under a name of its own, then link it: two at once agree on the first one's."""
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as out:
                out.write(secrets.token_urlsafe(MADE_BYTES) + "\n")
                out.flush()
                os.fsync(out.fileno())
            try:
                os.link(draft, file)
            except FileExistsError:
                return  # another process was first
        except OSError as error:
            raise SecretError(
                f"{file} cannot be written: {error.strerror}", hint="is the disk full?"
            ) from error
        finally:
            draft.unlink(missing_ok=True)

    def _read(self, file: Path) -> str:
        try:
            with file.open("rb") as opened:
                mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
                raw = opened.read(MAX_BYTES + 1)
        except OSError as error:
            hint = "write the secret into it, mode 0600"
            raise SecretError(f"the secret {file} cannot be read: {error.strerror}", hint=hint) from error
        if mode & 0o077:
            raise SecretError(f"{file} can be read by others", hint=f"chmod 600 {file}")
        try:
            return _checked(raw.decode("utf-8").rstrip("\r\n"), str(file))
        except UnicodeDecodeError as error:
            raise SecretError(f"{file} does not hold text", hint="write one line of text into it") from error


def _checked(value: str, where: str) -> str:
    """A secret goes into Asterisk's files and headers: one line, nothing that could end it there."""
    if not value:
        raise SecretError(f"{where} is empty", hint="write the secret into it")
    if len(value) > MAX_BYTES or not value.isprintable() or value != value.strip():
        hint = "use one line of text without spaces at its ends"
        raise SecretError(f"{where} holds a secret that cannot be used", hint=hint)
    return value
