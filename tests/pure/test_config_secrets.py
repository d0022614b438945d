"""Secrets: where they come from, who may read them, and that they are made once."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hotline.config.secrets import SecretError, Secrets
from hotline.config.section import SecretRef


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_at_first_use_and_kept(tmp_path: Path) -> None:
    """The same name gives the same secret, another start too; names differ; nobody else can read it."""
    first = Secrets(tmp_path, {})
    secret = first.get("ami")
    assert len(secret) >= 40
    assert first.get("ami") == secret == Secrets(tmp_path, {}).get("ami")
    assert first.get("agent-1001") != secret
    assert mode(tmp_path / "secrets") == 0o700
    assert {mode(file) for file in (tmp_path / "secrets").iterdir()} == {0o600}
    assert sorted(file.name for file in (tmp_path / "secrets").iterdir()) == ["agent-1001", "ami"]


def test_the_umask_does_not_open_it(tmp_path: Path) -> None:
    """However lax the process's umask, the files are private."""
    before = os.umask(0)
    try:
        Secrets(tmp_path, {}).get("ami")
    finally:
        os.umask(before)
    assert mode(tmp_path / "secrets") == 0o700
    assert mode(tmp_path / "secrets" / "ami") == 0o600


def test_all_who_ask_first_at_once_agree(tmp_path: Path) -> None:
    """Eight threads asking for a new secret together get the same one."""
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: Secrets(tmp_path, {}).get("session-key"), range(64)))
    assert len(got) == 1


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o666])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, bits: int) -> None:
    """A file that lies open is not used, and the error says what to type."""
    secrets = Secrets(tmp_path, {})
    secrets.get("ami")
    file = tmp_path / "secrets" / "ami"
    file.chmod(bits)
    with pytest.raises(SecretError, match=f"chmod 600 {file}"):
        secrets.get("ami")


def test_an_open_folder_is_refused(tmp_path: Path) -> None:
    """A folder that others may enter is not used."""
    (tmp_path / "secrets").mkdir(mode=0o755)
    with pytest.raises(SecretError, match="chmod 700"):
        Secrets(tmp_path, {}).get("ami")


def test_the_site_file_may_say_where_a_secret_is(tmp_path: Path) -> None:
    """From the environment or a file; without either, the one kept under the name."""
    file = tmp_path / "given"
    file.write_text("from-a-file\n", encoding="utf-8")
    file.chmod(0o600)
    secrets = Secrets(tmp_path / "data", {"AMI": "from-the-environment"})
    assert secrets.resolve(SecretRef(env="AMI"), "ami") == "from-the-environment"
    assert secrets.resolve(SecretRef(file=file), "ami") == "from-a-file"
    assert not (tmp_path / "data").exists()
    assert secrets.resolve(SecretRef(), "ami") == secrets.get("ami")


def test_a_secret_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A variable that is not set, a file that is missing or empty: one line that says what to do."""
    secrets = Secrets(tmp_path, {})
    with pytest.raises(SecretError, match="export AMI="):
        secrets.resolve(SecretRef(env="AMI"), "ami")
    with pytest.raises(SecretError, match="cannot be read"):
        secrets.resolve(SecretRef(file=tmp_path / "none"), "ami")
    empty = tmp_path / "empty"
    empty.touch(mode=0o600)
    with pytest.raises(SecretError, match="is empty"):
        secrets.resolve(SecretRef(file=empty), "ami")


@pytest.mark.parametrize("value", ["two\nlines", " padded", "tab\tbed", "x" * 5000, "a\x00b"])
def test_a_secret_that_would_break_asterisks_files_is_refused(tmp_path: Path, value: str) -> None:
    """What could end a line in a configuration file is not taken, nor shown."""
    with pytest.raises(SecretError) as raised:
        Secrets(tmp_path, {"AMI": value}).resolve(SecretRef(env="AMI"), "ami")
    assert value not in str(raised.value)


@pytest.mark.parametrize("name", ["", "../ami", "a/b", ".hidden", "a b", "x" * 65])
def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Only plain names are names of secrets."""
    with pytest.raises(ValueError, match="not a name"):
        Secrets(tmp_path, {}).get(name)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A data_dir that is a file ends in one line."""
    (tmp_path / "data").touch()
    with pytest.raises(SecretError, match="cannot be kept"):
        Secrets(tmp_path / "data", {}).get("ami")
