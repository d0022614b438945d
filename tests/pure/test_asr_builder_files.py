"""The binary files of a model, written and read back, byte by byte where the format is fixed."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.builder.acoustic_file import pack_acoustic_model, unpack_network
from hotline.asr.builder.fst import Arc, Fst, FstFormatError, pack_fst, unpack_fst
from hotline.asr.builder.kaldi_binary import KaldiFormatError, KaldiReader, KaldiWriter
from hotline.asr.builder.network import CONTEXT_FRAMES, Layer, Network
from hotline.asr.builder.phones import PhoneSet

int32s = st.integers(-(2**31), 2**31 - 1)
float32s = st.floats(width=32, allow_nan=False)


def test_kaldi_bytes_are_as_kaldi_writes_them() -> None:
    """The layout is Kaldi's: header, tokens with a space, numbers behind their size."""
    out = KaldiWriter()
    out.token("<Dim>")
    out.int32(7)
    out.float32(0.5)
    out.float64(1.0)
    out.int32_vector([1, -1])
    out.vector(np.array([2.0], np.float32))
    out.matrix(np.array([[3.0], [4.0]], np.float32))
    assert out.getvalue() == (
        b"\0B<Dim> \x04\x07\0\0\0\x04\0\0\0\x3f\x08\0\0\0\0\0\0\xf0\x3f"
        b"\x04\x02\0\0\0\x01\0\0\0\xff\xff\xff\xff"
        b"FV \x04\x01\0\0\0\0\0\0\x40"
        b"FM \x04\x02\0\0\0\x04\x01\0\0\0\0\0\x40\x40\0\0\x80\x40"
    )


@given(int32s, float32s, st.floats(allow_nan=False), st.lists(int32s), st.lists(float32s))
def test_kaldi_numbers_come_back(
    whole: int, single: float, double: float, wholes: list[int], singles: list[float]
) -> None:
    """Every reader method is the twin of its writer method."""
    out = KaldiWriter()
    out.int32(whole)
    out.float32(single)
    out.float64(double)
    out.int32_vector(wholes)
    out.vector(np.array(singles, np.float32))
    source = KaldiReader(out.getvalue())
    assert (source.int32(), source.float32(), source.float64()) == (whole, single, double)
    assert source.int32_vector() == wholes
    assert source.vector().tolist() == singles
    assert source.at_end


def test_kaldi_damage_is_noticed() -> None:
    """A text file, a wrong token, a wrong size and a cut file are told from a good one."""
    with pytest.raises(KaldiFormatError, match="binary mark"):
        KaldiReader(b"<Nnet3>")
    out = KaldiWriter()
    out.token("<A>")
    out.vector(np.ones(4, np.float32))
    data = out.getvalue()
    with pytest.raises(KaldiFormatError, match="expected <B>, found <A>"):
        KaldiReader(data).expect("<B>")
    for size in range(6, len(data)):
        source = KaldiReader(data[:size])
        source.expect("<A>")
        with pytest.raises(KaldiFormatError, match="truncated"):
            source.vector()
    with pytest.raises(KaldiFormatError, match="8 bytes, found 4"):
        KaldiReader(b"\0B\x04" + bytes(8)).float64()


def test_an_acoustic_model_comes_back() -> None:
    """The layers and priors that were packed are those unpacked."""
    rng = np.random.default_rng(1)
    phones = PhoneSet({"好": ("X", "Au")})
    shapes = [(6, 3 * (2 * CONTEXT_FRAMES + 1)), (5, 6), (phones.pdf_count, 5)]
    layers = tuple(
        Layer(rng.standard_normal(shape).astype(np.float32), rng.standard_normal(shape[0]).astype(np.float32))
        for shape in shapes
    )
    priors = np.full(phones.pdf_count, 1 / phones.pdf_count, np.float32)
    again = unpack_network(pack_acoustic_model(Network(layers, priors, 0.9), phones))
    assert [layer.weights.tolist() for layer in again.layers] == [layer.weights.tolist() for layer in layers]
    assert [layer.bias.tolist() for layer in again.layers] == [layer.bias.tolist() for layer in layers]
    assert again.priors.tolist() == priors.tolist()


def test_the_transition_model_is_sorted_and_whole() -> None:
    """Triples stand in Kaldi's order, with two log-probabilities to each and one for no transition."""
    phones = PhoneSet({"好": ("X", "Au"), "啊": ("Au",)})
    priors = np.ones(phones.pdf_count, np.float32)
    layer = Layer(np.ones((phones.pdf_count, 15), np.float32), priors)
    source = KaldiReader(pack_acoustic_model(Network((layer,), priors, 0.0), phones))
    source.expect("<TransitionModel>")
    source.skip_past("</Topology>")
    source.expect("<Triples>")
    triples = [(source.int32(), source.int32(), source.int32()) for _ in range(source.int32())]
    source.expect("</Triples>")
    source.expect("<LogProbs>")
    log_probs = source.vector()
    # silence, X at four places with one state, Au at four places with two
    assert len(triples) == 1 + 4 * 1 + 4 * 2
    assert triples == sorted(triples)
    assert {pdf for _, _, pdf in triples} == set(range(phones.pdf_count))
    assert len(log_probs) == 1 + 2 * len(triples)
    assert log_probs[1:].tolist() == pytest.approx([math.log(0.5)] * (2 * len(triples)))


def test_fst_bytes_are_as_openfst_writes_them() -> None:
    """Magic, kinds, version, flags, properties, start, states, arcs; then states with their arcs."""
    fst = Fst(start=0)
    first, second = fst.add_state(), fst.add_state(1.5)
    fst.add_arc(first, second, inp=3, out=4, cost=0.25)
    assert pack_fst(fst) == (
        bytes.fromhex("d6fdb27e")
        + b"\x06\0\0\0vector\x08\0\0\0standard"
        + struct.pack("<iiQqqq", 2, 0, 3, 0, 2, 1)
        + struct.pack("<fq", math.inf, 1)
        + struct.pack("<iifi", 3, 4, 0.25, 1)
        + struct.pack("<fq", 1.5, 0)
    )


arcs = st.builds(Arc, st.integers(0, 9), st.integers(0, 9), float32s, st.integers(0, 3))


@given(st.lists(st.tuples(float32s, st.lists(arcs, max_size=4)), max_size=4))
def test_transducers_come_back(states: list[tuple[float, list[Arc]]]) -> None:
    """Any transducer is read back as it was written."""
    fst = Fst()
    for final_cost, leaving in states:
        fst.arcs[fst.add_state(final_cost)].extend(leaving)
    assert unpack_fst(pack_fst(fst)) == fst


def test_fst_damage_is_noticed() -> None:
    """A file that is cut, longer, or of another kind is refused."""
    fst = Fst()
    fst.add_arc(fst.add_state(), fst.add_state(0.0), inp=1)
    data = pack_fst(fst)
    for size in range(len(data)):
        with pytest.raises(FstFormatError):
            unpack_fst(data[:size])
    with pytest.raises(FstFormatError, match="follow"):
        unpack_fst(data + b"x")
    with pytest.raises(FstFormatError, match="mark"):
        unpack_fst(b"\0\0\0\0" + data[4:])
    with pytest.raises(FstFormatError, match="vector"):
        unpack_fst(data.replace(b"vector", b"xxctor"))
