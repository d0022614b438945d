"""Files beside the site file that are read as strictly: every problem with its line."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from hotline.config.plain_words import schema_problems
from hotline.config.problems import KeyPath, Problem, SiteProblems, dotted
from hotline.config.section import Section
from hotline.config.yaml_text import Document, read_document

S = TypeVar("S", bound=Section)


def read_strict(file: Path, kind: type[S], *, like: str) -> S:
    """Return what a YAML file of one section describes.

    Args:
        file: the file.
        kind: the section that the whole file is.
        like: the file that a person may start from, for the hints.

    Raises:
        SiteProblems: with every problem of the file.
    """
    document = read_document(file, like=like)
    if document.problems:
        raise SiteProblems(file, document.problems)
    return read_section(document, (), kind)


def read_section(document: Document, path: KeyPath, kind: type[S]) -> S:
    """Return the section that stands at ``path`` of a document.

    Raises:
        SiteProblems: with every problem of that part of the file.
    """
    data: object = document.data
    for step in path:
        data = data[step]  # type: ignore[index]  # the caller has seen that it is there
    if not isinstance(data, dict):
        hint = "write key: value lines"
        problem = Problem(document.file, document.line_of(path), dotted(path), "keys are wanted here", hint)
        raise SiteProblems(document.file, [problem])
    try:
        return kind.model_validate(data, context={"folder": document.file.parent.absolute()})
    except ValidationError as error:
        raise SiteProblems(document.file, schema_problems(document, error, kind, path)) from error
