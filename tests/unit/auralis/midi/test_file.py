"""The Standard MIDI File, read back by two readers that share no code: mido and symusic (C++)."""

import io
from typing import Any, NamedTuple, get_args

import mido
import pytest
import symusic

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.keys import KEY_NAMES, parse_key
from auralis.midi.file import midi_of
from auralis.midi.instruments import channel_of, key_of, program_of
from auralis.midi.names import chord_name, signature_name
from auralis.score.entry_id import EntryId
from auralis.score.events import Batch, Chord, Event, Layer, Note, Revise, Section, Tempo
from auralis.score.score import Score
from auralis.score.stretch import Stretch, stretch_of
from services.composer.chords import QUALITIES
from services.composer.plan import begin, extend, revise
from services.synth.patches.library import library

AUDIO = AudioFormat()
RATE = AUDIO.sample_rate_hz
HALF_TICK_S = 0.5 * 60 / 40 / 1920 + 1e-6  # at the slowest tempo


def frames(seconds: float) -> int:
    return AUDIO.frames(seconds)


def score_of(*events: Event, seconds: float = 60.0) -> Score:
    score = Score()
    score.apply(EntryId(1, 0), Batch(0, 0, frames(seconds), events))
    return score


def cut(score: Score, start_s: float, end_s: float) -> Stretch:
    return stretch_of(score.view(), AUDIO, frames(start_s), frames(end_s))


def note(at_s: float, pitch: float = 60, length_s: float = 1.0, layer: Layer = "pad", **more: Any) -> Note:
    number = more.pop("number", round(at_s * 1000) * 128 + round(pitch))
    patch, velocity = more.pop("patch", "warm_pad"), more.pop("velocity", 0.5)
    return Note(frames(at_s), number, frames(length_s), pitch, velocity, patch, layer)


@pytest.fixture(scope="module")
def turned() -> Stretch:
    """Minutes 1 to 4 of a piece whose key and tempo were changed in its second minute."""
    plan, first = extend(begin(5, 0, Controls(intensity=0.9), 0), frames(90), AUDIO)
    plan, second = revise(plan, frames(80), Controls(key="Eb major", bpm=97, intensity=0.9), 1, AUDIO)
    _, third = extend(plan, frames(250), AUDIO)
    score = Score()
    for number, batch in enumerate((first, second, third), 1):
        score.apply(EntryId(number, 0), batch)
    return cut(score, 60, 240)


class Struck(NamedTuple):
    """A note as a reader found it."""

    layer: str
    key: int
    on_s: float
    off_s: float


def by_mido(data: bytes) -> list[Struck]:
    """All notes, with times from mido's own clock over the merged tracks."""
    file, open_, found = mido.MidiFile(file=io.BytesIO(data)), {}, []
    names = {m.channel: t.name for t in file.tracks for m in t if m.type == "note_on"}
    at_s = 0.0
    for message in file:
        at_s += message.time
        if message.type == "note_on":
            assert (message.channel, message.note) not in open_
            open_[message.channel, message.note] = at_s
        elif message.type == "note_off":
            on_s = open_.pop((message.channel, message.note))
            found.append(Struck(names[message.channel], message.note, on_s, at_s))
    assert not open_
    return sorted(found)


def by_symusic(data: bytes) -> list[Struck]:
    score = symusic.Score.from_midi(data, ttype="second")
    return sorted(
        Struck(track.name, note.pitch, note.time, note.time + note.duration)
        for track in score.tracks
        for note in track.notes
    )


def expected(stretch: Stretch) -> list[Struck]:
    """Derived from the events alone: a note ends where its key is struck again."""
    struck = [
        Struck(n.layer, key_of(n), stretch.second(n.at_frame), stretch.second(n.release_frame))
        for n in stretch.notes
    ]
    again: dict[tuple[Any, ...], float] = {}
    ended = []
    for one in sorted(struck, key=lambda each: each.on_s, reverse=True):
        ended.append(one._replace(off_s=min(one.off_s, again.get(one[:2], one.off_s))))
        again[one[:2]] = one.on_s
    return sorted(ended)


@pytest.mark.parametrize("read", [by_mido, by_symusic])
def test_onsets_and_ends_are_those_of_the_score(turned: Stretch, read: Any) -> None:
    """Across a tempo ramp, in every layer, to within half a tick."""
    found, wanted = read(midi_of(turned, "main")), expected(turned)
    assert [each[:2] for each in found] == [each[:2] for each in wanted]
    assert len(found) > 300
    for one, other in zip(found, wanted, strict=True):
        assert one.on_s == pytest.approx(other.on_s, abs=HALF_TICK_S)
        assert one.off_s == pytest.approx(other.off_s, abs=2 * HALF_TICK_S)


def test_both_readers_agree_on_the_marks(turned: Stretch) -> None:
    """Tempi, key signatures, sections, and the total length."""
    data = midi_of(turned, "main")
    file, other = mido.MidiFile(file=io.BytesIO(data)), symusic.Score.from_midi(data, ttype="tick")
    conductor = file.tracks[0]
    at, by_type = 0, {}
    for message in conductor:
        at += message.time
        by_type.setdefault(message.type, []).append((at, message))
    assert [(at, m.tempo) for at, m in by_type["set_tempo"]] == [(t.time, t.mspq) for t in other.tempos]
    assert [m.key for _, m in by_type["key_signature"]] == ["Am", "Eb"]
    assert [(k.key, k.tonality) for k in other.key_signatures] == [(0, 1), (-3, 0)]
    assert [(at, m.text) for at, m in by_type["marker"]] == [(m.time, m.text) for m in other.markers]
    assert file.length == pytest.approx(180, abs=HALF_TICK_S)
    assert file.type == 1


def test_the_tempo_ramp_is_there(turned: Stretch) -> None:
    """From 60 to 97, in the ramp's steps."""
    score = symusic.Score.from_midi(midi_of(turned, "main"), ttype="second")
    bpm = [tempo.qpm for tempo in score.tempos]
    assert bpm[0] == pytest.approx(60)
    assert bpm[-1] == pytest.approx(97, abs=2e-3)
    assert bpm == sorted(bpm)
    assert len(bpm) == 5


def test_chords_fall_on_bar_lines_and_are_named() -> None:
    """A piece from its beginning: whole bars of four beats."""
    _, batch = extend(begin(5, 0, Controls(key="D minor", bpm=73), 0), frames(120), AUDIO)
    data = midi_of(cut(score_of(*batch.events, seconds=130), 0, 110), "piece")
    at, names = 0, []
    for message in mido.MidiFile(file=io.BytesIO(data)).tracks[0]:
        at += message.time
        if message.type == "text":
            names.append(message.text)
            assert min(at % 7680, -at % 7680) <= 1
    assert names[0].startswith("Dm")
    assert len(names) > 5


def test_a_stretch_begins_with_what_is_in_force_and_sounds() -> None:
    """The tempo, key, section and chord from before, and the note that is still held, cut to the stretch."""
    stretch = cut(
        score_of(
            Section(0, "drift"),
            Tempo(0, 80.0),
            Chord(0, frames(60), 9, "m9", "i", (45.0, 60.0)),
            note(5, 60, 10),
            note(6, 62, 2),
            note(19, 64, 9),
        ),
        10,
        20,
    )
    data = midi_of(stretch, "main")
    assert by_mido(data) == [
        ("pad", 60, 0, pytest.approx(5, abs=HALF_TICK_S)),
        ("pad", 64, pytest.approx(9, abs=HALF_TICK_S), pytest.approx(10, abs=HALF_TICK_S)),
    ]
    first = [m for m in mido.MidiFile(file=io.BytesIO(data)).tracks[0] if m.time == 0]
    said = {m.type: m for m in first}
    assert said["set_tempo"].tempo == 750_000
    assert (said["key_signature"].key, said["marker"].text, said["text"].text) == ("Am", "drift", "Am9")


def test_what_was_dropped_is_not_in_it() -> None:
    """A revision withdraws notes that had not begun."""
    score = score_of(note(1, 60), note(9, 62))
    score.apply(EntryId(2, 0), Batch(1, frames(5), frames(60), (Revise(frames(5)), note(8, 64))))
    assert [each.key for each in by_mido(midi_of(cut(score, 0, 30), "main"))] == [60, 64]


def test_a_held_chord_without_end_ends_with_the_stretch() -> None:
    """The score has run dry: the chord that is held instead is heard, and exported."""
    score = score_of(Chord(0, frames(10), 9, "m7", "i", (45.0, 60.0)), seconds=10)
    found = by_mido(midi_of(cut(score, 0, 15), "main"))
    assert [(each.key, round(each.on_s, 2), round(each.off_s, 2)) for each in found] == [
        (45, 10, 15),
        (60, 10, 15),
    ]


def test_a_key_struck_again_is_released_first() -> None:
    """Two at the same time become one, the louder."""
    stretch = cut(score_of(note(1, 60, 5), note(3, 60, 1), note(3, 60, 4, velocity=1.0, number=7)), 0, 10)
    data = midi_of(stretch, "main")
    assert [(round(each.on_s, 2), round(each.off_s, 2)) for each in by_mido(data)] == [(1, 3), (3, 7)]
    velocities = [m.velocity for m in mido.MidiFile(file=io.BytesIO(data)) if m.type == "note_on"]
    assert velocities == [64, 127]


def test_every_layer_has_a_track_channel_and_program_of_its_own() -> None:
    """Percussion uses the tenth channel; a new patch is a program change before its note."""
    layers: tuple[Layer, ...] = get_args(Layer)
    notes = [note(number, 60, layer=layer, patch="rim") for number, layer in enumerate(layers)]
    piano, flute = (
        note(at, 70, layer="melody", patch=patch) for at, patch in ((20, "felt_piano"), (25, "flute"))
    )
    file = mido.MidiFile(file=io.BytesIO(midi_of(cut(score_of(*notes, piano, flute), 0, 30), "main")))
    assert [track.name for track in file.tracks] == ["main", *layers]
    channels = {track.name: {m.channel for m in track if hasattr(m, "channel")} for track in file.tracks[1:]}
    assert channels == {layer: {channel_of(layer)} for layer in layers}
    assert channels["percussion"] == {9}
    assert len(set().union(*channels.values())) == len(layers)
    melody = file.tracks[1 + layers.index("melody")]
    said = [(m.type, getattr(m, "program", None)) for m in melody if m.type in ("program_change", "note_on")]
    # The first note's patch falls back to the piano as well, so the piano needs no change.
    programs = [("program_change", 0), ("note_on", None), ("note_on", None), ("program_change", 73)]
    assert said == [*programs, ("note_on", None)]


def test_every_patch_has_an_instrument() -> None:
    """Drums for percussion, programs for the others; none falls back to its layer's default."""
    for name, patch in library().items():
        layer: Layer = "percussion" if patch.family == "percussion" else "pad"
        played = note(0, patch.low, layer=layer, patch=name)
        unknown = note(0, patch.low, layer=layer, patch="unknown")
        assert 0 <= program_of(played) <= 127
        if patch.family == "percussion":
            assert 35 <= key_of(played) <= 81
        elif name != "warm_pad":
            assert program_of(played) != program_of(unknown)


@pytest.mark.parametrize("name", KEY_NAMES)
def test_every_key_has_a_signature_with_fewer_than_seven_accidentals(name: str) -> None:
    """As mido and symusic read it."""
    signature = signature_name(parse_key(name))
    message = mido.MetaMessage("key_signature", key=signature)
    accidentals = int.from_bytes(message.bin()[3:4], signed=True)
    assert abs(accidentals) < 7


@pytest.mark.parametrize(
    ("root", "quality", "bass", "key", "name"),
    [
        (9, "m9", 9, "A minor", "Am9"),
        (5, "maj7", 9, "A minor", "Fmaj7/A"),
        (1, "6/9", 1, "Eb major", "Db6/9"),
        (6, "m7", 4, "D major", "F#m7/E"),
        (0, "add9", 0, None, "C(add9)"),
    ],
)
def test_chords_are_named_as_people_write_them(
    root: int, quality: str, bass: int, key: str | None, name: str
) -> None:
    voiced = Chord(0, 1, root, quality, "I", (36.0 + bass, 72.0))
    assert chord_name(voiced, parse_key(key) if key else None) == name


def test_a_lowered_degree_is_written_with_a_flat() -> None:
    """Whatever else the key contains: the lowered second degree of A minor is B flat."""
    assert chord_name(Chord(0, 1, 10, "maj7", "bII", (46.0,)), parse_key("A minor")) == "Bbmaj7"


def test_every_quality_has_a_name() -> None:
    for quality in QUALITIES:
        assert chord_name(Chord(0, 1, 0, quality, "I", ()), None).isascii()


def test_an_empty_stretch_is_a_file_of_its_length() -> None:
    """Nothing has been heard yet."""
    data = midi_of(stretch_of(Score().view(), AUDIO, 0, frames(30)), "main")
    assert mido.MidiFile(file=io.BytesIO(data)).length == pytest.approx(30)
    assert len(symusic.Score.from_midi(data).tracks) == 0


def test_the_same_stretch_gives_the_same_bytes(turned: Stretch) -> None:
    assert midi_of(turned, "main") == midi_of(turned, "main")
