"""OpenFst's vector transducer with tropical weights, written and read back.

Source: openfst ``fst/fst.cc`` (FstHeader::Write) and ``fst/vector-fst.h`` (VectorFst::WriteFst). All is
little-endian.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

__all__ = ["EPSILON", "Arc", "Fst", "FstFormatError", "pack_fst", "unpack_fst"]

EPSILON = 0

_MAGIC = 2125659606
_VERSION = 2
_FLAGS = 0  # no symbol tables, not aligned
_EXPANDED_MUTABLE = 3  # the two properties every vector transducer has
_HEADER = struct.Struct("<iiQqqq")
_STATE = struct.Struct("<fq")
_ARC = struct.Struct("<iifi")


class FstFormatError(ValueError):
    """The bytes are not a vector transducer with standard arcs."""


@dataclass(frozen=True, slots=True)
class Arc:
    """A way from one state to another; labels count from 1, `EPSILON` is none."""

    input_label: int
    output_label: int
    cost: float
    target: int


@dataclass(slots=True)
class Fst:
    """States numbered from 0, the start among them.

    Attributes:
        arcs: the arcs that leave each state.
        final_costs: the cost of ending in each state; infinity where it is not allowed.
    """

    start: int = 0
    arcs: list[list[Arc]] = field(default_factory=list)
    final_costs: list[float] = field(default_factory=list)

    def add_state(self, final_cost: float = math.inf) -> int:
        """Add a state and return its number."""
        self.arcs.append([])
        self.final_costs.append(final_cost)
        return len(self.arcs) - 1

    def add_arc(
        self, state: int, target: int, *, inp: int = EPSILON, out: int = EPSILON, cost: float = 0.0
    ) -> None:
        """Add an arc from ``state`` to ``target``."""
        self.arcs[state].append(Arc(inp, out, cost, target))


def pack_fst(fst: Fst) -> bytes:
    """Return the bytes of an ``.fst`` file."""
    data = bytearray(struct.pack("<i", _MAGIC))
    for name in (b"vector", b"standard"):
        data += struct.pack("<i", len(name)) + name
    arc_count = sum(map(len, fst.arcs))
    data += _HEADER.pack(_VERSION, _FLAGS, _EXPANDED_MUTABLE, fst.start, len(fst.arcs), arc_count)
    for final_cost, arcs in zip(fst.final_costs, fst.arcs, strict=True):
        data += _STATE.pack(final_cost, len(arcs))
        for arc in arcs:
            data += _ARC.pack(arc.input_label, arc.output_label, arc.cost, arc.target)
    return bytes(data)


def unpack_fst(data: bytes) -> Fst:
    """Return the transducer in the bytes of an ``.fst`` file.

    Raises:
        FstFormatError: if they are truncated or of another kind.
    """
    try:
        (magic,) = struct.unpack_from("<i", data)
        if magic != _MAGIC:
            raise FstFormatError("the file does not begin with OpenFst's mark")
        position = 4
        for name in (b"vector", b"standard"):
            (length,) = struct.unpack_from("<i", data, position)
            if data[position + 4 : position + 4 + length] != name:
                raise FstFormatError(f"the transducer is not of kind {name.decode()}")
            position += 4 + length
        _, _, _, start, states, _ = _HEADER.unpack_from(data, position)
        position += _HEADER.size
        fst = Fst(start)
        for _ in range(states):
            final_cost, count = _STATE.unpack_from(data, position)
            position += _STATE.size
            state = fst.add_state(final_cost)
            for _ in range(count):
                fst.arcs[state].append(Arc(*_ARC.unpack_from(data, position)))
                position += _ARC.size
    except struct.error as error:
        raise FstFormatError("the transducer is truncated") from error
    if position != len(data):
        raise FstFormatError("bytes follow the transducer")
    return fst
