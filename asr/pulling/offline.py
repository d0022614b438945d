"""What to do where a model cannot be downloaded, in one message."""

from __future__ import annotations

from pathlib import Path

from hotline.asr.pulling.catalogue import KnownModel

_VOSK_FILES = "am/final.mdl, conf/mfcc.conf and graph/ lie in it"
_SHERPA_FILES = "tokens.txt and the .onnx files lie in it"


def offline_steps(model: KnownModel, into: Path) -> str:
    """How to bring a model here by hand."""
    size = f", {model.archive_bytes / 1e6:.0f} MB" if model.archive_bytes else ""
    check = f"\n     its sha256 is {model.sha256}" if model.sha256 else ""
    files = _VOSK_FILES if model.engine == "vosk" else _SHERPA_FILES
    folder = into / model.name
    return (
        "Without a network, bring it by hand:\n"
        f"  1. on another machine download {model.url}{size}{check}\n"
        f"  2. bring {model.archive_name} here, then:\n"
        f"     hotline asr pull {model.name} --archive {model.archive_name} --into {into}\n"
        f"  or unpack it there and copy this folder here: {folder}\n"
        f"     ({files}), then: hotline asr models --try {folder}\n"
        "With a network behind a proxy: HTTPS_PROXY=http://proxy:port; a mirror of your own: --url ADDRESS"
    )
