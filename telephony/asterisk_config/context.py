"""One context of a dialplan as text."""

from __future__ import annotations

from collections.abc import Iterable


def context(name: str, comment: str, *extensions: Iterable[str]) -> str:
    """``[name]`` under its comment. Each extension is a pattern followed by its applications in order."""
    rows = [f"; {comment}", f"[{name}]"]
    for pattern, *applications in extensions:
        for index, application in enumerate(applications):
            label, _, call = application.rpartition("@@")
            tag = f"({label})" if label else ""
            rows.append(f" same => n{tag},{call}" if index else f"exten => {pattern},1{tag},{call}")
    return "\n".join(rows)


def at(label: str, application: str) -> str:
    """An application that can be jumped to."""
    return f"{label}@@{application}"
