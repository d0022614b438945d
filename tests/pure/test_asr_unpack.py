"""Archives from elsewhere: unpacked within their folder and within bounds, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hotline.asr.pulling.unpack import unpack
from hotline.core.errors import SetupError
from tests.fixtures.archives import tar_with, zip_bomb, zip_of, zip_with, zip_with_link


def unpacked(tmp_path: Path, body: bytes) -> Path:
    (tmp_path / "packed").write_bytes(body)
    return unpack(tmp_path / "packed", tmp_path / "in" / "there")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()


def test_the_folder_of_an_archive_is_found(tmp_path: Path) -> None:
    """Archives hold one folder with the model in it, or the model itself; a Mac leaves one more."""
    model = unpacked(tmp_path, zip_of({"model/am/final": b"network", "__MACOSX/am": b"x"}))
    assert model == tmp_path / "in/there/model"
    assert (model / "am/final").read_bytes() == b"network"
    (tmp_path / "flat").mkdir()
    (tmp_path / "packed").write_bytes(zip_of({"am/final": b"network", "conf": b"y"}))
    assert unpack(tmp_path / "packed", tmp_path / "flat/there") == tmp_path / "flat/there"


def test_permissions_are_not_taken_from_an_archive(tmp_path: Path) -> None:
    """No file of a model is executable or set-uid, whatever the archive says."""
    (tmp_path / "packed").write_bytes(tar_with("model/file"))
    file = unpack(tmp_path / "packed", tmp_path / "in/there") / "file"
    assert file.stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: zip_with("../evil"), "outside"),
        (lambda: zip_with("model/../../evil"), "outside"),
        (lambda: zip_with("/evil"), "outside"),
        (lambda: zip_with("..\\evil"), "outside"),
        (lambda: zip_with("C:\\evil"), "outside"),
        (lambda: tar_with("../evil"), "outside"),
        (lambda: tar_with("/evil"), "outside"),
        (lambda: zip_with_link("model/evil", "/etc"), "link"),
        (lambda: tar_with("model/evil", link_to="/etc"), "link"),
        (lambda: tar_with("model/evil", link_to="../../packed", hard=True), "link"),
        (lambda: zip_bomb(80_000_000), "far more than a model"),
        (lambda: zip_of({f"f{number}": b"" for number in range(1001)}), "more than 1000 files"),
        (lambda: b"no archive at all", "no ZIP and no TAR"),
        (lambda: zip_of({"model/file": bytes(range(256)) * 9})[:-30], "no ZIP and no TAR"),
        (lambda: tar_with("model/file")[:-20], "damaged|no TAR"),
    ],
)
def test_what_means_harm_or_is_damaged_is_refused(
    tmp_path: Path, make: Callable[[], bytes], told: str
) -> None:
    """In one line, with nothing written outside the folder."""
    with pytest.raises(SetupError, match=told) as refusal:
        unpacked(tmp_path, make())
    assert "\n" not in str(refusal.value) and refusal.value.hint
    assert {path.name for path in tmp_path.iterdir()} == {"packed", "in"}
    assert {path.name for path in (tmp_path / "in").iterdir()} <= {"there"}
    assert not Path("/evil").exists()


def test_a_bomb_is_left_before_the_disk_is_full(tmp_path: Path) -> None:
    """What was written of it is bounded by what the archive weighs, not by what it claims."""
    with pytest.raises(SetupError):
        unpacked(tmp_path, zip_bomb(90_000_000))
    assert (tmp_path / "in/there/model/zeros").stat().st_size < 80_000_000


def test_a_file_whose_bytes_changed_is_noticed(tmp_path: Path) -> None:
    """A ZIP keeps a checksum of each file."""
    body = bytearray(zip_with("model/file", b"A" * 100))
    at = body.index(b"A" * 100)
    body[at] = 66
    with pytest.raises(SetupError, match="damaged"):
        unpacked(tmp_path, bytes(body))
