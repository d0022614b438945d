"""What is dialled to call somebody back, for numbers as trunks show them."""

from __future__ import annotations

import pytest

from hotline.core.errors import IllegalState
from hotline.queue.control.numbers import dialled


@pytest.mark.parametrize(
    ("shown", "digits"),
    [
        ("13812341234", "13812341234"),
        ("+8613812341234", "13812341234"),
        ("008613812341234", "13812341234"),
        ("+86 138-1234-1234", "13812341234"),
        ("+8675512345678", "075512345678"),
        ("+861012345678", "01012345678"),
        ("+862012345678", "02012345678"),
        ("+864001234567", "4001234567"),
        ("+8612345", "12345"),
        ("+85212345678", "0085212345678"),
        ("(0755) 1234 5678", "075512345678"),
        ("8613812341234", "13812341234"),
        ("86123456", "86123456"),
    ],
)
def test_a_number_is_dialled_as_within_the_country(shown: str, digits: str) -> None:
    """Mobiles bare, fixed lines with their area's 0, abroad with 00; what has no code as it came."""
    assert dialled(shown) == digits


@pytest.mark.parametrize("shown", ["", "anonymous", "zhang", "+", "12", "138１２３４1234", "1381234;ext=5"])
def test_what_is_no_number_is_refused(shown: str) -> None:
    """Nothing but digits ever reaches the dialplan."""
    with pytest.raises(IllegalState) as told:
        dialled(shown)
    assert told.value.code == "no_number"
