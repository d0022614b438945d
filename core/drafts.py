"""The draft of a work order (工单草稿): written while the caller speaks, it goes along with the call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from hotline.core.errors import HotlineError


class RequestType(StrEnum):
    """What a caller wants, as monthly reports count it."""

    ENQUIRY = "enquiry"  # 咨询
    HELP = "help"  # 求助
    COMPLAINT = "complaint"  # 投诉
    SUGGESTION = "suggestion"  # 建议
    OTHER = "other"  # 其他
    INVALID = "invalid"  # 无效


class Sex(StrEnum):
    """Of the caller: it decides the form of address (先生, 女士)."""

    MALE = "male"
    FEMALE = "female"


class OrderField(StrEnum):
    """A field that only some lines ask for; a field of `DraftFields`."""

    PLATFORM = "platform"
    GOODS = "goods"
    PRICE = "price"
    BOUGHT_ON = "bought_on"
    ORDER_NUMBER = "order_number"


Short = Annotated[str, Field(max_length=120)]
Long = Annotated[str, Field(max_length=300)]
Flag = Annotated[bool, Field(strict=True)]


@dataclass(frozen=True, slots=True)
class DraftFields:
    """What the draft says. Everything may be empty: a draft is kept while it is typed.

    Attributes:
        phone: to be reached at; empty: the caller's own number.
        unit: the one that is to handle it.
        answered: closed on the phone (当场答复).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Short = ""
    sex: Sex | None = None
    phone: Short = ""
    address: Long = ""
    request_type: RequestType | None = None
    title: Short = ""
    content: Annotated[str, Field(max_length=8000)] = ""
    unit: Short = ""
    urgent: Flag = False
    answered: Flag = False
    platform: Short = ""
    goods: Long = ""
    price: Short = ""
    bought_on: Short = ""
    order_number: Short = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A call's draft. ``revision`` counts its savings; 0: nobody has written anything yet."""

    call_id: str
    revision: int
    fields: DraftFields
    updated_by: str | None = None
    updated_at: datetime | None = None


class StaleDraft(HotlineError):
    """Somebody else has saved meanwhile; ``current`` is what they saved. Nothing was changed."""

    def __init__(self, current: Draft) -> None:
        super().__init__(
            "somebody else has saved this draft meanwhile", hint="take in what they wrote and save again"
        )
        self.current = current
