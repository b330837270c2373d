"""Conducting: what the controls ask for, when chords and sections change, how one key leads to another."""

from typing import Final

from msgspec.structs import replace

from auralis.controls import Controls
from auralis.keys import Key, parse_key
from services.composer.answer import silenced
from services.composer.chance import between
from services.composer.choir import SINGERS
from services.composer.chords import DEGREES, TONIC, Harmony, harmony_of
from services.composer.form import CODA, Form, first_form, next_form
from services.composer.harmony import Progression, arriving, draw, quality_of
from services.composer.melody import Melody, hushed
from services.composer.memory import kept, recalled
from services.composer.modulation import diatonic_degree, way_between
from services.composer.scale import scale_of
from services.composer.scene import Scene
from services.composer.state import SILENT, EngineState
from services.composer.tempo import BEATS_A_BAR, TICKS_A_BEAT, Tempo, mbpm_of
from services.composer.voicing import VOICES, Ground, bass_pitch, voice

_CHORD_MS: Final = (20_000, 16_000, 12_000, 9000, 7000)  # by intensity
_CHORD_BARS: Final = (1, 2, 3, 4, 6, 8)
_JITTER_WEIGHTS: Final = (20, 60, 20)  # a bar less, none, a bar more
_LAST_PERCENT: Final = 150  # the last chord of a phrase is longer
_SHORT_BAR_MS: Final = 3000
_LONGEST_PIVOT_BARS: Final = 4
_REGISTER: Final = (-3, 3)  # semitones of the pads, by intensity


def initial_state(seed: int, frame: int, controls: Controls) -> EngineState:
    """The piece ``seed`` before its first beat, which starts at ``frame``.

    Note ids count from ``frame``: a piece has fewer notes than frames, so its ids never collide with an
    earlier piece's on the same channel.
    """
    key = controls.musical_key
    level, mood = (round(share * 1000) for share in (controls.intensity, controls.mood))
    scene = Scene(seed, level, first_form(seed), 0, mood)
    mbpm, degree = mbpm_of(controls.bpm), TONIC[key.mode]
    tonic = harmony_of(key, degree, quality_of(degree, key.mode, scene.chance("harmony.quality"), 0))
    bass = bass_pitch(tonic.bass, None)
    voicing = (bass, *voice(Ground(tonic.tones, bass, _register(scene)), None))
    return EngineState(
        seed=seed,
        origin=frame,
        frame=frame,
        beat=0,
        next_note=frame,
        intensity=None,
        keyframe=None,
        tempo=Tempo(mbpm, mbpm),
        form=scene.form,
        goal=str(key),
        way=(),
        progression=Progression(recent=(degree,), index=1),
        chord=tonic,
        voicing=voicing,
        chord_ends=0,
        upcoming=tonic,
        following=voicing,
        held=(SILENT,) * (1 + VOICES + 1 + SINGERS),
        melody=Melody(),
    )


def resumed(state: EngineState, frame: int) -> EngineState:
    """The state after an absence, at ``frame``: a new chord on a new bar, at the goal tempo.

    A piece that had not begun yet begins at ``frame`` instead.
    """
    if state.frame == state.origin:
        return replace(state, origin=frame, frame=frame, next_note=frame)
    beat = state.next_bar
    at_bar = replace(state, frame=frame, beat=beat, chord_ends=beat, keyframe=None)
    tempo = Tempo(state.tempo.goal_mbpm, state.tempo.goal_mbpm)
    return replace(
        at_bar, tempo=tempo, melody=hushed(state.melody, at_bar.tick), answer=silenced(state.answer)
    )


def steered(state: EngineState, controls: Controls, sample_rate_hz: int) -> EngineState:
    """The state on its way to what ``controls`` ask for."""
    state = replace(state, tempo=state.tempo.towards(mbpm_of(controls.bpm)))
    goal = controls.musical_key
    if str(goal) == state.goal:
        return state
    return _modulating(state, goal, state.scene(controls, sample_rate_hz))


def with_chord(state: EngineState, scene: Scene, sample_rate_hz: int) -> EngineState:
    """The state in which the upcoming chord has begun, and the one after it is known."""
    bars = _pivot_bars(state, sample_rate_hz) if state.way else chord_bars(state, scene)
    begun = replace(
        state,
        way=state.way[1:],
        bars=state.bars[1:],
        chord=state.upcoming,
        voicing=state.following,
        chord_ends=state.beat + bars * BEATS_A_BAR,
    )
    return _looking_ahead(begun, scene)


def with_section(state: EngineState, controls: Controls, sample_rate_hz: int) -> EngineState:
    """The state in the next section, if this one has lasted long enough."""
    if state.form.name == CODA or state.frame < state.origin + state.form.ends_s * sample_rate_hz:
        return state
    return in_section(state, next_form(state.seed, state.form), controls, sample_rate_hz)


def in_section(state: EngineState, form: Form, controls: Controls, sample_rate_hz: int) -> EngineState:
    """The state in the section ``form``, with the previous section in its memory."""
    mode = parse_key(state.goal).mode
    memory = kept(state.memory, state.melody, state.progression, mode)
    state = replace(state, form=form, memory=memory)
    scene = state.scene(controls, sample_rate_hz)
    melody, progression = recalled(memory, state.melody, state.progression, mode, scene)
    return replace(state, melody=melody, progression=progression)


def _looking_ahead(state: EngineState, scene: Scene) -> EngineState:
    if state.way:
        upcoming, progression = state.way[0], state.progression
    else:
        upcoming, progression = draw(state.progression, parse_key(state.goal), scene)
    bass = bass_pitch(upcoming.bass, state.voicing[0])
    bound = frozenset(state.chord.tones) - frozenset(scale_of(parse_key(state.chord.key)))
    stirs = len(progression.phrase) == 1
    ground = Ground(upcoming.tones, bass, _register(scene), stirs, bound)
    following = (bass, *voice(ground, state.voicing[1:], state.voicing[0]))
    return replace(state, upcoming=upcoming, progression=progression, following=following)


def _register(scene: Scene) -> int:
    return between(_REGISTER, scene.level) + scene.register // 2


def chord_bars(state: EngineState, scene: Scene) -> int:
    """Bars of the chord that is about to begin: nearest to its wanted duration, give or take one."""
    if state.bars:
        return state.bars[0]
    wanted = between(_CHORD_MS, scene.level) * scene.section.pace // 100
    if state.progression.ended:
        wanted = wanted * _LAST_PERCENT // 100
    bar_ms = _bar_ms(state.tempo)
    bars = min(_CHORD_BARS, key=lambda count: abs(count * bar_ms - wanted))
    jitter = scene.chance("harmony.bars").pick(_JITTER_WEIGHTS, state.progression.index) - 1
    return max(1, bars + jitter)


def _bar_ms(tempo: Tempo) -> int:
    return BEATS_A_BAR * 60_000_000 // tempo.goal_mbpm


def _pivot_bars(state: EngineState, sample_rate_hz: int) -> int:
    """Bars of a chord between two keys: until no held tone is foreign to the new one, give or take a beat."""
    bars = 2 if _bar_ms(state.tempo) < _SHORT_BAR_MS else 1
    tones = scale_of(parse_key(state.goal))
    ends = max((held.until_frame for held in state.held if held.pitch % 12 not in tones), default=0)
    while (
        bars < _LONGEST_PIVOT_BARS
        and state.frame + _frames(state, bars * BEATS_A_BAR + 1, sample_rate_hz) < ends
    ):
        bars += 1
    return bars


def _frames(state: EngineState, beats: int, sample_rate_hz: int) -> int:
    return state.tempo.frames_to(beats * TICKS_A_BEAT, sample_rate_hz)


def _modulating(state: EngineState, goal: Key, scene: Scene) -> EngineState:
    """The state that leaves its key for ``goal`` at the next bar; if it is in that key already, it stays."""
    way = _way(state, goal, scene)
    turned = replace(
        state,
        goal=str(goal),
        way=way,
        chord_ends=state.next_bar if way else state.chord_ends,
        progression=arriving(state.progression, _degree_in(goal, way[-1] if way else state.chord)),
        melody=hushed(state.melody, state.tick),
        answer=silenced(state.answer),
    )
    return _looking_ahead(turned, scene)


def _way(state: EngineState, goal: Key, scene: Scene) -> tuple[Harmony, ...]:
    old = parse_key(state.chord.key)
    if old == goal:
        return ()
    first, *rest = way_between(old, goal, scene.chance("modulation"), state.beat)
    if state.chord.bass in first.scale and (rest or state.chord.bass in scale_of(goal)):
        # The sounding bass goes on as a pedal: a second bass over its long release would be muddy.
        first = replace(first, bass=state.chord.bass)
    return (first, *rest)


def _degree_in(key: Key, harmony: Harmony) -> str:
    own = harmony.key == str(key) and harmony.degree in DEGREES[key.mode]
    return harmony.degree if own else diatonic_degree(key, harmony.root)
