"""The engine: composes the piece beat by beat; state and controls in, events and the next state out.

A control is noticed by comparing what is asked with what the state is on its way to, so a beat is a function
of its arguments alone. A new key is prepared at once (the melody falls silent) and entered at the next bar.
"""

from typing import Final

from msgspec.structs import replace

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.events import Automation, Chord, Event, Section
from auralis.score.events import Tempo as TempoMark
from services.composer.bells import Air, hum, open_piece, ring
from services.composer.conduct import initial_state, steered, with_chord, with_section
from services.composer.draft import Draft, Sound
from services.composer.form import Scene
from services.composer.melody import Melody, advanced
from services.composer.phrase import PlannedNote, Stretch
from services.composer.state import EngineState, Held
from services.composer.sustain import Support, sustained
from services.composer.tempo import TICKS_A_BEAT
from services.composer.textures import weave

__all__ = ["INTENSITY_RAMP_MS", "EngineState", "compose", "compose_beat", "initial_state"]

INTENSITY_RAMP_MS: Final = 250
_KEYFRAME_S: Final = 60  # at the next bar after it: a reader that starts anywhere knows all within 66 s
_MELODY_DELAY_MS: Final = 30
_MELODY_HUMAN_MS: Final = 25
_MELODY_PAN: Final = 10
_LEGATO_PERCENT: Final = 92

Events = tuple[Event, ...]


def compose(
    state: EngineState, controls: Controls, until_frame: int, fmt: AudioFormat
) -> tuple[Events, EngineState]:
    """Whole beats until the state's frame is ``until_frame`` or later."""
    events: list[Event] = []
    while state.frame < until_frame:
        beat, state = compose_beat(state, controls, fmt)
        events += beat
    return tuple(events), state


def compose_beat(state: EngineState, controls: Controls, fmt: AudioFormat) -> tuple[Events, EngineState]:
    """The events that start in the beat at ``state.frame``, by frame, and the state at the beat after it."""
    before, state = state, steered(state, controls)
    begins = state.beat >= state.chord_ends
    if begins:
        state = with_section(state, fmt.sample_rate_hz)
        state = with_chord(state, state.scene(controls.intensity), fmt.sample_rate_hz)
    draft = Draft(state, fmt.sample_rate_hz)
    state = _announced(draft, before, state, controls.intensity, begins=begins)
    state = _played(draft, state, state.scene(controls.intensity), begins=begins)
    after = replace(
        state,
        frame=draft.end,
        beat=state.beat + 1,
        next_note=draft.next_note,
        tempo=state.tempo.next_beat(),
    )
    return draft.events, after


def _announced(
    draft: Draft, before: EngineState, state: EngineState, intensity: float, *, begins: bool
) -> EngineState:
    """Write what a reader must know: each mark where it changes, and all of them every minute."""
    known = before.keyframe
    repeats = known is None or (state.on_bar and state.frame - known >= draft.rate * _KEYFRAME_S)
    if repeats or state.form != before.form:
        draft.mark(Section(state.frame, state.form.name))
    if repeats or state.tempo.ramping:
        draft.mark(TempoMark(state.frame, state.tempo.mbpm() / 1000))
    if repeats or intensity != before.intensity:
        ramp = 0 if before.intensity is None else draft.ms(INTENSITY_RAMP_MS)
        draft.mark(Automation(state.frame, "intensity", ramp, intensity))
    if repeats or begins:
        draft.mark(_chord_mark(draft, state))
    return replace(state, intensity=intensity, keyframe=state.frame if repeats else known)


def _chord_mark(draft: Draft, state: EngineState) -> Chord:
    return Chord(
        at_frame=state.frame,
        duration_frames=_frames_left(draft, state),
        root=state.chord.root,
        quality=state.chord.quality,
        degree=state.chord.degree,
        pitches=tuple(map(float, state.voicing)),
    )


def _frames_left(draft: Draft, state: EngineState) -> int:
    return draft.ticks((state.chord_ends - state.beat) * TICKS_A_BEAT)


def _played(draft: Draft, state: EngineState, scene: Scene, *, begins: bool) -> EngineState:
    """Write the notes of every layer."""
    arrived = state.chord.key == state.goal
    *voices, drone = state.held
    support = Support(state.voicing, state.following, state.chord_ends - state.beat, state.beat, begins)
    held: tuple[Held, ...] = sustained(draft, voices, support, scene)
    air = Air(state.chord, state.upcoming, _frames_left(draft, state), state.origin, state.beat)
    if state.beat == 0:
        open_piece(draft, air, scene)
    weave(draft, air, scene)
    if arrived:
        ring(draft, air, scene)
        drone = hum(draft, air, drone, scene)
    return replace(state, held=(*held, drone), melody=_sung(draft, state, scene, arrived=arrived))


def _sung(draft: Draft, state: EngineState, scene: Scene, *, arrived: bool) -> Melody:
    """Write the melody's notes of this beat; between two keys it is silent."""
    melody = state.melody
    if arrived:
        change = state.chord_ends * TICKS_A_BEAT
        stretch = Stretch(state.tick, state.chord, state.upcoming, change, state.tempo.goal_mbpm)
        melody = advanced(melody, stretch, scene)
    end = state.tick + TICKS_A_BEAT
    for note in melody.phrase:
        if note.tick < end:
            _sing(draft, note, state.tick, scene)
    return replace(melody, phrase=tuple(note for note in melody.phrase if note.tick >= end))


def _sing(draft: Draft, note: PlannedNote, tick: int, scene: Scene) -> None:
    drift = scene.chance("melody.onset").pink(1000, note.tick)
    late = draft.ms(_MELODY_DELAY_MS) + draft.ms(_MELODY_HUMAN_MS) * drift // 1000
    begin = draft.ticks(note.tick - tick)
    length = (draft.ticks(note.tick + note.ticks - tick) - begin) * _LEGATO_PERCENT // 100
    draft.play(Sound("melody", begin + late, length, note.pitch, note.velocity, _MELODY_PAN))
