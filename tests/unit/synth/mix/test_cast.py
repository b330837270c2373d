"""The voices that sound in a chunk."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auralis.audio import AudioFormat
from auralis.score.events import Automation, Batch, Chord, Event, Note
from auralis.score.score import Score, ScoreView
from services.synth.mix.cast import Cast, Turn, longest_release_s
from services.synth.mix.desk import LAYERS
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Patch
from services.synth.quality import STEPS
from services.synth.voices.build import parts_of, voice_of
from tests.unit.synth.scores import FIRST, note, score_of

AUDIO = AudioFormat()
GRAINS = sorted(name for name, patch in library().items() if patch.grains is not None)


def view_of(*events: Event) -> ScoreView:
    return score_of(list(events), AUDIO).view()


def played(
    patch: str, seconds: float = 4.0, at_s: float = 0.0, layer: str = "pad", velocity: float = 0.6
) -> Note:
    return msgspec.structs.replace(
        note(1, at_s, 60.0, seconds=seconds), patch=patch, layer=layer, velocity=velocity
    )


def quality(value: float, seq: int = 0) -> Automation:
    return Automation(AUDIO.start_frame(seq), "quality", 0, value)


def only(cast: Cast, view: ScoreView, seq: int) -> Sounding:
    (sounding,) = cast.soundings(7, view, seq)
    return sounding


def partials(sounding: Sounding) -> int:
    return sum(len(voice.rows) for voice in sounding.voices)


def with_patch(cast: Cast, name: str, **changed: Any) -> None:
    """Replace a patch of the library by a changed one."""
    patches: dict[str, Patch] = dict(cast._patches)
    patches[name] = msgspec.structs.replace(patches[name], **changed)
    cast._patches = patches


def test_a_note_sounds_from_its_onset_until_it_is_silent() -> None:
    cast, view = Cast(AUDIO), view_of(played("warm_pad", at_s=1.05))
    heard = [seq for seq in range(300) if only(cast, view, seq).voices]
    assert heard[0] == 10
    assert heard == list(range(heard[0], heard[-1] + 1))
    assert 52 < heard[-1] < 200


@given(seqs=st.lists(st.integers(0, 120), min_size=1, max_size=12))
@settings(max_examples=30)
def test_voices_do_not_depend_on_what_was_asked_before(seqs: list[int]) -> None:
    """In whatever order chunks are asked for, the voices are the same as from a new cast."""
    cast = Cast(AUDIO)
    starts = [(1, 0.0, 1.0), (2, 0.35, 4.0), (3, 2.0, 0.5), (4, 2.05, 3.0), (5, 6.0, 2.0)]
    view = view_of(*(note(n, at_s, 60.0 + n, seconds=seconds) for n, at_s, seconds in starts))
    for seq in seqs:
        found, fresh = only(cast, view, seq).voices, only(Cast(AUDIO), view, seq).voices
        assert [each.timing.at for each in found] == [each.timing.at for each in fresh]


def test_a_note_without_a_patch_is_skipped_once_and_the_others_play() -> None:
    cast, view = Cast(AUDIO), view_of(played("kazoo"), note(2, 0.0, 64.0))
    for seq in range(5):
        assert len(only(cast, view, seq).voices) == 1
    assert cast.skipped == {"no patch 'kazoo'": 1}


def test_a_very_long_patch_name_is_cut() -> None:
    cast = Cast(AUDIO)
    only(cast, view_of(played("k" * 100_000)), 0)
    assert max(map(len, cast.skipped)) < 100


def test_a_note_that_cannot_be_built_is_skipped_and_the_others_play() -> None:
    """With a patch that no file can hold: an attack of 0 s."""
    cast = Cast(AUDIO)
    envelope = msgspec.structs.replace(library()["rain"].envelope, attack_s=0.0)
    with_patch(cast, "rain", envelope=envelope)
    view = view_of(played("rain"), note(2, 0.0, 64.0))
    found = [only(cast, view, seq).voices for seq in range(5)]
    assert all(voices for voices in found)
    assert all("ZeroDivisionError" in reason for reason in cast.skipped)
    assert cast.skipped


@pytest.mark.parametrize("level_db", [float("nan"), float("inf")])
def test_a_note_whose_level_is_not_finite_is_skipped(level_db: float) -> None:
    """One such voice would spoil every room that it is sent to."""
    cast = Cast(AUDIO)
    with_patch(cast, "warm_pad", level_db=level_db)
    assert only(cast, view_of(played("warm_pad")), 3).voices == []
    assert cast.skipped.total() == 1


@pytest.mark.parametrize("name", GRAINS)
def test_every_chunk_has_the_grains_of_the_whole_note(name: str) -> None:
    """Only the seconds that can be heard are built, and none of them is missing."""
    found, view = played(name, seconds=6.3, at_s=0.5), view_of(played(name, seconds=6.3, at_s=0.5))
    patch, cast = library()[name], Cast(AUDIO)
    parts = parts_of(found, patch, AUDIO, found.at_frame, found.release_frame)
    whole = [voice_of(found, patch, 7, AUDIO, part) for part in parts]
    for seq in range(0, 200, 3):
        start, end = AUDIO.start_frame(seq), AUDIO.end_frame(seq)
        expected = [v.timing for v in whole if v.timing.silent > start and v.timing.at < end]
        # A voice that has fallen silent may stay for a while.
        heard = [v.timing for v in only(cast, view, seq).voices if v.timing.silent > start]
        assert [(t.at, t.silent) for t in heard] == [(t.at, t.silent) for t in expected]


def test_a_note_of_a_year_costs_only_its_audible_voices() -> None:
    year = 365 * 24 * 3600
    rain = Note(0, 1, AUDIO.frames(year), 60.0, 0.6, "rain", "texture")
    score = Score()
    score.apply(FIRST, Batch(0, 0, AUDIO.frames(year), (rain,)))
    assert 1 < len(only(Cast(AUDIO), score.view(), year * 5).voices) < 100


def test_a_change_of_quality_gives_both_steps_in_one_chunk() -> None:
    """The chunk after it has the new step alone."""
    cast, view = Cast(AUDIO), view_of(played("warm_pad", 20), quality(0.25, 30), quality(1.0, 60))
    counts = {seq: [partials(s) for s in cast.soundings(7, view, seq)] for seq in (29, 30, 31, 60, 61)}
    whole, thin = counts[29][0], counts[31][0]
    assert thin < whole
    assert counts == {29: [whole], 30: [whole, thin], 31: [thin], 60: [thin, whole], 61: [whole]}


def test_a_repeated_quality_is_not_a_change() -> None:
    cast, view = Cast(AUDIO), view_of(played("warm_pad", 20), quality(0.5, 0), quality(0.5, 30))
    assert len(cast.soundings(7, view, 30)) == 1


def test_every_step_has_fewer_partials_than_the_one_before() -> None:
    notes = [played(name) for name in ("warm_pad", "felt_piano", "rain", "church_bell")]
    views = [view_of(quality(step.value), *notes) for step in STEPS]
    counts = [partials(only(Cast(AUDIO), view, 8)) for view in views]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] < counts[0] / 2


def test_quiet_notes_go_last_and_textures_before_bells() -> None:
    """The desk's level of the layer and the velocity decide which notes are quiet."""
    layers = ("pad", "drone", "melody", "bells", "texture")
    heard = []
    for step in STEPS:
        notes = [
            msgspec.structs.replace(played("warm_pad", layer=layer), id=i) for i, layer in enumerate(layers)
        ]
        voices = only(Cast(AUDIO), view_of(quality(step.value), *notes), 8).voices
        heard.append({voice.layer for voice in voices})
    assert heard[0] == heard[1] == heard[2] == set(layers)
    assert "texture" not in heard[3]
    assert {"pad", "drone", "melody"} <= heard[4] <= heard[3]


def test_the_chord_held_when_the_score_runs_dry_is_never_left_out() -> None:
    """At the lowest quality there is still no silence."""
    score, chord = Score(), Chord(0, AUDIO.frames(4), 9, "min", "i", (45.0, 57.0, 60.0))
    score.apply(FIRST, Batch(0, 0, AUDIO.frames(4), (quality(0.0), chord)))
    assert len(only(Cast(AUDIO), score.view(), 600).voices) == 3


@pytest.mark.parametrize("name", sorted(library()))
def test_no_voice_outlasts_the_longest_release(name: str) -> None:
    """However short the note, nothing of it is heard later than the longest release after its end."""
    note = played(name, seconds=0.01)
    last = note.release_frame + AUDIO.frames(longest_release_s())
    assert voice_of(note, library()[name], 7, AUDIO, 0).timing.silent <= last


def test_a_voice_is_built_once() -> None:
    cast, view = Cast(AUDIO), view_of(played("warm_pad", 20))
    first, later = (only(cast, view, seq).voices for seq in (5, 50))
    assert first[0] is later[0]


def test_a_voice_that_has_been_silent_for_long_rests() -> None:
    """Its tables go, its note stays known; should it be rendered again after all, its tables are the same."""
    cast, view = Cast(AUDIO), view_of(played("kalimba", seconds=1.0))
    (voice,) = only(cast, view, 5).voices
    first = voice.stage(5 * 4410, 0.5)
    ended = AUDIO.seq_at(voice.timing.silent) + 1
    only(cast, view, ended + 20)
    assert voice.stage(5 * 4410, 0.5) is first
    only(cast, view, ended + 30)
    assert not voice._placed
    again = voice.stage(5 * 4410, 0.5)
    assert again is not first
    parts = [(one, other) for one, other in zip(first.parts, again.parts, strict=True) if one is not None]
    assert parts
    for one, other in parts:
        assert other is not None
        assert np.array_equal(one.rows.table, other.rows.table)
        assert all(map(np.array_equal, one.rows.kernel, other.rows.kernel))


def test_a_chord_is_built_before_it_begins() -> None:
    """For six channels two voices are built at a time, the most urgent first: no chunk waits for all."""
    cast = Cast(AUDIO)
    chords = {seed: view_of(*(note(n, 2.0 + seed / 10, 60.0 + n) for n in range(4))) for seed in range(6)}
    built = [0]
    for seq in range(30):
        for seed, view in chords.items():
            cast.soundings(seed, view, seq)
        cast.build_ahead([Turn(seed, view, seq) for seed, view in chords.items()])
        cast.next_round()
        built.append(len(cast._voices))
    steps = np.diff(built)
    assert steps.max() == 2
    assert built[-1] == 24


def test_urgent_voices_are_built_faster() -> None:
    """Twice as many at a time while chords begin within half a second."""
    cast = Cast(AUDIO)
    chords = {seed: view_of(*(note(n, 0.35, 60.0 + n) for n in range(4))) for seed in range(6)}
    for seq, built in ((0, 4), (1, 8)):
        cast.build_ahead([Turn(seed, view, seq) for seed, view in chords.items()])
        assert len(cast._voices) == built


def test_a_level_is_a_gain_of_its_layer_at_both_ends() -> None:
    """Half way a fader is 12 dB down; layers without a change stay as they are."""
    ramp = Automation(AUDIO.start_frame(10), "level_pad", AUDIO.frames_per_chunk, 0.5)
    cast, view = Cast(AUDIO), view_of(played("warm_pad", seconds=9.0), ramp)
    pad = LAYERS.index("pad")
    before, during, after = (only(cast, view, seq).gains for seq in (9, 10, 11))
    assert before[:, pad].tolist() == [1.0, 1.0]
    assert during[:, pad].tolist() == [1.0, 0.25]
    assert after[:, pad].tolist() == [0.25, 0.25]
    assert (np.delete(after, pad, axis=1) == 1).all()


def test_a_muted_layer_is_not_rendered() -> None:
    """Once it is silent at both ends of a chunk; the other layers are rendered."""
    mute = Automation(AUDIO.start_frame(10), "level_pad", AUDIO.frames_per_chunk, 0.0)
    cast, view = Cast(AUDIO), view_of(played("warm_pad", seconds=9.0), note(2, 0.0, 64.0, "melody"), mute)
    layers = [{voice.layer for voice in only(cast, view, seq).voices} for seq in (9, 10, 11)]
    assert [("pad" in each) for each in layers] == [True, True, False]
    assert all(each - {"pad"} for each in layers)


def test_brightness_and_intensity_add_up() -> None:
    """Within 0 to 1."""
    cast = Cast(AUDIO)
    events = [Automation(0, "intensity", 0, 0.7), Automation(0, "brightness", 0, 0.8)]
    assert only(cast, view_of(*events), 5).brightness.tolist() == pytest.approx([0.92, 0.92])
    assert only(cast, view_of(events[0]), 5).brightness.tolist() == pytest.approx([0.62, 0.62])
