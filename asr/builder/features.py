"""The features of the model: one description for training and for Vosk's ``conf/mfcc.conf``.

kaldi-native-fbank computes the same MFCCs as Kaldi for the same options. Samples stay on the int16 scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import kaldi_native_fbank as knf
import numpy as np
import numpy.typing as npt

__all__ = ["MFCC", "FrameArray", "MfccConfig", "compute_mfcc"]

FrameArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MfccConfig:
    """MFCC options; names as Kaldi's, units in ours."""

    sample_rate_hz: int = 8000
    mel_bins: int = 26
    cepstra: int = 20
    low_hz: int = 60
    high_hz: int = 3800
    frame_shift_ms: int = 10
    frame_length_ms: int = 25

    def kaldi_lines(self) -> list[str]:
        """Return the lines of ``mfcc.conf``."""
        return [
            f"--sample-frequency={self.sample_rate_hz}",
            f"--num-mel-bins={self.mel_bins}",
            f"--num-ceps={self.cepstra}",
            f"--low-freq={self.low_hz}",
            f"--high-freq={self.high_hz}",
            f"--frame-shift={self.frame_shift_ms}",
            f"--frame-length={self.frame_length_ms}",
            "--use-energy=false",
            "--dither=0",
            "--allow-downsample=true",
        ]

    def frame_centres(self, count: int) -> npt.NDArray[np.int64]:
        """Return the sample in the middle of each of ``count`` frames."""
        shift = self.sample_rate_hz * self.frame_shift_ms // 1000
        half = self.sample_rate_hz * self.frame_length_ms // 2000
        return np.arange(count, dtype=np.int64) * shift + half

    def options(self) -> knf.MfccOptions:
        """Return the same options for kaldi-native-fbank."""
        options = knf.MfccOptions()
        options.frame_opts.samp_freq = self.sample_rate_hz
        options.frame_opts.dither = 0.0
        options.frame_opts.frame_shift_ms = self.frame_shift_ms
        options.frame_opts.frame_length_ms = self.frame_length_ms
        options.mel_opts.num_bins = self.mel_bins
        options.mel_opts.low_freq = self.low_hz
        options.mel_opts.high_freq = self.high_hz
        options.num_ceps = self.cepstra
        options.use_energy = False
        return options


MFCC = MfccConfig()
"""What the shipped model uses."""


def compute_mfcc(samples: npt.NDArray[np.int16], config: MfccConfig = MFCC) -> FrameArray:
    """Return the MFCCs of a recording at ``config.sample_rate_hz``, shape (frames, cepstra)."""
    extractor = knf.OnlineMfcc(config.options())
    extractor.accept_waveform(config.sample_rate_hz, samples.astype(np.float32))
    extractor.input_finished()
    frames = [extractor.get_frame(index) for index in range(extractor.num_frames_ready)]
    return np.array(frames, np.float32).reshape(len(frames), config.cepstra)
