"""A report into files, each in the format that its name ends with."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hotline.core.errors import SetupError, UsageError
from hotline.metrics.report.document import Chart, Document, Series
from hotline.metrics.report.draft import Draft, as_json, refreshed
from hotline.metrics.report.fonts import chinese_fonts

FORMATS: Final = ("html", "docx", "xlsx", "pdf", "json")


def format_of(out: Path) -> str:
    """What a file is to be, by its name.

    Raises:
        UsageError: no report is written so.
    """
    found = out.suffix.lower().removeprefix(".")
    if found not in FORMATS:
        raise UsageError(f"no report is written as {out.name}", hint=f"end it with .{', .'.join(FORMATS)}")
    return found


def write_report(draft: Draft, document: Document, out: Path) -> None:
    """Write one file, whole or not at all.

    Raises:
        SetupError: it cannot be written, or the machine lacks what its format needs.
    """
    content = rendered(draft, document, format_of(out))
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SetupError(
            f"{out} cannot be written: {error.strerror}", hint="see the folder and its rights"
        ) from error


def try_out(formats: Iterable[str]) -> None:
    """Make a report with one picture in each format, and throw it away.

    Raises:
        SetupError: the machine lacks something, which the text names.
    """
    chart = Chart("c.trial", "试", "bar", ("试",), (Series("试", (1,)),), "件")
    for form in formats:
        if form != "json":
            _rendered(Document("试", "试", "试", (chart,)), form)


def rendered(draft: Draft, document: Document, form: str) -> bytes:
    """The content of a file in one of ``FORMATS``. What a format needs is imported only now."""
    return as_json(refreshed(draft)) if form == "json" else _rendered(document, form)


def _rendered(document: Document, form: str) -> bytes:
    match form:
        case "xlsx":
            from hotline.metrics.report.as_xlsx import as_xlsx

            return as_xlsx(document)
        case "html":
            from hotline.metrics.report.as_html import as_html

            return as_html(document, chinese_fonts()).encode()
        case "docx":
            from hotline.metrics.report.as_docx import as_docx

            return as_docx(document, chinese_fonts())
        case _:
            from hotline.metrics.report.as_pdf import as_pdf

            return as_pdf(document, chinese_fonts())
