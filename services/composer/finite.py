"""Finite pieces: a beginning and an end that are composed, not faded.

A piece begins with *dawn*, blooms after its middle and ends with *dusk* and a *coda*: the first motif returns
at half speed, the layers drop out from the top down, and over a pedal come tonic, subdominant and tonic, the
last of which rings out.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.events import Batch, Chord, Event, Note
from services.composer.conduct import chord_bars, in_section, initial_state
from services.composer.engine import compose_beat
from services.composer.form import CODA, Form
from services.composer.motif import augmented
from services.composer.rules import checked
from services.composer.script import Script, script_of
from services.composer.state import SILENT, EngineState
from services.composer.tempo import BEATS_A_BAR, Tempo, mbpm_of

# From the last chord to the end, and from the last gate to the end: the release of what still sounds.
_RING_S: Final = 16
_LAST_GATE_S: Final = 8
# Whatever begins later than this after the last chord is dropped.
_LAST_ROLL_S: Final = 2
# A score that runs dry holds its last chord, so the piece's score reaches this far beyond its end.
_BEYOND_S: Final = 12
_CADENCE: Final = {
    "major": (("I", "add9"), ("IV", "maj7"), ("I", "sus2")),
    "minor": (("i", "madd9"), ("iv", "m7"), ("i", "sus2")),
}


@dataclass(frozen=True, slots=True)
class _Measure:
    """The piece in bars: where the coda and the last chord begin; frames of the whole and of a bar."""

    coda: int
    last: int
    frames: int
    bar_frames: int


def compose_piece(seed: int, controls: Controls, seconds: float, fmt: AudioFormat) -> Batch:
    """All events of the piece ``seed`` under constant ``controls``; it is silent after ``seconds``.

    The batch reaches beyond the end, because a score that runs dry holds its last chord.
    """
    script = script_of(seed, seconds)
    measure = _measured(script, controls, seconds, fmt)
    state = replace(initial_state(seed, 0, controls), form=script.forms[0])
    events: list[Event] = []
    while state.frame < measure.frames:
        state = _directed(state, script, measure, controls, fmt)
        beat, after = compose_beat(state, controls, fmt)
        events += checked(beat, state, after).events
        state = after
    closed = (_closed(event, measure, fmt) for event in events)
    return Batch(
        0, 0, measure.frames + fmt.frames(_BEYOND_S), tuple(event for event in closed if event is not None)
    )


def _measured(script: Script, controls: Controls, seconds: float, fmt: AudioFormat) -> _Measure:
    mbpm = mbpm_of(controls.bpm)
    bar = BEATS_A_BAR * Tempo(mbpm, mbpm).beat_frames(fmt.sample_rate_hz)
    end = fmt.frames(seconds)
    last = max(0, (2 * (end - fmt.frames(_RING_S)) + bar) // (2 * bar))
    return _Measure(min(last, fmt.frames(script.coda_s) // bar), last, end, bar)


def _directed(
    state: EngineState, script: Script, measure: _Measure, controls: Controls, fmt: AudioFormat
) -> EngineState:
    """The state with what the script prescribes where a chord begins."""
    if state.beat < state.chord_ends:
        return state
    bar = state.beat // BEATS_A_BAR
    if bar == measure.last:
        # All voices begin the last chord together.
        state = replace(state, held=(SILENT,) * len(state.held))
    if bar == measure.coda:
        return _cadenced(_coda(state, script, measure, controls, fmt), controls)
    if bar > measure.coda:
        return _cadenced(state, controls)
    form = script.at(state.frame // fmt.sample_rate_hz)
    if form != state.form:
        # All marks are announced where a section begins, its own included.
        state = replace(in_section(state, form, controls, fmt.sample_rate_hz), keyframe=None)
    bars = chord_bars(state, state.scene(controls, fmt.sample_rate_hz))
    return replace(state, bars=(min(bars, measure.coda - bar),))


def _coda(
    state: EngineState, script: Script, measure: _Measure, controls: Controls, fmt: AudioFormat
) -> EngineState:
    """The state in the coda: with the lengths of all its chords, and only the first motif to recall."""
    rate = fmt.sample_rate_hz
    begins_s, ends_s = (bar * measure.bar_frames // rate for bar in (measure.coda, measure.last))
    before = script.forms[-1]
    form = Form(CODA, before.number + 1, ends_s, begins_s, before.name)
    first = state.melody.motifs[:1]
    state = replace(in_section(state, form, controls, rate), keyframe=None)
    # With no phrase before it, the melody need not rest.
    melody = replace(state.melody, motifs=tuple(augmented(motif) for motif in first), last_ticks=0)
    bars = _lengths(measure.last - measure.coda, chord_bars(state, state.scene(controls, rate)))
    ringing = 2 + (measure.frames - measure.last * measure.bar_frames) // measure.bar_frames
    return replace(state, melody=melody, bars=(*bars, ringing))


def _lengths(bars: int, usual: int) -> tuple[int, ...]:
    """``bars`` as chords of about the ``usual`` length, at least three if they fit, the last ones longer."""
    chords = min(bars, max(3, bars // max(1, usual)))
    shares = range(chords)
    return tuple((bars + place) // chords for place in shares)


def _cadenced(state: EngineState, controls: Controls) -> EngineState:
    """The state with the closing cadence queued, once no more chords are left than it has."""
    cadence = _CADENCE[controls.musical_key.mode]
    after = len(state.bars) - 1
    if not after or after > len(cadence):
        return state
    progression = replace(
        state.progression, queue=cadence[-after:], left=after, phrase=(), pedal=0, recalls=0
    )
    return replace(state, progression=progression)


def _closed(event: Event, measure: _Measure, fmt: AudioFormat) -> Event | None:
    """``event`` with its gate closed in time for the release to be heard; None if it comes too late."""
    last = measure.last * measure.bar_frames
    if event.at_frame >= max(1, min(measure.frames, last + fmt.frames(_LAST_ROLL_S))):
        return None
    if not isinstance(event, Note | Chord):
        return event
    longest = max(1, measure.frames - fmt.frames(_LAST_GATE_S) - event.at_frame)
    rings = event.at_frame >= last and isinstance(event, Note) and event.layer in ("drone", "pad")
    return replace(event, duration_frames=longest if rings else min(event.duration_frames, longest))
