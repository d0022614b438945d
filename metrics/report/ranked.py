"""The ranking of sub-centres: worked out by ``metrics.scoring`` from their figures, or as it printed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from hotline.config.problems import ConfigError, dotted
from hotline.config.schema import Site
from hotline.config.scoring import Scheme
from hotline.core.trials import TrialCall
from hotline.metrics.dialling.sheets import marks_by_unit
from hotline.metrics.report.data import Score
from hotline.metrics.scoring.schemes import known_schemes
from hotline.metrics.scoring.score import as_row, ranking
from hotline.metrics.scoring.units import read_units

SCORES_HINT: Final = "make it with: hotline score FILE --format json"
_SCORES: Final = TypeAdapter(tuple[Score, ...])


@dataclass(frozen=True, slots=True)
class Ranking:
    """Units in their order; ``scheme`` is what they were scored by, if it is known here."""

    scheme: Scheme | None
    scores: tuple[Score, ...]


def ranking_of(file: Path, site: Site, trials: Iterable[TrialCall]) -> Ranking:
    """The ranking of a file: of units and their figures (YAML), or one that was worked out before (JSON).

    Units for which the file gives no test calls get the listeners' marks of ``trials``.

    Raises:
        ConfigError: the file cannot be read or used, with the first place that is wrong.
    """
    schemes = known_schemes(site)
    if file.suffix.lower() == ".json":
        scores = read_scores(file)
        return Ranking(scheme_of(scores, schemes), scores)
    scheme, units = read_units(file, schemes, marks_by_unit(trials))
    return Ranking(scheme, _SCORES.validate_python([as_row(one) for one in ranking(scheme, units)]))


def scheme_of(scores: Sequence[Score], schemes: Mapping[str, Scheme]) -> Scheme | None:
    """The scheme that has these very groups; None if none does."""
    groups = {name for score in scores for name in score.groups}
    return next(
        (one for one in schemes.values() if groups and {group.name for group in one.groups} == groups), None
    )


def read_scores(file: Path) -> tuple[Score, ...]:
    """The ranking that ``hotline score --format json`` printed.

    Raises:
        ConfigError: it cannot be read or used, with the first place that is wrong.
    """
    try:
        return _SCORES.validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", hint=SCORES_HINT) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(
            f"{file}: {dotted(tuple(first['loc']))}: {first['msg']}", hint=SCORES_HINT
        ) from None
