"""A caller's number as trunks show it, turned into what is dialled within the country."""

from __future__ import annotations

import re
from typing import Final

from hotline.core.errors import IllegalState

_SEPARATORS: Final = str.maketrans("", "", " -().")
_CHINA: Final = re.compile(r"(?:\+86|0086|86(?=1[3-9][0-9]{9}$))(?P<national>[0-9]{5,})")
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_AREA: Final = re.compile(r"(?:10|2[0-9]|(?!400|800)[3-9][0-9]{2})[0-9]{7,8}")
"""An area's code without its 0 and a number there; 400 and 800 are no areas."""


def dialled(number: str) -> str:
    """What to dial for a caller's number.

    ``+86 138 1234 5678`` is the mobile 13812345678, ``+8675512345678`` the fixed line 075512345678, and
    ``+85212345678`` is abroad: 0085212345678. Without a country code a number is dialled as it came.

    Raises:
        IllegalState: it is no number (``no_number``): withheld, a name, a SIP address.
    """
    bare = number.translate(_SEPARATORS)
    if found := _CHINA.fullmatch(bare):
        national = found["national"]
        fixed = _AREA.fullmatch(national) and not _MOBILE.fullmatch(national)
        bare = f"0{national}" if fixed else national
    elif bare.startswith("+"):
        bare = f"00{bare[1:]}"
    if not (bare.isascii() and bare.isdigit() and len(bare) > 2):
        raise IllegalState(
            "this caller's number cannot be dialled", hint="ask for one to call back", code="no_number"
        )
    return bare
