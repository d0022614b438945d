"""What people say of a report's figures beside them: a remark on a row (备注), words on a note (说明). Pure.

Both stand under the id of their place, a note's own or ``t.units/市水务局``. Figures themselves are not typed
over: each is a cell of several tables, a part of sums and of sentences, and rests on rows or on a file. A
wrong one is mended where it comes from (the file, imported again) or under ``data`` of the draft, and all
that rests on it follows. Nor can what the report says of itself be taken away: it can be explained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from hotline.metrics.report.document import Block, Column, Form, Note, Row, Table

COLUMN: Final = "备注"
LONGEST: Final = 300  # characters


def row_ids(table: Table) -> tuple[str, ...]:
    """Of each row its place: by its first words, so that it stays the same when other rows come or go."""
    names = [_name(table, row) for row in table.rows]
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        again = f"#{seen[name]}" if seen[name] > 1 else ""
        found.append(f"{table.id}/{name}{again}")
    return tuple(found)


def _name(table: Table, row: Row) -> str:
    cells = zip(row.cells, table.columns, strict=True)
    return next((str(cell) for cell, column in cells if column.form is Form.TEXT and cell), "")


def places(blocks: Iterable[Block]) -> set[str]:
    """Every place of a document on which something can be said."""
    found: set[str] = set()
    for block in blocks:
        if isinstance(block, Table):
            found.update(row_ids(block))
        elif isinstance(block, Note) and block.tone != "edit":
            found.add(block.id)
    return found


def remarked(block: Block, remarks: Mapping[str, str]) -> Block:
    """The block with what is said of it: a table with a column more, a note with more words."""
    if isinstance(block, Note) and block.id in remarks:
        return replace(block, text=f"{block.text}说明：{remarks[block.id]}")
    if isinstance(block, Table) and not remarks.keys().isdisjoint(ids := row_ids(block)):
        rows = tuple(
            replace(row, cells=(*row.cells, remarks.get(id_)))
            for id_, row in zip(ids, block.rows, strict=True)
        )
        return replace(block, columns=(*block.columns, Column(COLUMN, Form.TEXT)), rows=rows)
    return block
