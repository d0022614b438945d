"""Reports that the server made by itself: files below ``data_dir/reports``, a folder for each schedule.

    reports/monthly/2026-10.pdf      a report
    reports/monthly/2026-10.done     it was made, in these formats; written last

A report counts as made once its ``.done`` is there: what a power cut leaves half done is made again.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

FOLDER: Final = "reports"
DUE: Final = "due"
HANDED: Final = "handed"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_FILE: Final = re.compile(r"([0-9A-Za-z-]{1,50})\.(html|docx|xlsx|pdf|json)")


@dataclass(frozen=True, slots=True)
class MadeReport:
    """A file of a report: of which schedule and period, in which format, how large, and when made."""

    name: str
    period: str
    format: str
    size_bytes: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """A report that was made. ``handed``: its command has run, its webhook was told.

    ``final``: it became final and that is ``due`` to be handed over likewise, or was ``handed``.
    """

    files: tuple[str, ...]
    handed: bool
    final: str = ""


class ReportShelf:
    """The folder of a site. Reads and writes files: not for the event loop."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER

    def folder(self, name: str) -> Path:
        """The folder of a schedule, made if it is not there."""
        made = self._root / name
        made.mkdir(parents=True, exist_ok=True, mode=0o750)
        return made

    def done(self, name: str, period: str) -> Done | None:
        """Whether a report was made; what cannot be read was not."""
        try:
            found = json.loads((self._root / name / f"{period}.done").read_text(encoding="utf-8"))
            return Done(tuple(found["files"]), found["handed"] is True, str(found.get("final", "")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, name: str, period: str, done: Done) -> None:
        """Say that it was made; whole or not at all."""
        file = self.folder(name) / f"{period}.done"
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(done)), encoding="utf-8")
        temporary.replace(file)

    def finals_due(self, name: str) -> list[str]:
        """The periods of a schedule whose reports became final, which nobody was told of yet."""
        periods = sorted(file.stem for file in (self._root / name).glob("*.done"))
        done = ((period, self.done(name, period)) for period in periods)
        return [period for period, one in done if one is not None and one.final == DUE]

    def made(self) -> list[MadeReport]:
        """Every file of every report that was made, newest first."""
        found = []
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            if not folder.is_dir() or not _NAME.fullmatch(folder.name):
                continue
            for file in folder.iterdir():
                match = _FILE.fullmatch(file.name)
                if match and (folder / f"{match[1]}.done").is_file():
                    about = file.stat()
                    moment = datetime.fromtimestamp(about.st_mtime, UTC)
                    found.append(MadeReport(folder.name, match[1], match[2], about.st_size, moment))
        return sorted(found, key=lambda one: (one.made_at, one.name, one.format), reverse=True)

    def file(self, name: str, file: str) -> Path | None:
        """The path of a report's file; None if there is none of that name."""
        match = _FILE.fullmatch(file)
        if match is None or not _NAME.fullmatch(name):
            return None
        path = self._root / name / file
        return path if path.is_file() and path.with_name(f"{match[1]}.done").is_file() else None
