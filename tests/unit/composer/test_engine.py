"""The music itself: ten minutes from each of three seeds in both modes."""

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from statistics import mean, median
from time import perf_counter

import msgspec
import pytest

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.keys import parse_key
from auralis.score.events import Automation, Batch, Chord, Note, Section, Tempo, check_batch
from services.composer.engine import compose, compose_beat, initial_state
from services.composer.orchestra import patches_of
from services.composer.scale import scale_of
from tests.unit.composer.pieces import FORMAT, MODES, SEEDS, piece

each_piece = pytest.mark.parametrize(("seed", "key"), [(seed, key) for seed in SEEDS for key in MODES])
each_mode = pytest.mark.parametrize("key", MODES)
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
_FINGERPRINT = """
import hashlib, msgspec
from auralis.audio import AudioFormat
from auralis.controls import Controls
from services.composer.engine import compose, initial_state
controls = Controls("D minor", 71.5, 0.63)
events, state = compose(initial_state(11, 4410, controls), controls, 4_000_000, AudioFormat())
print(hashlib.blake2b(msgspec.msgpack.encode((events, state))).hexdigest())
"""


def fingerprint(hash_seed):
    run = subprocess.run(
        [sys.executable, "-c", _FINGERPRINT],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    return run.stdout


def test_one_seed_is_one_piece_in_every_process():
    assert fingerprint("1") == fingerprint("2")


def test_composing_in_one_go_or_beat_by_beat_is_the_same():
    controls = Controls()
    state = initial_state(1, 0, controls)
    events, after = compose(state, controls, FORMAT.frames(60), FORMAT)
    beats = [beat for beat in piece().beats if beat.before.frame < FORMAT.frames(60)]
    assert events == tuple(event for beat in beats for event in beat.events)
    assert after == beats[-1].after


def test_different_seeds_are_different_pieces():
    lines = {tuple(note.pitch for note in piece(seed).line("melody")[:30]) for seed in SEEDS}
    assert len(lines) == len(SEEDS)


def test_a_piece_may_begin_at_any_frame():
    controls = Controls()
    events, _ = compose(
        initial_state(1, 1_000_003, controls), controls, 1_000_003 + FORMAT.frames(30), FORMAT
    )
    shifted = [msgspec.structs.replace(event, at_frame=event.at_frame - 1_000_003) for event in events]
    same = piece().events[: len(events)]
    assert [(type(e), e.at_frame) for e in shifted] == [(type(e), e.at_frame) for e in same]


def test_the_sample_rate_changes_frames_and_not_the_music():
    controls, other = Controls(), AudioFormat(48_000)
    events, _ = compose(initial_state(1, 0, controls), controls, other.frames(120), other)
    here = [note for note in piece().line("melody") if note.at_frame < FORMAT.frames(120)]
    there = [event for event in events if isinstance(event, Note) and event.layer == "melody"]
    assert [note.pitch for note in here] == [note.pitch for note in there]
    for a, b in zip(here, there, strict=True):
        assert a.at_frame / 44_100 == pytest.approx(b.at_frame / 48_000, abs=1e-3)


@each_piece
def test_every_beat_is_a_valid_batch_of_its_frames_in_order(seed, key):
    for beat in piece(seed, key).beats:
        check_batch(Batch(0, beat.before.frame, beat.after.frame, beat.events))
        assert all(a.at_frame <= b.at_frame for a, b in pairwise(beat.events))


@each_piece
def test_every_note_has_an_id_of_its_own(seed, key):
    ids = [note.id for note in piece(seed, key).notes]
    assert len(set(ids)) == len(ids)


@each_piece
def test_every_layer_plays_on_its_patch(seed, key):
    played = piece(seed, key).notes
    assert {note.layer for note in played} >= {"drone", "pad", "melody", "bells", "texture", "percussion"}
    assert all(note.patch in patches_of(note.layer) for note in played)


@pytest.mark.parametrize("intensity", LEVELS)
def test_a_listener_hears_something_at_once(intensity):
    first = [
        note for note in piece(intensity=intensity, minutes=1).notes if note.at_frame < FORMAT.frames(0.3)
    ]
    assert "bells" in {note.layer for note in first}
    assert {"drone", "pad"} <= {note.layer for note in first}


def test_a_piece_begins_with_all_that_a_reader_must_know():
    opening = piece().beats[0].events[:4]
    assert {type(event) for event in opening} == {Section, Tempo, Automation, Chord}
    assert all(event.at_frame == 0 for event in opening)
    (intensity,) = [event for event in opening if isinstance(event, Automation)]
    assert (intensity.value, intensity.ramp_frames) == (0.5, 0)


@pytest.mark.parametrize("kind", [Section, Tempo, Automation, Chord])
@pytest.mark.parametrize("bpm", [40.0, 120.0])
def test_a_reader_that_starts_anywhere_knows_all_within_70_seconds(kind, bpm):
    frames = [event.at_frame for event in piece(bpm=bpm).events if isinstance(event, kind)]
    assert max(b - a for a, b in pairwise(frames)) < FORMAT.frames(70)


@each_piece
def test_upper_voices_move_by_little(seed, key):
    moves = [
        abs(a - b)
        for one, other in pairwise(piece(seed, key).chords)
        for a, b in zip(one.pitches[1:], other.pitches[1:], strict=True)
    ]
    assert 0.3 < mean(moves) <= 1.2
    assert max(moves) <= 7


@each_piece
def test_the_melody_is_singable(seed, key):
    line = piece(seed, key).line("melody")
    assert all(60 <= note.pitch <= 83 for note in line)
    assert len({note.pitch for note in line}) >= 8


@each_piece
def test_the_melody_rests_about_as_long_as_it_sings(seed, key):
    sung = sum(note.duration_frames for note in piece(seed, key).line("melody"))
    assert 0.15 < sung / FORMAT.frames(600) < 0.65


@each_piece
def test_melodic_phrases_are_short_and_separated(seed, key):
    line = piece(seed, key).line("melody")
    gaps = [b.at_frame - a.release_frame for a, b in pairwise(line)]
    lengths, notes = [], 1
    for gap in gaps:
        if gap > FORMAT.frames(0.8):
            lengths.append(notes)
            notes = 0
        notes += 1
    assert 2 <= mean(lengths) <= 7
    assert len(lengths) > 30


@each_piece
def test_every_note_belongs_to_its_chords_scale_or_passes_by_step(seed, key):
    melody = piece(seed, key).line("melody")
    place = {note.id: n for n, note in enumerate(melody)}
    for beat in piece(seed, key).beats:
        for note in beat.pitched:
            if note.pitch % 12 not in beat.after.chord.scale and note is not melody[-1]:
                before, after = melody[place[note.id] - 1], melody[place[note.id] + 1]
                assert 1 <= abs(before.pitch - note.pitch) <= 2
                assert 1 <= abs(after.pitch - note.pitch) <= 2


@each_piece
def test_less_than_five_percent_of_the_time_sounds_outside_the_key(seed, key):
    tones = scale_of(parse_key(key))
    notes = [note for beat in piece(seed, key).beats for note in beat.pitched]
    foreign = sum(note.duration_frames for note in notes if note.pitch % 12 not in tones)
    assert foreign / sum(note.duration_frames for note in notes) < 0.05


@each_mode
def test_the_melody_sings_mostly_chord_tones_a_quarter_scale_tones_and_few_others(key):
    kinds = Counter()
    for seed in SEEDS:
        for beat in piece(seed, key).beats:
            chord = beat.after.chord
            for note in beat.line("melody"):
                tone = note.pitch % 12
                kind = "chord" if tone in chord.tones else "scale" if tone in chord.scale else "foreign"
                kinds[kind] += note.duration_frames
    assert kinds["chord"] / kinds.total() == pytest.approx(0.72, abs=0.05)
    assert kinds["scale"] / kinds.total() == pytest.approx(0.25, abs=0.05)
    assert kinds["foreign"] / kinds.total() == pytest.approx(0.04, abs=0.03)


@each_piece
def test_no_eight_bars_return_exactly(seed, key):
    beats = piece(seed, key).beats
    contents = [tuple((note.layer, note.pitch) for note in beat.notes) for beat in beats]
    windows = [tuple(contents[n : n + 32]) for n in range(0, len(contents) - 32, 4)]
    assert len(set(windows)) == len(windows)


@each_mode
def test_intensity_makes_the_music_denser(key):
    for layer in ("pad", "melody", "bells"):
        counts = [
            sum(len(piece(seed, key, intensity=i, minutes=6).line(layer)) for seed in SEEDS[:2])
            for i in LEVELS
        ]
        assert counts == sorted(counts)
    totals = [sum(len(piece(seed, key, intensity=i, minutes=6).notes) for seed in SEEDS[:2]) for i in LEVELS]
    assert totals[-1] > 1.5 * totals[0]


@each_mode
def test_intensity_makes_the_music_brighter_and_stronger(key):
    for layer in ("pad", "melody", "bells"):
        lines = [
            [note for seed in SEEDS[:2] for note in piece(seed, key, intensity=i, minutes=6).line(layer)]
            for i in (0, 0.5, 1)
        ]
        pitches = [mean(note.pitch for note in line) for line in lines]
        velocities = [mean(note.velocity for note in line) for line in lines]
        assert pitches == sorted(pitches)
        assert velocities == sorted(velocities)


@each_mode
def test_chords_change_faster_at_high_intensity(key):
    counts = [sum(len(piece(seed, key, intensity=i, minutes=6).chords) for seed in SEEDS[:2]) for i in LEVELS]
    assert counts == sorted(counts)


def test_players_are_human_no_two_onsets_on_the_grid_are_alike():
    music = piece()
    late = [note.at_frame - beat.before.frame for beat in music.beats for note in beat.line("pad")]
    assert min(late) > 0
    assert max(late) < FORMAT.frames(0.2)
    assert len(set(late)) > len(late) / 3


def test_a_state_stays_small():
    sizes = [len(msgspec.msgpack.encode(beat.after)) for beat in piece(bpm=120.0, intensity=1.0).beats]
    assert max(sizes) < 1000


def test_a_state_survives_its_encoding():
    for beat in piece().beats[::50]:
        data = msgspec.msgpack.encode(beat.after)
        assert msgspec.msgpack.decode(data, type=type(beat.after)) == beat.after


def test_a_beat_is_composed_in_less_than_two_milliseconds():
    controls = Controls(intensity=1.0)
    state, times = initial_state(5, 0, controls), []
    for _ in range(300):
        begun = perf_counter()
        _, state = compose_beat(state, controls, FORMAT)
        times.append(perf_counter() - begun)
    assert median(times) < 2e-3
