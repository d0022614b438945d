"""A draft as pages see it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hotline.core.reports import (
    ReportBlock,
    ReportChart,
    ReportContent,
    ReportHead,
    ReportNote,
    ReportRow,
    ReportSeries,
    ReportTable,
    ReportText,
)
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.document import Block, Chart, Form, Heading, Note, Paragraph, Table, written
from hotline.metrics.report.draft import Draft, content_print, made_anew, was_edited
from hotline.metrics.report.remarks import row_ids


def shown(draft: Draft, head: ReportHead) -> ReportContent:
    """What the draft says now, its figures made anew.

    Raises:
        ConfigError: see `made_anew`.
    """
    document = made_anew(draft)
    return ReportContent(
        head=head,
        revision=content_print(draft),
        issuer=document.issuer,
        period_text=document.period,
        status=document.status,
        blocks=tuple(_block(draft, block) for block in document.blocks),
        disagreements=tuple(str(one) for one in disagreements(draft.data)),
    )


def _block(draft: Draft, block: Block) -> ReportBlock:
    match block:
        case Heading() | Paragraph():
            level = block.level if isinstance(block, Heading) else 0
            return ReportText(block.id, block.text, level, was_edited(draft, block))
        case Note():
            remark = None if block.tone == "edit" else draft.remarks.get(block.id, "")
            return ReportNote(block.id, block.text, block.tone, remark)
        case Table():
            return _table(block, draft.remarks)
        case Chart():
            series = tuple(ReportSeries(one.name, one.values) for one in block.series)
            return ReportChart(block.id, block.title, block.shape, block.labels, series, block.unit)


def _table(table: Table, remarks: Mapping[str, str]) -> ReportTable:
    rows = tuple(
        ReportRow(
            id_,
            tuple(written(cell, column.form) for cell, column in zip(row.cells, table.columns, strict=True)),
            row.depth,
            row.strong,
            remarks.get(id_, ""),
        )
        for id_, row in zip(row_ids(table), table.rows, strict=True)
    )
    return ReportTable(
        id=table.id,
        title=table.title,
        columns=tuple(column.title for column in table.columns),
        words=tuple(column.form is Form.TEXT for column in table.columns),
        rows=rows,
        source=table.source,
    )
