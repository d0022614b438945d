"""``hotline check FILE``: the site file, and its models as far as a look at their files tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hotline.asr.engines import VOSK, EngineOrder, look_at, orders_of
from hotline.asr.models import model_path
from hotline.config.cli import Format, OutputFormat, SiteFile, print_checked
from hotline.config.engines import EngineSection
from hotline.config.loading import Checked, check_site
from hotline.config.problems import KeyPath, Problem, dotted
from hotline.config.schema import AsrSection, Site
from hotline.config.yaml_text import read_document
from hotline.core.errors import SetupError


def check(file: SiteFile, output: Format = OutputFormat.TEXT) -> None:
    """Say every problem of a site file, with its line and a hint; exit 1 if the site cannot run."""
    print_checked(with_models(check_site(file)), output)


def with_models(checked: Checked) -> Checked:
    """The same with what is wrong with the site's models; none is loaded (``hotline doctor`` does that)."""
    if checked.site is None:
        return checked
    problems: list[Problem] = []
    for path, order in _named_models(checked.site):
        try:
            look_at(order)
        except SetupError as error:
            line = read_document(checked.file).line_of(path)
            problems.append(Problem(checked.file, line, dotted(path), error.message, error.hint))
    if not problems:
        return checked
    return replace(checked, site=None, problems=(*checked.problems, *problems))


def _named_models(site: Site) -> Iterator[tuple[KeyPath, EngineOrder]]:
    """Models that the file names, each with its place; the one in the package is not looked at."""
    asr = site.asr
    if not asr.enabled:
        return
    sections: tuple[EngineSection | AsrSection, ...] = asr.engines or (asr,)
    for number, (section, order) in enumerate(zip(sections, orders_of(site), strict=True)):
        if section.model is not None:
            yield ("asr", "engines", number, "model") if asr.engines else ("asr", "model"), order
    if asr.second_pass is not None:
        yield ("asr", "second_pass", "model"), EngineOrder(VOSK, model=str(model_path(asr.second_pass.model)))
