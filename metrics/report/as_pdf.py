"""A report as PDF: the HTML page set by WeasyPrint.

WeasyPrint sets Chinese with Pango and HarfBuzz (no line begins with a closing mark, the machine's own fonts
by fontconfig, OpenType collections subset), reads the same print CSS, and keeps text as text. fpdf2 and
reportlab would want a second layout of every table; reportlab cannot embed Debian's Noto fonts (CFF).
"""

from __future__ import annotations

import logging
from typing import Any

from hotline.core.errors import SetupError
from hotline.metrics.report.as_html import as_html
from hotline.metrics.report.document import Document
from hotline.metrics.report.extras import missing
from hotline.metrics.report.fonts import Fonts

LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def as_pdf(document: Document, fonts: Fonts) -> bytes:
    """The whole file.

    Raises:
        SetupError: WeasyPrint, or a library that it needs, is not installed.
    """
    try:
        import weasyprint
    except ImportError:
        raise missing("weasyprint") from None
    except OSError as error:  # it looks for Pango as it is imported
        raise SetupError("Pango is missing, which PDF needs", hint=f"apt-get install {LIBRARIES}") from error
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)
    page: Any = weasyprint.HTML(string=as_html(document, fonts), url_fetcher=_nothing_from_outside)
    written: bytes = page.write_pdf()
    return written


def _nothing_from_outside(url: str, *_: object, **__: object) -> Any:
    raise ValueError(f"a report needs nothing from outside: {url[:40]}")
