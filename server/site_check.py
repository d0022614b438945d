"""``hotline check FILE``: the site file, and its model as far as a look at the model's files tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hotline.asr.models import read_model
from hotline.config.cli import Format, OutputFormat, SiteFile, print_checked
from hotline.config.loading import Checked, check_site
from hotline.config.problems import Problem
from hotline.config.yaml_text import read_document
from hotline.core.errors import SetupError


def check(file: SiteFile, output: Format = OutputFormat.TEXT) -> None:
    """Say every problem of a site file, with its line and a hint; exit 1 if the site cannot run."""
    print_checked(with_model(check_site(file)), output)


def with_model(checked: Checked) -> Checked:
    """The same with what is wrong with the site's model; it is not loaded (``hotline doctor`` does that)."""
    site = checked.site
    if site is None or not site.asr.enabled or site.asr.model is None:
        return checked
    try:
        read_model(site.asr.model)
    except SetupError as error:
        problem = Problem(checked.file, _line(checked.file), "asr.model", error.message, error.hint)
        return replace(checked, site=None, problems=(*checked.problems, problem))
    return checked


def _line(file: Path) -> int:
    return read_document(file).line_of(("asr", "model"))
