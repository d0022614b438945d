"""Models on this disk: what they are, and whether their files are all there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from hotline.core.errors import SetupError

SMALL_MODEL = Path(__file__).parent / "small_model"
"""The model that comes with the package: hotline words, spoken by synthetic voices."""

USUAL_PLACE = Path("~/.cache/vosk")
"""Where Vosk itself looks for models."""

_ACOUSTIC = ("am/final.mdl", "final.mdl")  # since 2020, and before
_FEATURES = ("conf/mfcc.conf", "mfcc.conf")
_GRAPHS = (("graph/HCLG.fst",), ("graph/HCLr.fst", "graph/Gr.fst"), ("HCLG.fst",), ("HCLr.fst", "Gr.fst"))
_WORDS = ("graph/words.txt", "words.txt", "graph/Gr.fst", "Gr.fst")  # a look-ahead graph holds its own words
_DEFAULT_RATE_HZ = 16_000  # Kaldi's own, for a model whose configuration does not say


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A Vosk model folder.

    Attributes:
        licence: as its model.json says; empty where it has none.
        grammar: built to be narrowed to a list of words for each call.
    """

    path: Path
    name: str
    language: str
    licence: str
    sample_rate_hz: int
    size_bytes: int
    grammar: bool


def model_path(configured: Path | None) -> Path:
    """The model folder that a site means: its own, or the small one of the package."""
    return (configured or SMALL_MODEL).expanduser().resolve()


def read_model(path: Path) -> ModelInfo:
    """Look at a model folder without loading it.

    Raises:
        SetupError: it is no Vosk model, or a file is missing or empty.
    """
    _must_be_a_folder(path)
    present = {name for names in (_ACOUSTIC, _FEATURES, *_GRAPHS, _WORDS) for name in names}
    present = {name for name in present if has_content(path / name)}
    for what, names in (("acoustic model", _ACOUSTIC), ("feature settings", _FEATURES), ("words", _WORDS)):
        if not present.intersection(names):
            raise SetupError(f"{path} is no Vosk model: no {what} ({names[0]})", hint=_remedy(path))
    graph = next((names for names in _GRAPHS if present.issuperset(names)), None)
    if graph is None:
        raise SetupError(
            f"{path} is no Vosk model: no graph (graph/HCLG.fst)", hint="unpack the model's archive again"
        )
    facts = _facts(path)
    return ModelInfo(
        path=path,
        name=facts.get("name") or path.name,
        language=facts.get("language") or ("zh" if re.search(r"(^|-)(cn|zh)(-|$)", path.name) else ""),
        licence=facts.get("licence") or facts.get("license") or "",
        sample_rate_hz=_sample_rate(path),
        size_bytes=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        grammar=len(graph) == 2,
    )


def is_vosk(path: Path) -> bool:
    """Whether a folder has a Vosk model's acoustic part."""
    return any(has_content(path / name) for name in _ACOUSTIC)


def word_count(path: Path) -> int | None:
    """How many words a model knows; None for a graph that holds its own list."""
    for name in ("graph/words.txt", "words.txt"):
        try:
            with (path / name).open("rb") as words:
                return sum(not line.startswith((b"<", b"#", b"!", b"[")) for line in words)
        except OSError:
            continue
    return None


def known_models(*further: Path) -> list[Path]:
    """Model folders to show: the package's, ``further`` ones, and those in Vosk's own usual places."""
    found = [SMALL_MODEL.resolve()] if SMALL_MODEL.is_dir() else []
    found += [folder.expanduser().resolve() for folder in further]
    for place in (USUAL_PLACE.expanduser(), Path("/usr/share/vosk")):
        found += models_in(place)
    return list(dict.fromkeys(found))


def models_in(place: Path) -> list[Path]:
    """The folders in a folder of models; hidden ones are half pulled."""
    if not place.is_dir():
        return []
    return sorted(one.resolve() for one in place.iterdir() if one.is_dir() and one.name[0] != ".")


def _must_be_a_folder(path: Path) -> None:
    if path.is_dir():
        return
    if path.is_file():
        name = path.name.partition(".zip")[0].partition(".tar")[0]
        raise SetupError(
            f"{path} is a file, not a model folder",
            hint=f"unpack it: hotline asr pull {name} --archive {path} --into {path.parent}",
        )
    raise SetupError(
        f"no model folder at {path}", hint="set asr.model to an unpacked model: hotline asr models lists some"
    )


def _remedy(path: Path) -> str:
    """What to do about a folder that is no model: often the model lies one folder deeper."""
    inside = models_in(path)
    if len(inside) == 1 and is_vosk(inside[0]):
        return f"name the folder in it: {inside[0]}"
    if has_content(path / "tokens.txt") and any(path.glob("*.onnx")):
        return "it is a sherpa-onnx model: name it under asr.engines, with kind: sherpa"
    return "unpack the model's archive again"


def has_content(file: Path) -> bool:
    """It is a file and not empty."""
    try:
        return file.is_file() and file.stat().st_size > 0
    except OSError:
        return False


def _facts(path: Path) -> dict[str, str]:
    try:
        facts = json.loads((path / "model.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in facts.items() if isinstance(value, str)} if facts else {}


def _sample_rate(path: Path) -> int:
    for name in _FEATURES:
        try:
            settings = (path / name).read_text("utf-8", errors="replace")
        except OSError:
            continue
        given = re.search(r"^\s*--sample-frequency\s*=\s*([0-9.]+)", settings, re.MULTILINE)
        if given:
            return round(float(given[1]))
    return _DEFAULT_RATE_HZ
