"""``am/final.mdl``: the transition model and the network, as Kaldi's nnet3 reads them.

Sources: kaldi ``hmm/transition-model.cc`` (TransitionModel::Write), ``hmm/hmm-topology.cc``
(HmmTopology::Write), ``nnet3/am-nnet-simple.cc``, ``nnet3/nnet-nnet.cc`` (Nnet::Write),
``nnet3/nnet-simple-component.cc``.
"""

from __future__ import annotations

import math

import numpy as np

from hotline.asr.builder.kaldi_binary import KaldiReader, KaldiWriter
from hotline.asr.builder.network import CONTEXT_FRAMES, Layer, Network
from hotline.asr.builder.phones import PhoneSet

__all__ = ["pack_acoustic_model", "unpack_network"]

_STAY = _LEAVE = 0.5
_NO_PDF = -1
_LEARNING_RATE = 0.001  # stored, never used: the model is not trained on


def pack_acoustic_model(network: Network, phones: PhoneSet) -> bytes:
    """Return the bytes of ``final.mdl``."""
    out = KaldiWriter()
    _write_transition_model(out, phones)
    _write_network(out, network)
    return out.getvalue()


def _write_transition_model(out: KaldiWriter, phones: PhoneSet) -> None:
    out.token("<TransitionModel>")
    _write_topology(out, phones)
    out.token("<Triples>")
    out.int32(len(phones.triples))
    for triple in phones.triples:
        out.int32(triple.phone_id)
        out.int32(triple.state)
        out.int32(triple.pdf)
    out.token("</Triples>")
    out.token("<LogProbs>")
    # Indexed by transition id, which counts from 1; each triple has a self-loop and a way on.
    out.vector(np.array([0.0] + [math.log(_STAY), math.log(_LEAVE)] * len(phones.triples), np.float32))
    out.token("</LogProbs>")
    out.token("</TransitionModel>")


def _write_topology(out: KaldiWriter, phones: PhoneSet) -> None:
    """Write one left-to-right HMM for each number of states, and which phone has which."""
    ids = list(phones.phone_ids())
    states = {phone_id: phones.state_count(phones.phone_of(phone_id)) for phone_id in ids}
    shapes = sorted(set(states.values()))
    out.token("<Topology>")
    out.int32_vector(ids)
    out.int32_vector([-1] + [shapes.index(states[phone_id]) for phone_id in ids])  # there is no phone 0
    out.int32(len(shapes))
    for count in shapes:
        out.int32(count + 1)
        for state in range(count):
            out.int32(state)  # pdf class
            out.int32(2)
            out.int32(state)
            out.float32(_STAY)
            out.int32(state + 1)
            out.float32(_LEAVE)
        out.int32(_NO_PDF)
        out.int32(0)
    out.token("</Topology>")


def _write_network(out: KaldiWriter, network: Network) -> None:
    out.token("<Nnet3>")
    out.text("\n" + "\n".join(_config_lines(network)) + "\n\n")
    names = _component_names(network)
    out.token("<NumComponents>")
    out.int32(len(names))
    for index, layer in enumerate(network.layers):
        out.token("<ComponentName>")
        out.token(f"affine{index}")
        _write_affine(out, layer)
        out.token("<ComponentName>")
        last = index == len(network.layers) - 1
        out.token("softmax" if last else f"relu{index}")
        _write_nonlinearity(out, "LogSoftmax" if last else "RectifiedLinear", len(layer.bias))
    out.token("</Nnet3>")
    out.token("<LeftContext>")
    out.int32(CONTEXT_FRAMES)
    out.token("<RightContext>")
    out.int32(CONTEXT_FRAMES)
    out.token("<Priors>")
    out.vector(network.priors)


def _component_names(network: Network) -> list[str]:
    names = []
    for index in range(len(network.layers)):
        names += [f"affine{index}", f"relu{index}"]
    return [*names[:-1], "softmax"]


def _config_lines(network: Network) -> list[str]:
    cepstra = network.layers[0].weights.shape[1] // (2 * CONTEXT_FRAMES + 1)
    window = ", ".join(f"Offset(input, {offset})" for offset in range(-CONTEXT_FRAMES, CONTEXT_FRAMES + 1))
    lines = [f"input-node name=input dim={cepstra}"]
    source = f"Append({window})"
    for name in _component_names(network):
        lines.append(f"component-node name={name} component={name} input={source}")
        source = name
    return [*lines, f"output-node name=output input={source} objective=linear"]


def _write_affine(out: KaldiWriter, layer: Layer) -> None:
    out.token("<AffineComponent>")
    out.token("<LearningRate>")
    out.float32(_LEARNING_RATE)
    out.token("<LinearParams>")
    out.matrix(layer.weights)
    out.token("<BiasParams>")
    out.vector(layer.bias)
    out.token("</AffineComponent>")


def _write_nonlinearity(out: KaldiWriter, kind: str, size: int) -> None:
    out.token(f"<{kind}Component>")
    out.token("<Dim>")
    out.int32(size)
    out.token("<ValueAvg>")  # statistics of training, left empty
    out.vector(np.zeros(0, np.float32))
    out.token("<DerivAvg>")
    out.vector(np.zeros(0, np.float32))
    out.token("<Count>")
    out.float64(0.0)
    out.token(f"</{kind}Component>")


def unpack_network(data: bytes) -> Network:
    """Return the network inside the bytes of a ``final.mdl`` that `pack_acoustic_model` made.

    Raises:
        KaldiFormatError: if they are something else.
    """
    source = KaldiReader(data)
    source.skip_past("</TransitionModel>")
    source.expect("<Nnet3>")
    source.text_until(b"\n\n")
    source.expect("<NumComponents>")
    layers: list[Layer] = []
    for _ in range(source.int32()):
        source.expect("<ComponentName>")
        source.token()
        kind = source.token()
        if kind == "<AffineComponent>":
            source.expect("<LearningRate>")
            source.float32()
            source.expect("<LinearParams>")
            weights = source.matrix()
            source.expect("<BiasParams>")
            layers.append(Layer(weights, source.vector()))
            source.expect("</AffineComponent>")
        else:
            source.skip_past(f"</{kind[1:]}")
    source.expect("</Nnet3>")
    for side in ("<LeftContext>", "<RightContext>"):
        source.expect(side)
        source.int32()
    source.expect("<Priors>")
    return Network(tuple(layers), source.vector(), math.nan)
