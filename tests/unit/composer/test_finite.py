from itertools import pairwise

import pytest

from auralis.controls import Controls
from auralis.keys import parse_key
from auralis.score.events import Automation, Chord, Note, Section, Tempo, check_batch
from services.composer.finite import compose_piece
from services.composer.form import CODA
from services.composer.script import script_of
from tests.unit.composer.pieces import FORMAT, MODES, SEEDS

RATE = FORMAT.sample_rate_hz
each_length = pytest.mark.parametrize("seconds", [300, 600, 1800])


def composed(seed=3, seconds=600.0, **controls):
    return compose_piece(seed, Controls(**controls), seconds, FORMAT)


def notes(batch, *layers):
    return [e for e in batch.events if isinstance(e, Note) and (not layers or e.layer in layers)]


def sections(batch):
    """Each section with the second at which it begins."""
    marks = [(event.name, event.at_frame / RATE) for event in batch.events if isinstance(event, Section)]
    return marks[:1] + [after for before, after in pairwise(marks) if after[0] != before[0]]


def chords(batch):
    """Every chord once, even where a mark repeats it."""
    marks = [event for event in batch.events if isinstance(event, Chord)]
    return marks[:1] + [b for a, b in pairwise(marks) if a.degree != b.degree or a.pitches != b.pitches]


def test_the_same_arguments_give_the_same_piece():
    assert composed() == composed()
    assert composed().events != composed(seed=4).events
    assert composed().events != composed(key="D major").events


@pytest.mark.parametrize("seconds", [0.2, 1, 5, 20, 45, 61, 120, 239, 300, 7200])
@pytest.mark.parametrize("bpm", [40.0, 120.0])
def test_a_piece_of_any_length_is_a_valid_batch_that_ends_in_time(seconds, bpm):
    batch = composed(seconds=seconds, bpm=bpm)
    check_batch(batch)
    assert all(a.at_frame <= b.at_frame for a, b in pairwise(batch.events))
    assert {Section, Tempo, Automation, Chord, Note} <= {type(event) for event in batch.events}
    last = max(note.release_frame for note in notes(batch))
    assert last <= max(FORMAT.frames(seconds - 8), max(note.at_frame for note in notes(batch)) + 1)
    assert batch.until_frame > FORMAT.frames(seconds)


@each_length
@pytest.mark.parametrize("seed", SEEDS)
def test_it_dawns_blooms_after_its_middle_and_ends_with_a_coda(seed, seconds):
    names, begins = zip(*sections(composed(seed, seconds)), strict=True)
    assert names[0] == "dawn"
    assert names[-3:] == ("bloom", "dusk", CODA)
    assert 4 <= len(names) <= 8
    assert 0.5 <= begins[-3] / seconds <= 0.7
    assert 60 <= seconds - begins[-1] <= 145
    assert begins[0] == 0
    coda_s = script_of(seed, seconds).coda_s
    assert coda_s - 4 <= begins[-1] <= coda_s


@each_length
@pytest.mark.parametrize("key", MODES)
def test_it_closes_over_a_pedal_and_rings_out(seconds, key):
    batch = composed(seconds=seconds, key=key)
    last = [chord for chord in chords(batch) if chord.at_frame < FORMAT.frames(seconds)][-3:]
    major = key.endswith("major")
    assert [chord.degree for chord in last] == (["I", "IV", "I"] if major else ["i", "iv", "i"])
    assert last[-1].quality == "sus2"
    tonic = parse_key(key).tonic
    assert {chord.pitches[0] % 12 for chord in last} == {tonic}
    assert 12 <= seconds - last[-1].at_frame / RATE <= 20
    ringing = [note for note in notes(batch) if note.at_frame >= last[-1].at_frame]
    assert {note.layer for note in ringing} == {"drone", "pad"}
    assert len(ringing) >= 4
    assert {note.release_frame for note in ringing} == {FORMAT.frames(seconds - 8)}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_layers_leave_from_the_top_while_the_ground_stays(seed):
    batch = composed(seed, intensity=0.8)
    coda = sections(batch)[-1][1]
    order = ("percussion", "texture", "answer", "bells", "choir", "melody", "pad")
    ends = {layer: max(note.at_frame for note in notes(batch, layer)) / RATE for layer in order}
    assert ends["percussion"] <= coda + 20
    assert ends["percussion"] < ends["melody"] < ends["pad"]
    assert ends["bells"] < ends["pad"]
    assert ends["melody"] < 600 - 16


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_motif_comes_once_more_at_the_end(seed):
    batch = composed(seed)
    begin = FORMAT.frames(sections(batch)[-1][1])
    assert [note for note in notes(batch, "melody") if note.at_frame >= begin]
