"""The acoustic model: a small feed-forward network in NumPy, trained with Adam.

It sees 15 frames (7 to each side) and tells which pdf the middle one belongs to. The mean and variance of its
input are folded into the first layer at the end, so that Kaldi needs nothing but the three matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hotline.asr.builder.features import FrameArray
from hotline.asr.builder.utterances import Utterances

__all__ = ["CONTEXT_FRAMES", "Layer", "Network", "train"]

CONTEXT_FRAMES = 7
_SPLICE = 2 * CONTEXT_FRAMES + 1


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An affine layer, ``weights @ input + bias``; weights have shape (outputs, inputs)."""

    weights: FrameArray
    bias: FrameArray


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Affine layers with rectifiers between them and a log-softmax at the end.

    Attributes:
        layers: from raw spliced features to pdf scores.
        priors: how often each pdf occurs, silence capped; what Kaldi divides the scores by.
        frame_accuracy: share of frames right on utterances kept out of training.
    """

    layers: tuple[Layer, ...]
    priors: FrameArray
    frame_accuracy: float

    @property
    def parameter_count(self) -> int:
        """Numbers in all the layers."""
        return sum(layer.weights.size + layer.bias.size for layer in self.layers)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how hard to train.

    Attributes:
        hidden: units of each hidden layer.
        frame_share: share of the frames seen in each epoch; neighbours tell much the same.
        peak_rate: the highest learning rate.
        silence_prior_cap: the largest share of the priors that silence may have.
    """

    hidden: tuple[int, ...] = (256, 256)
    epochs: int = 8
    batch_frames: int = 1024
    frame_share: float = 0.45
    peak_rate: float = 2.5e-3
    silence_prior_cap: float = 0.12


class _Frames:
    """All utterances in one array, each padded with copies of its edge frames, as Kaldi pads."""

    def __init__(self, utterances: list[Utterances]) -> None:
        padded: list[FrameArray] = []
        centres: list[npt.NDArray[np.int64]] = []
        self.groups: list[npt.NDArray[np.int64]] = []
        position = 0
        for shard in utterances:
            ends = np.cumsum(shard.lengths)
            for start, end in zip(ends - shard.lengths, ends, strict=True):
                padded.append(
                    np.pad(shard.features[start:end], ((CONTEXT_FRAMES, CONTEXT_FRAMES), (0, 0)), mode="edge")
                )
                centres.append(np.arange(end - start) + position + CONTEXT_FRAMES)
                position += len(padded[-1])
        self.features: FrameArray = np.concatenate(padded)
        del padded
        self.centres = np.concatenate(centres)
        self.pdfs = np.concatenate([shard.pdfs for shard in utterances]).astype(np.int64)
        self.mean = self.features.mean(axis=0)
        self.scale = 1.0 / (self.features.std(axis=0) + 1e-5)
        self.features -= self.mean  # in place: this is most of the memory a build takes
        self.features *= self.scale
        self._offsets = np.arange(-CONTEXT_FRAMES, CONTEXT_FRAMES + 1)

    def spliced(self, chosen: npt.NDArray[np.int64]) -> FrameArray:
        """Return the chosen frames with their neighbours, shape (chosen, 15 x cepstra)."""
        rows: FrameArray = self.features[self.centres[chosen, None] + self._offsets]
        return rows.reshape(len(chosen), -1)


def train(
    utterances: list[Utterances],
    pdf_count: int,
    *,
    seed: int,
    plan: TrainingPlan | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Network:
    """Train a network; ``progress`` is told the batches done and all batches."""
    plan = plan or TrainingPlan()
    rng = np.random.default_rng(seed)
    frames = _Frames(utterances)
    # The last fiftieth, whole utterances, measures.
    cut = len(frames.pdfs) - len(frames.pdfs) // 50
    weights = _initial(frames.features.shape[1] * _SPLICE, (*plan.hidden, pdf_count), rng)
    adam = _Adam(weights)
    per_epoch = int(cut * plan.frame_share) // plan.batch_frames
    total = per_epoch * plan.epochs
    done = 0
    for _ in range(plan.epochs):
        order = rng.permutation(cut)
        for batch in range(per_epoch):
            chosen = order[batch * plan.batch_frames : (batch + 1) * plan.batch_frames]
            gradients = _gradients(weights, frames.spliced(chosen), frames.pdfs[chosen])
            adam.step(gradients, plan.peak_rate * _schedule(done / total))
            done += 1
            if done % 25 == 0 or done == total:
                progress(done, total)
    accuracy = _accuracy(weights, frames, np.arange(cut, len(frames.pdfs)))
    counts = np.bincount(frames.pdfs, minlength=pdf_count).astype(np.float64)
    return Network(_fold(weights, frames), _priors(counts, plan.silence_prior_cap), accuracy)


def _schedule(done: float) -> float:
    """Return the learning rate's factor: a short rise, then a cosine down to nothing."""
    return min(done / 0.03, 0.5 * (1 + float(np.cos(np.pi * done)))) + 1e-3


def _initial(inputs: int, outputs: tuple[int, ...], rng: np.random.Generator) -> list[FrameArray]:
    weights: list[FrameArray] = []
    for size in outputs:
        weights.append((rng.standard_normal((inputs, size)) * np.sqrt(2 / inputs)).astype(np.float32))
        weights.append(np.zeros(size, np.float32))
        inputs = size
    return weights


def _gradients(
    weights: list[FrameArray], inputs: FrameArray, pdfs: npt.NDArray[np.int64]
) -> list[FrameArray]:
    """Return the gradient of the mean cross-entropy for each array of ``weights``."""
    activations = [inputs]
    for layer in range(0, len(weights), 2):
        sums = activations[-1] @ weights[layer] + weights[layer + 1]
        activations.append(np.maximum(sums, 0) if layer + 2 < len(weights) else sums)
    scores = activations.pop()
    scores -= scores.max(axis=1, keepdims=True)
    error = np.exp(scores)
    error /= error.sum(axis=1, keepdims=True)
    error[np.arange(len(pdfs)), pdfs] -= 1
    error /= len(pdfs)
    gradients: list[FrameArray] = []
    for layer in range(len(weights) - 2, -1, -2):
        below = activations.pop()
        gradients[:0] = [below.T @ error, error.sum(axis=0)]
        if layer:
            error = (error @ weights[layer].T) * (below > 0)
    return gradients


class _Adam:
    """Kingma and Ba, 2015, in place on ``weights``."""

    def __init__(self, weights: list[FrameArray], first: float = 0.9, second: float = 0.999) -> None:
        self._weights = weights
        self._first, self._second = first, second
        self._means = [np.zeros_like(array) for array in weights]
        self._squares = [np.zeros_like(array) for array in weights]
        self._steps = 0

    def step(self, gradients: list[FrameArray], rate: float) -> None:
        self._steps += 1
        corrected = rate * np.sqrt(1 - self._second**self._steps) / (1 - self._first**self._steps)
        for array, gradient, mean, square in zip(
            self._weights, gradients, self._means, self._squares, strict=True
        ):
            mean += (1 - self._first) * (gradient - mean)
            square += (1 - self._second) * (gradient * gradient - square)
            array -= np.float32(corrected) * mean / (np.sqrt(square) + np.float32(1e-8))


def _accuracy(weights: list[FrameArray], frames: _Frames, chosen: npt.NDArray[np.int64]) -> float:
    right = 0
    for start in range(0, len(chosen), 8192):
        part = chosen[start : start + 8192]
        hidden = frames.spliced(part)
        for layer in range(0, len(weights), 2):
            hidden = hidden @ weights[layer] + weights[layer + 1]
            if layer + 2 < len(weights):
                hidden = np.maximum(hidden, 0)
        right += int((hidden.argmax(axis=1) == frames.pdfs[part]).sum())
    return right / max(len(chosen), 1)


def _fold(weights: list[FrameArray], frames: _Frames) -> tuple[Layer, ...]:
    """Return Kaldi's layers, the first taking raw features: W((x - m)s) + b = (Ws)x + (b - Wsm)."""
    layers = [Layer(np.ascontiguousarray(weights[i].T), weights[i + 1]) for i in range(0, len(weights), 2)]
    scaled = layers[0].weights * np.tile(frames.scale, _SPLICE)
    shifted = layers[0].bias - scaled @ np.tile(frames.mean, _SPLICE)
    layers[0] = Layer(scaled.astype(np.float32), shifted.astype(np.float32))
    return tuple(layers)


def _priors(counts: npt.NDArray[np.float64], silence_cap: float) -> FrameArray:
    """Return pdf frequencies; silence is capped so that quiet speech is not taken for it."""
    counts = np.maximum(counts, 1.0)
    speech = counts[1:].sum()
    counts[0] = min(counts[0], speech * silence_cap / (1 - silence_cap))
    priors: FrameArray = (counts / counts.sum()).astype(np.float32)
    return priors
