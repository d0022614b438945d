"""Chinese fonts of this machine, found through fontconfig. Pictures and PDF need one; none ships with us."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hotline.core.errors import SetupError

PACKAGE: Final = "fonts-noto-cjk"
_HEI: Final = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei")
_SONG: Final = ("Noto Serif CJK SC", "Source Han Serif SC", "AR PL UMing CN", "SimSun")
_LOOK_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Fonts:
    """Families: ``hei`` for headings and pictures, ``song`` for text; ``hei_file`` is where it lies."""

    hei: str
    song: str
    hei_file: str


@lru_cache(maxsize=1)
def chinese_fonts() -> Fonts:
    """The machine's.

    Raises:
        SetupError: there is none, or no fontconfig to ask.
    """
    listed = _asked("fc-list", ":lang=zh-cn", "-f", "%{family[0]}\t%{file}\n").splitlines()
    files = {family: file for family, _, file in (line.partition("\t") for line in listed)}
    if not files:
        raise SetupError("there is no Chinese font for pictures and PDF", hint=f"apt-get install {PACKAGE}")
    hei = next((family for family in _HEI if family in files), min(files))
    song = next((family for family in _SONG if family in files), hei)
    return Fonts(hei, song, files[hei])


def _asked(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_LOOK_SECONDS)
    except FileNotFoundError:
        hint = f"apt-get install fontconfig {PACKAGE}"
        raise SetupError("fontconfig is missing, so no Chinese font can be found", hint=hint) from None
    except subprocess.SubprocessError as error:
        raise SetupError(
            f"fontconfig does not answer: {type(error).__name__}", hint="try: fc-list :lang=zh-cn"
        ) from error
    return done.stdout.decode(errors="replace")
