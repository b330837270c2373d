"""The engine: composes the piece beat by beat; state and controls in, events and the next state out.

A control change is detected by comparing the controls with the goals in the state, so a beat is a function
of its arguments alone. A new key is prepared at once (the melody falls silent) and entered at the next bar.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.events import Automation, Chord, Event, Layer, Section
from auralis.score.events import Tempo as TempoMark
from services.composer.answer import answered
from services.composer.bells import Air, call, hum, open_piece, ring
from services.composer.choir import SINGERS, sing
from services.composer.conduct import initial_state, steered, with_chord, with_section
from services.composer.draft import Draft, Sound
from services.composer.gestures import Gestures, gestures_of
from services.composer.marks import RAMP_MS, Moment, said_at
from services.composer.melody import advanced
from services.composer.percussion import drum
from services.composer.phrase import PlannedNote, Stretch
from services.composer.scene import Scene
from services.composer.state import EngineState, Held
from services.composer.sustain import Support, sustained
from services.composer.tempo import BEATS_A_BAR, TICKS_A_BEAT
from services.composer.textures import weave

__all__ = ["EngineState", "compose", "compose_beat", "initial_state"]

_KEYFRAME_S: Final = 60  # at the first bar after that: a reader that starts anywhere knows all within 66 s
_MELODY_HUMAN_MS: Final = 25
_LEGATO_PERCENT: Final = 92
_FAR: Final = 1 << 40
_BREATHLESS_FROM: Final = 700  # the intensity from which the melody sings on at the end of a chord phrase

Events = tuple[Event, ...]


class _Place(NamedTuple):
    """Where a voice sits: how late it is (the pads: 45 ms and more), and its pan in hundredths."""

    delay_ms: int
    pan: int


_PLACES: Final[Mapping[Layer, _Place]] = {"melody": _Place(30, 10), "answer": _Place(55, -24)}


def compose(
    state: EngineState, controls: Controls, until_frame: int, fmt: AudioFormat
) -> tuple[Events, EngineState]:
    """Compose whole beats until the state's frame is ``until_frame`` or later."""
    events: list[Event] = []
    while state.frame < until_frame:
        beat, state = compose_beat(state, controls, fmt)
        events += beat
    return tuple(events), state


def compose_beat(state: EngineState, controls: Controls, fmt: AudioFormat) -> tuple[Events, EngineState]:
    """The events that start in the beat at ``state.frame``, in order, and the state at the next beat."""
    rate = fmt.sample_rate_hz
    before, state = state, steered(state, controls, rate)
    begins = state.beat >= state.chord_ends
    if begins:
        state = with_section(state, controls, rate)
        state = with_chord(state, state.scene(controls, rate), rate)
    scene = state.scene(controls, rate)
    draft = Draft(state, scene, rate)
    state = _announced(draft, before, state, controls, begins=begins)
    state = _played(draft, state, scene, begins=begins)
    after = replace(
        state,
        frame=draft.end,
        beat=state.beat + 1,
        next_note=draft.next_note,
        tempo=state.tempo.next_beat(),
    )
    return draft.events, after


def _announced(
    draft: Draft, before: EngineState, state: EngineState, controls: Controls, *, begins: bool
) -> EngineState:
    """Write what a reader must know: each mark where it changes, and all of them every minute."""
    known = before.keyframe
    repeats = known is None or (state.on_bar and state.frame - known >= draft.rate * _KEYFRAME_S)
    if repeats or state.form != before.form:
        draft.mark(Section(state.frame, state.form.name))
    if repeats or state.tempo.ramping:
        draft.mark(TempoMark(state.frame, state.tempo.mbpm() / 1000))
    ramp = 0 if before.intensity is None else draft.ms(RAMP_MS)
    if repeats or controls.intensity != before.intensity:
        draft.mark(Automation(state.frame, "intensity", ramp, controls.intensity))
    marks, said = said_at(Moment(state.frame, ramp, repeats), state.said, controls, state.form.name)
    for mark in marks:
        draft.mark(mark)
    if repeats or begins:
        draft.mark(_chord_mark(draft, state))
    keyframe = state.frame if repeats else known
    return replace(state, intensity=controls.intensity, keyframe=keyframe, said=said)


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
    gestures = gestures_of(scene.seed, scene.form)
    voices, (fifth, *singers) = state.held[: -1 - SINGERS], state.held[-1 - SINGERS :]
    support = Support(
        state.voicing, state.following, state.chord_ends - state.beat, state.beat, begins, gestures
    )
    held: tuple[Held, ...] = sustained(draft, voices, support, scene)
    air = _air(draft, state, gestures)
    weave(draft, air, scene)
    if state.beat == 0:
        open_piece(draft, air, scene)
    # Between two keys, what would not fit both is silent; in a breath, none of the following begins.
    sounds, arrived = not _breathes(draft, gestures), state.chord.key == state.goal
    if sounds:
        drum(draft, state.beat, air.frames_left, scene)
    if sounds and arrived:
        ring(draft, air, scene)
        call(draft, air, scene, gestures.call)
        fifth = hum(draft, air, fifth, scene)
        singers = [*sing(draft, air, singers, scene)] if begins else singers
        state = _phrased(draft, state, air, scene)
    return replace(_sung(draft, state, scene), held=(*held, fifth, *singers))


def _air(draft: Draft, state: EngineState, gestures: Gestures) -> Air:
    until = draft.until(gestures.breath[0])
    silent = until if until > 0 else _FAR
    left = _frames_left(draft, state)
    return Air(state.chord, state.upcoming, left, state.origin, state.beat, silent)


def _breathes(draft: Draft, gestures: Gestures) -> bool:
    """Whether the beat lies in a breath of the music."""
    begin, end = gestures.breath
    return draft.until(begin) < draft.end - draft.start and draft.until(end) > 0


def _phrased(draft: Draft, state: EngineState, air: Air, scene: Scene) -> EngineState:
    """Plan what the melody or the answer begins in this beat: while one sings, the other listens."""
    change = state.chord_ends * TICKS_A_BEAT
    silent = state.tick + air.silent_in * TICKS_A_BEAT // (draft.end - draft.start)
    if len(state.progression.phrase) == 1 and scene.level < _BREATHLESS_FROM:
        # The chord is the last of its phrase: the melody leaves its last bar free.
        silent = min(silent, change - BEATS_A_BAR * TICKS_A_BEAT)
    stretch = Stretch(state.tick, state.chord, state.upcoming, change, state.tempo.goal_mbpm, silent)
    answer = answered(state.answer, state.melody, stretch, scene)
    melody = state.melody if answer.phrase else advanced(state.melody, stretch, scene)
    return replace(state, melody=melody, answer=answer)


def _sung(draft: Draft, state: EngineState, scene: Scene) -> EngineState:
    """Write the notes of melody and answer in this beat."""
    melody, answer = state.melody, state.answer
    end = state.tick + TICKS_A_BEAT
    sung: tuple[tuple[Layer, tuple[PlannedNote, ...]], ...] = (
        ("melody", melody.phrase),
        ("answer", answer.phrase),
    )
    for layer, phrase in sung:
        for note in phrase:
            if note.tick < end:
                _sing(draft, layer, note, state.tick, scene)
    return replace(
        state,
        melody=replace(melody, phrase=_left(melody.phrase, end)),
        answer=replace(answer, phrase=_left(answer.phrase, end)),
    )


def _left(phrase: tuple[PlannedNote, ...], end: int) -> tuple[PlannedNote, ...]:
    return tuple(note for note in phrase if note.tick >= end)


def _sing(draft: Draft, layer: Layer, note: PlannedNote, tick: int, scene: Scene) -> None:
    place = _PLACES[layer]
    drift = scene.chance(f"{layer}.onset").pink(1000, note.tick)
    late = draft.ms(place.delay_ms) + draft.ms(_MELODY_HUMAN_MS) * drift // 1000
    begin = draft.ticks(note.tick - tick)
    length = (draft.ticks(note.tick + note.ticks - tick) - begin) * _LEGATO_PERCENT // 100
    draft.play(Sound(layer, begin + late, length, note.pitch, note.velocity, place.pan))
