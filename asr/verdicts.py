"""What trials of models said, kept in ``data_dir``, so that a restart need not load a model twice.

A verdict holds for these files, by name, size and time, and for this version of Vosk. Only good ones are
kept: what was refused is tried again each time, because the reason may have been this machine's then.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from hotline.asr.models import model_path
from hotline.asr.trial import Trial, try_model
from hotline.core.errors import SetupError

log = logging.getLogger(__name__)

FILE_NAME: Final = "model-trials.json"
MOST_KEPT: Final = 20  # the oldest is dropped for one more


class Verdicts:
    """The trials that are remembered in a folder.

    Args:
        data_dir: the site's.
        attempt: tries a model; see `try_model`.
    """

    def __init__(self, data_dir: Path, attempt: Callable[[Path], Trial] = try_model) -> None:
        self._file = data_dir / FILE_NAME
        self._attempt = attempt

    def of(self, configured: Path | None, *, anew: bool = False) -> Trial:
        """What a model is like: remembered if its files are as they were, otherwise tried now.

        Args:
            configured: a model folder; None for the package's own.
            anew: try it in any case.

        Raises:
            SetupError: the model is refused.
        """
        path = model_path(configured)
        mark = fingerprint(path)
        kept = self._read()
        if not anew and mark in kept:
            return kept[mark]
        kept.pop(mark, None)
        try:
            trial = self._attempt(path)
        except SetupError:
            self._write(kept)
            raise
        self._write({**kept, mark: trial})
        return trial

    def _read(self) -> dict[str, Trial]:
        try:
            document = json.loads(self._file.read_text("utf-8"))
            return {mark: Trial(**seen) for mark, seen in document.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # not there yet, or of another version: everything is tried again

    def _write(self, kept: dict[str, Trial]) -> None:
        newest = list(kept.items())[-MOST_KEPT:]
        draft = self._file.with_name(f"{FILE_NAME}.new")
        try:
            draft.write_text(json.dumps({mark: asdict(trial) for mark, trial in newest}), "utf-8")
            draft.replace(self._file)
        except OSError as error:
            log.warning("%s: %s; the model is tried again at the next start", self._file, error.strerror)


def fingerprint(folder: Path) -> str:
    """The same as long as no file of the folder and not the recogniser changes; contents are not read."""
    try:
        recogniser = version("vosk")
    except PackageNotFoundError:
        recogniser = ""
    found = hashlib.sha256(f"{recogniser}\0{folder}".encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        facts = file.stat()
        found.update(f"\0{file.relative_to(folder)}\0{facts.st_size}\0{facts.st_mtime_ns}".encode())
    return found.hexdigest()
