"""From a note and its patch to the partials of a voice, random by channel seed and note id alone."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis.score.events import Note
from services.synth.dsp.additive import basis, rotation
from services.synth.dsp.grid import Grid
from services.synth.patch import Patch

Array = NDArray[np.float64]

# Partials above this share of the sample rate are left out: nothing can alias.
_HIGHEST: Final = 0.45
# Partials this far under their voice are left out.
_INAUDIBLE_DB: Final = -90.0
_MONO_BELOW_HZ: Final = 160.0
_NO_CUTOFF_HZ: Final = 1e9
_MIDDLE_C_HZ: Final = 261.63


class Column(IntEnum):
    """The columns of a voice's table, one row a partial."""

    GAIN = 0
    FREQ_HZ = 1
    ATTACK_S = 2
    GATE_S = 3
    RELEASE_S = 4
    FAST_DB_S = 5
    SLOW_DB_S = 6
    SLOW_SHARE = 7
    CUTOFF_HZ = 8
    WANDER_DB = 9
    WANDER_HZ = 10
    WANDER_TURNS = 11


@dataclass(frozen=True, slots=True)
class Voice:
    """Everything about a note's partials that does not change while it sounds.

    ``table`` is ``[partial, Column]``, ``bases`` and ``rotations`` as in :mod:`services.synth.dsp.additive`;
    from ``silent_frame`` on the voice is exactly or inaudibly silent.
    """

    at_frame: int
    silent_frame: int
    freq_hz: Array
    phase_turns: Array
    table: NDArray[np.float32]
    bases: NDArray[np.float32]
    rotations: NDArray[np.float32]

    @property
    def partials(self) -> int:
        """Rows of the table."""
        return len(self.freq_hz)


@dataclass(frozen=True, slots=True)
class _Partials:
    """Unison copies times ratios, flattened: one element a partial."""

    index: NDArray[np.intp]  # which ratio of the patch
    freq_hz: Array
    gain: Array
    pan: Array


def frequency_hz(pitch: float) -> float:
    """Equal temperament, A4 = 440 Hz = MIDI 69."""
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def build_voice(note: Note, patch: Patch, seed: int, grid: Grid) -> Voice:
    """The voice of ``note`` in the channel of ``seed``."""
    counter = np.array([note.id % 2**64, 0, 0, 1], dtype=np.uint64)
    draw = np.random.Generator(np.random.Philox(key=seed, counter=counter))
    partials = _audible(_spectrum(note, patch, draw), grid.audio.sample_rate_hz)
    rows = len(partials.freq_hz)
    phase = draw.random(rows)
    table = _table(note, patch, partials, draw, grid)
    stereo = _stereo(partials.pan + note.pan, partials.freq_hz)
    return Voice(
        at_frame=note.at_frame,
        silent_frame=_silent_frame(note, patch, table, grid),
        freq_hz=partials.freq_hz,
        phase_turns=phase,
        table=table,
        bases=basis(partials.freq_hz, stereo, grid),
        rotations=rotation(partials.freq_hz, grid),
    )


def _spectrum(note: Note, patch: Patch, draw: np.random.Generator) -> _Partials:
    ratios = np.array(patch.ratios)
    levels_db = np.array(patch.levels_db) + draw.normal(0.0, 1.0, len(ratios)) * patch.spread_db
    stretched = ratios * np.sqrt(1 + patch.inharmonicity * ratios**2)
    detune = 2 ** (np.array(patch.unison.detune_cents) / 1200)
    weight = np.array(patch.unison.weight)
    velocity = note.velocity**patch.velocity_exponent
    level = 10 ** (patch.level_db / 20) * velocity / np.linalg.norm(weight)
    freq = frequency_hz(note.pitch) * detune[:, None] * stretched
    gain = level * weight[:, None] * 10 ** (levels_db / 20)
    pan = np.broadcast_to(np.array(patch.unison.pan)[:, None], freq.shape)
    index = np.broadcast_to(np.arange(len(ratios)), freq.shape)
    return _Partials(index.ravel(), freq.ravel(), gain.ravel(), pan.ravel())


def _audible(partials: _Partials, rate_hz: int) -> _Partials:
    loudest = partials.gain.max(initial=1e-12)
    keep = (partials.freq_hz < _HIGHEST * rate_hz) & (partials.gain > loudest * 10 ** (_INAUDIBLE_DB / 20))
    return _Partials(partials.index[keep], partials.freq_hz[keep], partials.gain[keep], partials.pan[keep])


def _table(
    note: Note, patch: Patch, partials: _Partials, draw: np.random.Generator, grid: Grid
) -> NDArray[np.float32]:
    rows, index = len(partials.freq_hz), partials.index
    tracking = (frequency_hz(note.pitch) / _MIDDLE_C_HZ) ** patch.decay_tracking
    table = np.zeros((rows, len(Column)))
    table[:, Column.GAIN] = partials.gain
    table[:, Column.FREQ_HZ] = partials.freq_hz
    table[:, Column.ATTACK_S] = patch.attack_s + patch.attack_step_s * index
    table[:, Column.GATE_S] = grid.audio.seconds(note.duration_frames)
    table[:, Column.RELEASE_S] = patch.release_s
    table[:, Column.FAST_DB_S] = _per_partial(patch.fast_db_s, index) * tracking
    table[:, Column.SLOW_DB_S] = _per_partial(patch.slow_db_s, index) * tracking
    table[:, Column.SLOW_SHARE] = 10 ** (patch.slow_share_db / 20)
    table[:, Column.CUTOFF_HZ] = patch.cutoff_hz or _NO_CUTOFF_HZ
    # Upper partials wander more and a little faster; no two of them together.
    table[:, Column.WANDER_DB] = patch.wander_db * (0.6 + 0.08 * index)
    table[:, Column.WANDER_HZ] = patch.wander_hz * 2 ** draw.uniform(-0.7, 0.7, rows)
    table[:, Column.WANDER_TURNS] = draw.random(rows)
    return table.astype(np.float32)


def _per_partial(values: tuple[float, ...], index: NDArray[np.intp]) -> Array:
    """A value for each ratio, or one for all of them."""
    return np.array(values)[index] if len(values) > 1 else np.full(len(index), values[0])


def _stereo(pan: Array, freq_hz: Array) -> Array:
    """Equal-power gains ``[partial, audio channel]``; lows stay in the middle."""
    narrowed = np.clip(pan, -1, 1) * np.clip(freq_hz / _MONO_BELOW_HZ - 0.5, 0, 1)
    angle = (narrowed + 1) * (np.pi / 4)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _silent_frame(note: Note, patch: Patch, table: NDArray[np.float32], grid: Grid) -> int:
    """When the release is over, or all partials have decayed by the inaudible level."""
    released = note.release_frame + grid.audio.frames(patch.release_s)
    slowest_db_s = float(table[:, Column.SLOW_DB_S].min(initial=np.inf))
    if slowest_db_s <= 0.0:
        return released
    return min(released, note.at_frame + grid.audio.frames(-_INAUDIBLE_DB / min(slowest_db_s, 1e6)))
