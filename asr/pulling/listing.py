"""Every model that is known or here, as rows: what, how large, whose licence, where, whether it works."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from hotline.asr.models import read_model
from hotline.asr.pulling.catalogue import KnownModel, known_model
from hotline.asr.trial import Trial
from hotline.core.errors import SetupError


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model.

    Attributes:
        size_bytes: on this disk; 0 where it is not here.
        archive_bytes: to download; 0 where nobody said, or it is not downloaded.
        path: its folder here; empty where it is not here.
        url: where it is published; empty for models of one's own.
        sha256: of its archive; empty where none is known beyond doubt.
        used: by the site that was asked about.
        grammar: its words can be narrowed for each line.
        seen: what its trial said, if there was one.
        problem: why it is refused; empty for a good one.
    """

    name: str
    engine: str
    language: str
    sample_rate_hz: int
    size_bytes: int
    archive_bytes: int
    licence: str
    path: str
    url: str
    sha256: str
    installed: bool
    used: bool
    grammar: bool
    about: str
    seen: str
    problem: str


def model_rows(
    folders: Iterable[Path],
    known: Iterable[KnownModel],
    *,
    used: Collection[Path] = (),
    attempt: Callable[[Path], Trial] | None = None,
) -> list[ModelRow]:
    """What is here, then what could be pulled.

    Args:
        folders: of models on this disk.
        known: the catalogue.
        used: the folders that the site uses.
        attempt: tries a model; None to look at the files only.
    """
    here = [_row_here(folder, folder in used, attempt) for folder in folders]
    names = {row.name for row in here} | {Path(row.path).name for row in here}
    return here + [_row_known(model) for model in known if model.name not in names]


def _row_here(folder: Path, used: bool, attempt: Callable[[Path], Trial] | None) -> ModelRow:
    known = known_model(folder.name)
    name, language, rate_hz, size, licence, grammar, seen, problem = folder.name, "", 0, 0, "", False, "", ""
    if known is None or known.engine == "vosk":
        try:
            info = read_model(folder)
            name, language, licence = info.name, info.language, info.licence
            rate_hz, size, grammar = info.sample_rate_hz, info.size_bytes, info.grammar
            seen = str(attempt(folder)) if attempt else ""
        except SetupError as error:
            problem = str(error)
    else:
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return ModelRow(
        name=name,
        engine=known.engine if known else "vosk",
        language=language or (known.language if known else ""),
        sample_rate_hz=rate_hz or (known.sample_rate_hz if known else 0),
        size_bytes=size,
        archive_bytes=known.archive_bytes if known else 0,
        licence=licence or (known.licence if known else ""),
        path=str(folder),
        url=known.url if known else "",
        sha256=(known.sha256 or "") if known else "",
        installed=True,
        used=used,
        grammar=grammar,
        about=known.about if known else "",
        seen=seen,
        problem=problem,
    )


def _row_known(model: KnownModel) -> ModelRow:
    return ModelRow(
        name=model.name,
        engine=model.engine,
        language=model.language,
        sample_rate_hz=model.sample_rate_hz,
        size_bytes=0,
        archive_bytes=model.archive_bytes,
        licence=model.licence,
        path="",
        url=model.url,
        sha256=model.sha256 or "",
        installed=False,
        used=False,
        grammar=False,
        about=model.about,
        seen="",
        problem="",
    )
