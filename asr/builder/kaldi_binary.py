"""Kaldi's binary file format, written and read back.

Source: kaldi ``base/io-funcs-inl.h`` (tokens, basic types, integer vectors), ``matrix/kaldi-vector.cc`` and
``matrix/kaldi-matrix.cc``. A file begins with NUL and ``B``. A token ends in a space. A number is preceded by
a byte telling its size. All is little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["KaldiFormatError", "KaldiReader", "KaldiWriter"]

_HEADER = b"\0B"
_INT32 = struct.Struct("<bi")
_FLOAT = struct.Struct("<bf")
_DOUBLE = struct.Struct("<bd")


class KaldiFormatError(ValueError):
    """The bytes are not what was expected in a Kaldi binary file."""


class KaldiWriter:
    """Collects the bytes of a Kaldi binary file; `KaldiReader` has a twin of each method."""

    def __init__(self) -> None:
        self._data = bytearray(_HEADER)

    def getvalue(self) -> bytes:
        """Return everything written."""
        return bytes(self._data)

    def token(self, token: str) -> None:
        """Write a word such as ``<Nnet3>``."""
        self._data += token.encode("ascii") + b" "

    def text(self, text: str) -> None:
        """Write text as it is: the config lines inside an nnet3 model."""
        self._data += text.encode("ascii")

    def int32(self, value: int) -> None:
        """Write an integer."""
        self._data += _INT32.pack(4, value)

    def float32(self, value: float) -> None:
        """Write a single-precision number."""
        self._data += _FLOAT.pack(4, value)

    def float64(self, value: float) -> None:
        """Write a double-precision number."""
        self._data += _DOUBLE.pack(8, value)

    def int32_vector(self, values: Sequence[int]) -> None:
        """Write a vector of integers: element size, raw count, raw elements."""
        self._data += struct.pack("<bi", 4, len(values)) + np.asarray(values, "<i4").tobytes()

    def vector(self, values: npt.NDArray[np.float32]) -> None:
        """Write a vector of single-precision numbers."""
        self.token("FV")
        self.int32(len(values))
        self._data += values.astype("<f4").tobytes()

    def matrix(self, values: npt.NDArray[np.float32]) -> None:
        """Write a matrix of single-precision numbers, row by row."""
        rows, columns = values.shape
        self.token("FM")
        self.int32(rows)
        self.int32(columns)
        self._data += values.astype("<f4").tobytes()


class KaldiReader:
    """Reads what `KaldiWriter` wrote, or Kaldi."""

    def __init__(self, data: bytes) -> None:
        if data[:2] != _HEADER:
            raise KaldiFormatError("the file does not begin with Kaldi's binary mark")
        self._data = data
        self._position = 2

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._position == len(self._data)

    def token(self) -> str:
        """Read a word."""
        return self.text_until(b" ")

    def expect(self, token: str) -> None:
        """Read a word that must be ``token``."""
        found = self.token()
        if found != token:
            raise KaldiFormatError(f"expected {token}, found {found}")

    def text_until(self, mark: bytes) -> str:
        """Read text up to ``mark``, which is skipped."""
        end = self._data.find(mark, self._position)
        if end < 0:
            raise KaldiFormatError("a token is truncated")
        text = self._data[self._position : end].decode("ascii")
        self._position = end + len(mark)
        return text

    def skip_past(self, token: str) -> None:
        """Skip everything up to and including ``token``."""
        end = self._data.find(token.encode("ascii") + b" ", self._position)
        if end < 0:
            raise KaldiFormatError(f"{token} is missing")
        self._position = end + len(token) + 1

    def int32(self) -> int:
        """Read an integer."""
        return int(self._basic(_INT32, 4))

    def float32(self) -> float:
        """Read a single-precision number."""
        return float(self._basic(_FLOAT, 4))

    def float64(self) -> float:
        """Read a double-precision number."""
        return float(self._basic(_DOUBLE, 8))

    def int32_vector(self) -> list[int]:
        """Read a vector of integers."""
        count = int(self._basic(_INT32, 4))
        return [int(value) for value in np.frombuffer(self._take(4 * count), "<i4")]

    def vector(self) -> npt.NDArray[np.float32]:
        """Read a vector of single-precision numbers."""
        self.expect("FV")
        return np.frombuffer(self._take(4 * self.int32()), "<f4").astype(np.float32)

    def matrix(self) -> npt.NDArray[np.float32]:
        """Read a matrix of single-precision numbers."""
        self.expect("FM")
        rows, columns = self.int32(), self.int32()
        return np.frombuffer(self._take(4 * rows * columns), "<f4").reshape(rows, columns).astype(np.float32)

    def _basic(self, form: struct.Struct, size: int) -> int | float:
        found, value = form.unpack(self._take(form.size))
        if found != size:
            raise KaldiFormatError(f"expected a number of {size} bytes, found {found}")
        number: int | float = value
        return number

    def _take(self, count: int) -> bytes:
        if count < 0 or self._position + count > len(self._data):
            raise KaldiFormatError("the file is truncated")
        self._position += count
        return self._data[self._position - count : self._position]
