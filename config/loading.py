"""Reading a site file: defaults, the strict file, the environment, and the checks between them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hotline.config.cross_checks import cross_check
from hotline.config.plain_words import schema_problems
from hotline.config.problems import Problem, Severity, SiteProblems
from hotline.config.schema import Site
from hotline.config.yaml_text import Document, read_document

__all__ = ["Checked", "check_site", "load_site"]

DATA_DIR_VARIABLE = "HOTLINE_DATA_DIR"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of reading a site file.

    Attributes:
        site: the site, or None if there is an error among the problems.
        problems: errors and warnings in file order.
    """

    file: Path
    site: Site | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the site from running."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def load_site(path: Path | str, env: Mapping[str, str] = os.environ) -> Site:
    """Return the site that a file describes.

    Args:
        path: the YAML file; relative paths in it count from its folder.
        env: ``HOTLINE_DATA_DIR`` in it takes the place of the file's ``data_dir``; relative, it counts from
            the working directory.

    Raises:
        SiteProblems: with every problem of the file; warnings alone do not raise.
    """
    checked = check_site(path, env)
    if checked.site is None:
        raise SiteProblems(checked.file, checked.problems)
    return checked.site


def check_site(path: Path | str, env: Mapping[str, str] = os.environ) -> Checked:
    """Read a site file and return the site, if it can run, with everything there is to say about the file."""
    file = Path(path)
    try:
        document = read_document(file)
        if not isinstance(document.data, dict):
            hint = "start from a copy of config/samples/demo.yaml"
            raise SiteProblems(file, [Problem(file, 1, "", "a site file is made of sections", hint)])
    except SiteProblems as error:
        return Checked(file, None, error.problems)
    site, problems = _validate(document)
    problems += document.problems
    problems += cross_check(document)
    problems = sorted(_each_once(problems), key=lambda problem: (problem.line, problem.key))
    if site is None or any(problem.severity is Severity.ERROR for problem in problems):
        return Checked(file, None, tuple(problems))
    return Checked(file, _with_environment(site, file, env), tuple(problems))


def _validate(document: Document) -> tuple[Site | None, list[Problem]]:
    try:
        site = Site.model_validate(document.data, context={"folder": document.file.parent.absolute()})
    except ValidationError as error:
        return None, schema_problems(document, error)
    return site, []


def _each_once(problems: list[Problem]) -> list[Problem]:
    """Drop what a section and a cross check both say of one place (a key given twice in a menu)."""
    return list({(problem.line, problem.key, problem.message): problem for problem in problems}.values())


def _with_environment(site: Site, file: Path, env: Mapping[str, str]) -> Site:
    data_dir = env.get(DATA_DIR_VARIABLE)
    if data_dir:
        return site.model_copy(update={"data_dir": Path(data_dir).expanduser().absolute()})
    return site.model_copy(update={"data_dir": file.parent.absolute() / site.data_dir})
