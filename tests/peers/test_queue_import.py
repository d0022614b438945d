"""``hotline queue-log import`` as a person runs it: logs whose truth is known, into a database file."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from hotline.config.samples import path as sample
from tests.fixtures.believable_log import FIRST_EPOCH, BelievableLog, Truth

COMMAND = (sys.executable, "-c", "from hotline.server.cli import main; main()")
QUEUES = ("12345", "12315", "old-600")
CLASSES = ("answered", "abandoned", "short_abandon", "timeout", "full", "empty", "key_exit", "callback")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a site file, whose database lies beside it."""
    site = yaml.safe_load(sample("demo").read_text(encoding="utf-8")) | {"data_dir": str(tmp_path)}
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    return tmp_path


def command(folder: Path, *arguments: str | Path) -> list[str]:
    return [*COMMAND, *map(str, arguments), "--site", str(folder / "site.yaml")]


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "HOTLINE_DATA_DIR"}
    return subprocess.run(
        command(folder, *arguments), capture_output=True, text=True, timeout=90, check=False, env=environment
    )


def imported(folder: Path, *arguments: str | Path) -> dict[str, Any]:
    done = run(folder, "queue-log", "import", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert isinstance(summary, dict)
    return summary


def rows(folder: Path) -> Counter[tuple[str, str]]:
    """The database's rows by queue and class, by SQL of our own."""
    with sqlite3.connect(folder / "hotline.db") as database:
        found = database.execute(
            "SELECT queue, outcome, count(*) FROM queue_entries GROUP BY 1, 2"
        ).fetchall()
    database.close()
    return Counter({(queue, outcome): count for queue, outcome, count in found})


def write(path: Path, seed: int, calls: int, **how: Any) -> Truth:
    log = BelievableLog(seed, QUEUES, calls, **how)
    path.write_text("".join(log.lines()), encoding="utf-8")
    return log.truth


def test_stats_count_what_the_callers_did(folder: Path) -> None:
    """Every class, wait and talk of ``hotline stats`` after an import equals the truth behind the log."""
    truth = write(folder / "queue_log", 1, 2000, shuffled=True)
    summary = imported(folder, folder / "queue_log")
    assert summary["calls"] == truth.calls and summary["entries"] == truth.rows.total()
    with sqlite3.connect(folder / "hotline.db") as database:
        talks = database.execute("SELECT count(*), sum(talk_ms) FROM talks").fetchone()
    database.close()
    assert talks == (truth.of_class("answered"), truth.talk_seconds * 1000)
    assert rows(folder) == truth.rows
    done = run(folder, "stats", "--from", "2023-01-01", "--to", "2024-12-31", "--format", "json")
    figures = {row["line"]: row for row in json.loads(done.stdout)}
    total = figures["total"]
    assert {name: total[name] for name in CLASSES} == {name: truth.of_class(name) for name in CLASSES}
    assert total["offered"] == truth.rows.total() and total["still_open"] == 0
    assert total["talk_seconds_total"] == truth.talk_seconds
    assert total["wait_seconds_total"] == truth.wait_seconds
    assert figures["old-600"]["answered"] == truth.rows["old-600", "answered"]


def test_malformed_lines_are_named_and_skipped_and_unknown_queues_told_once(folder: Path) -> None:
    """Thirty bad lines: twenty are named by number and reason, all are counted, the others count in full."""
    truth = write(folder / "queue_log", 2, 200)
    lines = (folder / "queue_log").read_text(encoding="utf-8").splitlines(keepends=True)
    for number in range(30):
        lines.insert(number * 10, "123|broken\n" if number else "ungültig\x00\n")
    (folder / "queue_log").write_text("".join(lines), encoding="utf-8")
    done = run(folder, "queue-log", "import", folder / "queue_log")
    assert done.returncode == 0 and "30 malformed" in done.stdout
    named = [line for line in done.stderr.splitlines() if "skipped:" in line]
    assert len(named) == 20
    assert named[0].startswith(f"{folder}/queue_log:1: ") and named[1].startswith(f"{folder}/queue_log:11: ")
    assert "fewer than five fields" in named[1]
    assert done.stderr.count("queue old-600 is not in the site file") == 1
    assert "12315 is not in" not in done.stderr
    assert rows(folder) == truth.rows


def test_rotated_and_compressed_files_in_any_order_are_one_log(folder: Path) -> None:
    """Calls that go on over a rotation are whole; the same file given twice counts once."""
    truth = write(folder / "all", 3, 900)
    lines = (folder / "all").read_text(encoding="utf-8").splitlines(keepends=True)
    third = len(lines) // 3
    with gzip.open(folder / "queue_log.2.gz", "wt", encoding="utf-8") as packed:
        packed.writelines(lines[:third])
    (folder / "queue_log.1").write_text("".join(lines[third : 2 * third]), encoding="utf-8")
    (folder / "queue_log").write_text("".join(lines[2 * third :]), encoding="utf-8")
    (folder / "copy").write_text("".join(lines[third : 2 * third]), encoding="utf-8")
    names = ("queue_log", "queue_log.2.gz", "copy", "queue_log.1")
    summary = imported(folder, *(folder / name for name in names))
    assert summary["lines"] == len(lines) and summary["still_open"] == 0
    assert rows(folder) == truth.rows


def test_of_two_copies_the_longer_one_counts(folder: Path) -> None:
    """A backup of last week, compressed, given before the file as it is now: nothing is missing."""
    truth = write(folder / "queue_log", 11, 200)
    whole = (folder / "queue_log").read_bytes()
    with gzip.open(folder / "backup.gz", "wb") as packed:
        packed.write(whole[: len(whole) // 2])
    (folder / "short").write_bytes(whole[: len(whole) // 3])
    summary = imported(folder, folder / "backup.gz", folder / "queue_log", folder / "short")
    assert summary["lines"] == whole.count(b"\n")
    assert rows(folder) == truth.rows


def test_running_it_again_adds_nothing_and_a_grown_file_adds_what_is_new(folder: Path) -> None:
    """Once more: no line is read. Longer: the calls that were cut are completed, nothing is there twice."""
    now = int(time.time())
    truth = write(folder / "all", 4, 600, first_epoch=now - 30_000, per_second=0.03)
    lines = (folder / "all").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "queue_log").write_text("".join(lines[:700]), encoding="utf-8")
    first = imported(folder, folder / "queue_log")
    assert first["still_open"] > 0
    (folder / "queue_log").write_text("".join(lines), encoding="utf-8")
    second = imported(folder, folder / "queue_log")
    assert second["went_on"] and second["still_open"] == 0
    assert rows(folder) == truth.rows
    imported(folder, folder / "queue_log", "--anew")
    assert rows(folder) == truth.rows


def test_an_import_of_a_finished_log_reads_nothing_the_second_time(folder: Path) -> None:
    """Also when the file has another name and is compressed by now."""
    truth = write(folder / "queue_log", 5, 300)
    imported(folder, folder / "queue_log")
    with gzip.open(folder / "queue_log.1.gz", "wb") as packed:
        packed.write((folder / "queue_log").read_bytes())
    again = imported(folder, folder / "queue_log.1.gz")
    assert (again["lines"], again["went_on"]) == (0, True)
    assert rows(folder) == truth.rows


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_was_ended_goes_on_where_it_was(folder: Path, how: signal.Signals) -> None:
    """Ended in the middle twice, by Ctrl-C or kill -9: in the end every row is there once."""
    truth = write(folder / "queue_log", 6, 16_000, per_second=0.5)  # saved five times
    environment = {key: value for key, value in os.environ.items() if key != "HOTLINE_DATA_DIR"}
    saved = 0
    for _ in range(2):
        process = subprocess.Popen(
            command(folder, "queue-log", "import", folder / "queue_log"),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip
        _wait_for_more_rows(folder, saved, process)
        process.send_signal(how)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == (130 if how is signal.SIGINT else -how), errors
        saved = rows(folder).total()
        assert 0 < saved < truth.rows.total(), "it was not ended in the middle"
    last = imported(folder, folder / "queue_log")
    assert last["went_on"] and 0 < last["calls"] < truth.calls
    assert rows(folder) == truth.rows


def _wait_for_more_rows(folder: Path, saved: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if rows(folder).total() > saved:
                return
        except sqlite3.OperationalError:
            pass  # the tables are not made yet
        time.sleep(0.005)  # a database tells nobody that it grew
    raise AssertionError("no row came")


AGENT_DAY = (
    (0, "SIP/1001", "ADDMEMBER|"),
    (0, "SIP/77", "ADDMEMBER|"),
    (103, "SIP/1001", "CONNECT|9|1.9|3"),
    (163, "SIP/1001", "COMPLETEAGENT|9|60|1"),
    (200, "SIP/1001", "PAUSE|午餐"),
    (260, "SIP/1001", "UNPAUSE|"),
    (300, "SIP/1001", "REMOVEMEMBER|"),
    (400, "SIP/77", "REMOVEMEMBER|"),
    (500, "SIP/1001", "ADDMEMBER|"),
)
AGENT_TIMES = [
    ("1001", "ready", "", 100), ("1001", "ringing", "", 3), ("1001", "talking", "", 60),
    ("1001", "ready", "", 37), ("1001", "paused", "午餐", 60), ("1001", "ready", "", 40),
    ("1001", "signed_out", "", 200), ("SIP/77", "ready", "", 400),
]  # fmt: skip


def test_agents_times_come_along(folder: Path) -> None:
    """Imported in two parts, then all anew: the same times once; who is nobody of the site is named."""
    lines = [
        f"{FIRST_EPOCH + second}|{'1.1' if '|9|' in event else 'NONE'}|12345|{who}|{event}\n"
        for second, who, event in AGENT_DAY
    ]
    lines.insert(2, f"{FIRST_EPOCH + 94}|1.1|12345|NONE|ENTERQUEUE||13800000000|1\n")
    file = folder / "queue_log"
    file.write_text("".join(lines[:5]), encoding="utf-8")
    first = imported(folder, file)
    assert (first["agent_intervals"], first["unknown_agents"]) == (3, ["SIP/77"])
    file.write_text("".join(lines), encoding="utf-8")
    second = imported(folder, file)
    assert second["agent_intervals"] == 5, "those before are known"
    imported(folder, file, "--anew")
    with sqlite3.connect(folder / "hotline.db") as database:
        found = database.execute(
            "SELECT agent, state, reason, round((julianday(until) - julianday(since)) * 86400) "
            "FROM agent_intervals WHERE source = 'import' ORDER BY agent, since"
        ).fetchall()
    database.close()
    assert found == AGENT_TIMES


def test_two_systems_with_the_same_numbers_do_not_meet(folder: Path) -> None:
    """The same log under two names is two histories; a live row of the site's node is never touched."""
    truth = write(folder / "queue_log", 7, 50)
    imported(folder, folder / "queue_log", "--node", "west")
    imported(folder, folder / "queue_log", "--node", "east")
    assert rows(folder) == Counter({key: 2 * count for key, count in truth.rows.items()})
    done = run(folder, "queue-log", "import", folder / "queue_log", "--node", "no name")
    assert done.returncode == 2 and "no name for an exchange" in done.stderr


def test_our_own_log_fills_gaps_and_replaces_no_live_row(folder: Path) -> None:
    """A row that is there with its milliseconds stays; the one that was lost comes back."""
    site = yaml.safe_load((folder / "site.yaml").read_text(encoding="utf-8"))
    node = site["site"].get("node", "node1")
    lines = [
        f"{FIRST_EPOCH}|{node}-1.{number}|12345|{who}|{event}\n"
        for number in (1, 2)
        for who, event in (
            ("NONE", "HOTLINE|12345|12345||"),
            ("NONE", "ENTERQUEUE||1|1"),
            ("1001", f"CONNECT|9|{node}-7.{number}|3"),
            ("1001", "COMPLETEAGENT|9|60|1"),
        )
    ]
    (folder / "queue_log").write_text("".join(lines), encoding="utf-8")
    imported(folder, folder / "queue_log")
    with sqlite3.connect(folder / "hotline.db") as database:
        live = (f"{node}-1.1",)
        database.execute("UPDATE queue_entries SET source='live', wait_ms=8765 WHERE uniqueid=?", live)
        database.execute("UPDATE talks SET source='live' WHERE call_id=?", live)
        database.execute("DELETE FROM queue_entries WHERE uniqueid<>?", live)
        database.execute("DELETE FROM talks WHERE call_id<>?", live)
        database.commit()
    imported(folder, folder / "queue_log", "--anew")
    found = database.execute("SELECT source, wait_ms FROM queue_entries ORDER BY uniqueid").fetchall()
    talks = database.execute("SELECT talk_id, source FROM talks ORDER BY talk_id").fetchall()
    database.close()
    assert found == [("live", 8765), ("import", 9000)]
    assert talks == [(f"{node}-7.1:1", "live"), (f"{node}-7.2:1", "import")]


def test_a_server_on_the_same_database_gets_its_turn(folder: Path) -> None:
    """While the import runs, another program's saves wait for moments, not for seconds; and it for them."""
    truth = write(folder / "queue_log", 8, 6000)
    imported(folder, folder / "queue_log", "--node", "first")  # the tables are there now
    waits: list[float] = []
    over = threading.Event()

    def save() -> None:
        database = sqlite3.connect(folder / "hotline.db", timeout=30, isolation_level=None)
        while not over.is_set():
            began = time.monotonic()
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO audit (at, user, action, subject, detail) VALUES ('','','','','')")
            waits.append(time.monotonic() - began)
            time.sleep(0.02)
            database.execute("COMMIT")
            time.sleep(0.05)
        database.close()

    saver = threading.Thread(target=save)
    saver.start()
    try:
        imported(folder, folder / "queue_log", "--node", "second")
    finally:
        over.set()
        saver.join()
    assert rows(folder).total() == 2 * truth.rows.total()
    assert len(waits) > 5 and max(waits) < 2


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 2, "cannot be read"),
        (b"no log\nat all\n", 1, ":1: skipped: not a queue_log line"),
        (b"", 0, ""),
    ],
)
def test_what_is_no_log_is_said(folder: Path, content: bytes | None, code: int, words: str) -> None:
    """No file: wrong usage. A file without one right line: a problem. An empty file: nothing to do."""
    if content is not None:
        (folder / "queue_log").write_bytes(content)
    done = run(folder, "queue-log", "import", folder / "queue_log")
    assert done.returncode == code and words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_compressed_file_is_said_and_what_came_before_is_kept(folder: Path) -> None:
    """Cut off in the middle: one line on stderr, and the rows up to there."""
    write(folder / "queue_log", 9, 9000)
    packed = gzip.compress((folder / "queue_log").read_bytes())
    (folder / "queue_log.gz").write_bytes(packed[: len(packed) * 3 // 4])
    done = run(folder, "queue-log", "import", folder / "queue_log.gz")
    assert done.returncode == 1 and "broken or cut off" in done.stderr.splitlines()[-1]
    assert rows(folder).total() > 1000
