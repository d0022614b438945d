"""Pulling models from a real HTTP server that resumes, ignores ranges, cuts, lies, and dies in the middle."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hotline.asr.pulling.catalogue import KnownModel, catalogue
from hotline.asr.pulling.cli import wanted_model
from hotline.asr.pulling.pull import NOTHING_COMPARED, WORK_FOLDER, Pull, Pulled
from hotline.asr.trial import Trial, try_model
from hotline.core.errors import SetupError, UsageError
from tests.fixtures.archives import NAME, sha256, small_model_zip, zip_with
from tests.fixtures.mirror import Mirror, mirroring
from tests.fixtures.ports import free_port

MODEL = small_model_zip()
GOOD = Trial(NAME, "zh", 8000, 3, 10, 0.1, 50.0, 0.01)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own proxies are not these tests'."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Said:
    """Who is told how far a pull is."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.done: list[int] = []

    def step(self, words: str) -> None:
        self.steps.append(words)

    def bytes_here(self, done: int, total: int | None) -> None:
        self.done.append(done)


def pull_from(
    mirror: Mirror, into: Path, *, try_it: bool = False, said: Said | None = None, **facts: Any
) -> Pulled:
    """Pull the file ``model.zip`` of a mirror; not really tried unless told."""
    given = {"name": NAME, "url": f"{mirror.url}/model.zip", "archive_bytes": len(MODEL), **facts}
    attempt = try_model if try_it else lambda _path: GOOD
    return Pull(KnownModel(**given), into, attempt, said or Said(), lambda _seconds: None).run()


def left_in(folder: Path) -> set[str]:
    """What a server that looks for models would find there."""
    return {path.name for path in folder.iterdir() if path.name != WORK_FOLDER}


def test_a_model_is_pulled_compared_tried_and_there(tmp_path: Path) -> None:
    """The whole way; a second pull finds it and asks nobody."""
    with mirroring(model_zip=MODEL) as mirror:
        said = Said()
        pulled = pull_from(mirror, tmp_path, try_it=True, said=said, sha256=sha256(MODEL))
        assert pulled.path == tmp_path / NAME and pulled.compared == "the sha256 that the catalogue says"
        assert pulled.trial is not None and pulled.trial.sample_rate_hz == 8000
        assert [path.name for path in tmp_path.iterdir()] == [NAME]
        assert said.done[-1] == len(MODEL)
        asked = len(mirror.asked)
        again = pull_from(mirror, tmp_path, try_it=True, sha256=sha256(MODEL))
        assert not again.new and len(mirror.asked) == asked
    assert "signal" not in str(try_model(tmp_path / NAME))


def test_a_broken_model_that_is_there_is_replaced(tmp_path: Path) -> None:
    """A file was lost: the pull brings the model anew."""
    with mirroring(model_zip=MODEL) as mirror:
        pull_from(mirror, tmp_path, try_it=True)
        (tmp_path / NAME / "am/final.mdl").write_bytes(b"")
        assert pull_from(mirror, tmp_path, try_it=True).new
    assert (tmp_path / NAME / "am/final.mdl").stat().st_size > 1000


def test_cut_connections_are_resumed(tmp_path: Path) -> None:
    """Each time from where it broke off: hardly a byte is sent twice."""
    with mirroring(model_zip=MODEL) as mirror:
        mirror.cuts = [100_000, 200_000]
        assert pull_from(mirror, tmp_path, sha256=sha256(MODEL)).new
        first = mirror.first_bytes()
        assert len(first) == 3 and first[0] == 0 < first[1] < first[2]
        assert mirror.sent_bytes <= len(MODEL)


@pytest.mark.parametrize("etag", ['"1"', ""])
def test_a_server_without_ranges_starts_again(tmp_path: Path, etag: str) -> None:
    """It, and one that tells no version, sends the whole file; the model is right all the same."""
    with mirroring(model_zip=MODEL) as mirror:
        mirror.ranges, mirror.etag, mirror.cuts = False, etag, [100_000]
        assert pull_from(mirror, tmp_path, sha256=sha256(MODEL)).new
        assert mirror.sent_bytes >= len(MODEL) + 90_000


def test_halves_of_two_versions_never_meet(tmp_path: Path) -> None:
    """The file was replaced on the server between two pulls: the old half is thrown away."""
    with mirroring(model_zip=bytes(len(MODEL))) as mirror:
        mirror.cuts = [100_000] + [0] * 10
        with pytest.raises(SetupError, match="cannot be reached"):
            pull_from(mirror, tmp_path)
        mirror.cuts, mirror.etag, mirror.files = [], '"2"', {"model.zip": MODEL}
        assert pull_from(mirror, tmp_path, sha256=sha256(MODEL)).new


def test_a_server_that_claims_too_much_is_given_up(tmp_path: Path) -> None:
    """A length that never comes: some tries, then one message; no model is there."""
    with mirroring(model_zip=MODEL) as mirror:
        mirror.ranges, mirror.told_length = False, len(MODEL) + 1000
        with pytest.raises(SetupError, match="cannot be reached"):
            pull_from(mirror, tmp_path, sha256=sha256(MODEL))
    assert left_in(tmp_path) == set()


def test_a_server_that_claims_too_little_is_found_out(tmp_path: Path) -> None:
    """What came is not the whole archive; the next pull starts from nothing."""
    with mirroring(model_zip=MODEL) as mirror:
        mirror.told_length = len(MODEL) - 1000
        with pytest.raises(SetupError, match="sha256 is"):
            pull_from(mirror, tmp_path, sha256=sha256(MODEL))
        mirror.told_length = None
        assert pull_from(mirror, tmp_path, sha256=sha256(MODEL)).new


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    """The line tells both sums and whose; nothing is installed and the download is thrown away."""
    with mirroring(model_zip=MODEL) as mirror, pytest.raises(SetupError) as refusal:
        pull_from(mirror, tmp_path, sha256=sha256(b"another"))
    assert sha256(MODEL) in str(refusal.value) and sha256(b"another") in str(refusal.value)
    assert left_in(tmp_path) == set() and not list((tmp_path / WORK_FOLDER).glob("*.part"))


def publisher_list(body: bytes, name: str = NAME) -> bytes:
    import hashlib

    digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return json.dumps([{"name": name, "md5": digest, "size": len(body), "lang": "cn"}]).encode()


def test_the_publishers_list_is_compared_with_where_there_is_no_better(tmp_path: Path) -> None:
    """MD5 and size from the list beside the archive; a list that says otherwise refuses the archive."""
    with mirroring(model_zip=MODEL) as mirror:
        mirror.files["model-list.json"] = publisher_list(MODEL)
        assert pull_from(mirror, tmp_path / "a").compared == "the md5 that the publisher's list says"
        mirror.files["model-list.json"] = publisher_list(b"another")
        with pytest.raises(SetupError, match="the publisher's list says 7"):
            pull_from(mirror, tmp_path / "b")


@pytest.mark.parametrize(
    "listed",
    [None, b"<html>", b"[1, {}]", b'{"name": 1}', publisher_list(MODEL, "other")],
    ids=["no list", "a page", "no models", "no name", "another model"],  # an archive bears its time
)
def test_it_is_said_when_nothing_was_compared(tmp_path: Path, listed: bytes | None) -> None:
    """No list, or none of use: the model is installed, and the output is honest."""
    with mirroring(model_zip=MODEL) as mirror:
        if listed is not None:
            mirror.files["model-list.json"] = listed
        assert pull_from(mirror, tmp_path).compared == NOTHING_COMPARED


def test_a_broken_model_is_not_installed(tmp_path: Path) -> None:
    """Whole as an archive, but its network is cut short: the trial refuses it in one line."""
    body = small_model_zip(acoustic_bytes=1000)
    with mirroring(model_zip=body) as mirror, pytest.raises(SetupError, match="cannot be used") as refusal:
        pull_from(mirror, tmp_path, try_it=True, archive_bytes=len(body))
    assert "\n" not in str(refusal.value) and WORK_FOLDER not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_means_harm_is_not_installed(tmp_path: Path) -> None:
    """Nothing is written outside, nothing is left."""
    body = zip_with("../../evil", bytes(1000))
    with mirroring(model_zip=body) as mirror, pytest.raises(SetupError, match="outside its folder"):
        pull_from(mirror, tmp_path / "into", archive_bytes=len(body))
    assert [path.name for path in tmp_path.iterdir()] == ["into"] and left_in(tmp_path / "into") == set()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"headers": {"Content-Type": "text/html; charset=utf-8"}}, "a web page"),
        ({"files": {"model.zip": b"x" * 300}}, "offers 300 bytes"),
        ({"files": {}}, "status 404"),
        ({"status": 403}, "status 403"),
        ({"told_length": 10**15}, "offers 1000000000000000 bytes"),
    ],
)
def test_what_is_not_the_model_is_refused_before_it_is_downloaded(
    tmp_path: Path, wrong: dict[str, Any], told: str
) -> None:
    """A sign-in page, another file, none, none for us: each its own line, which asks for another address."""
    with mirroring(model_zip=MODEL) as mirror:
        for name, value in wrong.items():
            setattr(mirror, name, value)
        with pytest.raises(SetupError, match=told) as refusal:
            pull_from(mirror, tmp_path)
        assert "--url" in str(refusal.value) and len(mirror.asked) == 1


def test_a_disk_that_is_too_small_is_told_before(tmp_path: Path) -> None:
    """Free and needed, and what to do; hardly a byte was taken."""
    with mirroring(model_zip=MODEL) as mirror:
        mirror.told_length = 10**15
        with pytest.raises(SetupError, match=r"MB free; 3000000000 MB are needed.*--into"):
            pull_from(mirror, tmp_path, archive_bytes=0)
    assert left_in(tmp_path) == set()


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "taken").write_text("")
    with mirroring(model_zip=MODEL) as mirror, pytest.raises(SetupError, match=r"taken.*--into"):
        pull_from(mirror, tmp_path / "taken")


def test_two_pulls_of_one_model_do_not_meet(tmp_path: Path) -> None:
    """The second one is told to wait."""
    (tmp_path / WORK_FOLDER).mkdir()
    with (tmp_path / WORK_FOLDER / f"{NAME}.lock").open("w") as held, mirroring(model_zip=MODEL) as mirror:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(SetupError, match="being pulled already"):
            pull_from(mirror, tmp_path)
        assert mirror.asked == []


def test_without_a_network_the_message_says_what_to_do_by_hand(tmp_path: Path) -> None:
    """Address, size, checksum, the folder to copy here, the proxy and the mirror: in one message."""
    mirror = Mirror(url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SetupError) as refusal:
        pull_from(mirror, tmp_path, sha256=sha256(MODEL))
    said = str(refusal.value)
    for part in (f"{mirror.url}/model.zip", sha256(MODEL), f"copy this folder here: {tmp_path / NAME}"):
        assert part in said
    assert "--archive model.zip" in said and "HTTPS_PROXY" in said and "--url" in said


def test_an_archive_brought_by_hand_is_compared_and_installed(tmp_path: Path) -> None:
    """No network is asked; the archive stays where it was."""
    archive = tmp_path / "stick.zip"
    archive.write_bytes(MODEL)
    model = KnownModel(name=NAME, url="http://127.0.0.1:1/m.zip", sha256=sha256(MODEL))
    pulled = Pull(model, tmp_path / "in", lambda _path: GOOD, Said(), time.sleep, archive).run()
    assert pulled.new and archive.is_file()
    archive.write_bytes(MODEL[:-1])
    with pytest.raises(SetupError, match="sha256"):
        Pull(model, tmp_path / "other", lambda _path: GOOD, Said(), time.sleep, archive).run()
    assert archive.is_file()


def test_the_environments_proxy_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request for another host arrives at the proxy; a proxy of an unknown kind is told."""
    with mirroring(model_zip=MODEL) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        elsewhere = Mirror(url="http://models.example.invalid")
        assert pull_from(elsewhere, tmp_path, sha256=sha256(MODEL)).new
        assert proxy.asked[0][0] == "http://models.example.invalid/model.zip"
        monkeypatch.setenv("HTTP_PROXY", "gopher://proxy")
        with pytest.raises(SetupError, match=r"proxy cannot be used.*HTTPS_PROXY"):
            pull_from(elsewhere, tmp_path / "b")


def command(into: Path, mirror: Mirror, *more: str) -> list[str]:
    place = ("--url", f"{mirror.url}/model.zip", "--into", str(into), "--sha256", sha256(MODEL))
    return [sys.executable, "-m", "hotline.asr.cli", "pull", NAME, *place, *more]


def test_a_killed_pull_leaves_no_model_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """``kill -9`` in the middle: nothing that looks like a model; then only the rest is downloaded."""
    with mirroring(model_zip=MODEL) as mirror:
        mirror.stall_at = 200_000
        process = subprocess.Popen(command(tmp_path, mirror), stderr=subprocess.DEVNULL)
        try:
            assert mirror.stalled.wait(30)
            part = tmp_path / WORK_FOLDER / f"{NAME}.part"
            deadline = time.monotonic() + 30
            while not (part.exists() and part.stat().st_size > 100_000):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert left_in(tmp_path) == set()
        mirror.resumed.set()
        mirror.stall_at = None
        done = subprocess.run(
            command(tmp_path, mirror, "--format", "json"), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["compared"] == "the sha256 that --sha256 says"
        assert told["path"] == str(tmp_path / NAME) and told["trial"]["sample_rate_hz"] == 8000
        assert mirror.first_bytes()[-1] > 100_000
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_kill_while_it_unpacks_leaves_no_model(tmp_path: Path) -> None:
    """A half unpacked folder of an earlier pull is thrown away by the next one."""
    half = tmp_path / WORK_FOLDER / f"{NAME}.unpacked"
    (half / NAME).mkdir(parents=True)
    (half / "archive").mkdir()
    with mirroring(model_zip=MODEL) as mirror:
        assert pull_from(mirror, tmp_path).new
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_the_command_says_what_to_do_without_a_network(tmp_path: Path) -> None:
    """Exit code 1, the steps on stderr, nothing on stdout."""
    nobody = Mirror(url=f"http://127.0.0.1:{free_port()}")
    done = subprocess.run(command(tmp_path, nobody), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "bring it by hand" in done.stderr and str(tmp_path / NAME) in done.stderr


def test_the_catalogue_is_whole() -> None:
    """Each model has what the list shows; those that are pulled have an address of an archive."""
    names = [model.name for model in catalogue()]
    assert len(names) == len(set(names)) and "vosk-model-cn-0.22" in names
    for model in catalogue():
        assert model.language and model.sample_rate_hz and model.licence and model.about and model.url
        if model.engine != "funasr":
            assert model.archive_bytes and model.archive_name.endswith((".zip", ".tar.bz2"))


def test_names_and_addresses_of_the_operators_own() -> None:
    """A mirror's folder, a model of one's own, a checksum; and what cannot be meant."""
    known = "vosk-model-small-cn-0.22"
    assert wanted_model(known, "https://mirror/vosk/", None, None).url == f"https://mirror/vosk/{known}.zip"
    own = wanted_model("city-model", "https://mirror/m.zip", "AB" * 32, None)
    assert (own.engine, own.sha256) == ("vosk", "ab" * 32)
    for wrong in [
        ("nobody", None, None),
        ("../x", "https://m/x.zip", None),
        (known, "ftp://m/x", None),
        (known, None, "12"),
    ]:
        with pytest.raises(UsageError):
            wanted_model(*wrong, None)
    with pytest.raises(UsageError, match="FunASR's own server"):
        wanted_model(next(one.name for one in catalogue() if one.engine == "funasr"), None, None, None)
