"""Reports over HTTP: the list and the files, for supervisors only, and who fetched them."""

from __future__ import annotations

from pathlib import Path

from hotline.store.report_shelf import Done, ReportShelf
from tests.fixtures.console import running_console


async def test_supervisors_list_and_fetch_what_was_made(tmp_path: Path) -> None:
    """The file as it is, as a download, written down; an agent gets 403, nobody 401, another path 404."""
    async with running_console(tmp_path) as console:
        shelf = ReportShelf(console.deps.site.data_dir)
        (shelf.folder("monthly") / "2026-10.html").write_text("<p>通报</p>", encoding="utf-8")
        shelf.note("monthly", "2026-10", Done(("2026-10.html",), handed=True))
        chief, zhang = await console.user("chief", "supervisor"), await console.user("zhang", agent="a1")
        listed = (await chief.get("/api/reports")).json()["reports"]
        assert [(one["name"], one["period"], one["state"], one["formats"]) for one in listed] == [
            ("monthly", "2026-10", "files", ["html"])
        ]
        got = await chief.get("/api/reports/monthly/2026-10.html")
        assert got.text == "<p>通报</p>" and got.headers["content-disposition"].startswith("attachment")
        assert [(row.user, row.subject) for row in await console.audit.recent(action="report_download")] == [
            ("chief", "monthly/2026-10.html")
        ]
        for path in ("/api/reports", "/api/reports/monthly/2026-10.html"):
            assert (await zhang.get(path)).status_code == 403
            assert (await console.client().get(path)).status_code == 401
        for path in ("monthly/2026-11.html", "monthly/..%2Fsecret", "..%2F/hotline.db"):
            assert (await chief.get(f"/api/reports/{path}")).status_code == 404
