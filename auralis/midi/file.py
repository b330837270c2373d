"""A stretch of score as a Standard MIDI File of type 1: a conductor track, then one track per layer."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from mido import Message, MetaMessage, MidiFile, MidiTrack

from auralis.controls import Controls
from auralis.midi.instruments import LAYERS, channel_of, key_of, program_of
from auralis.midi.names import chord_name, signature_name
from auralis.midi.tempo_map import TICKS_PER_BEAT, TempoMap, tempo_map
from auralis.score.events import Layer, Note
from auralis.score.stretch import Stretch
from auralis.score.tonality import key_at

MEDIA_TYPE: Final = "audio/midi"
_BEATS_A_BAR: Final = 4
_LOUDEST: Final = 127


class _Placed(NamedTuple):
    """A message and its tick; messages at the same tick are sorted by ``order``."""

    tick: int
    order: int
    message: Any


class _Key(NamedTuple):
    """A key held from ``on`` to ``off``, in ticks."""

    on: int
    off: int
    key: int
    velocity: int
    program: int


def midi_of(stretch: Stretch, title: str) -> bytes:
    """The stretch as a file: time 0 is its first frame, and the file ends with its last one.

    The same stretch gives the same bytes. A key that is struck again while it is held is released first, as
    on a piano: a MIDI channel can't hold two notes of the same pitch.
    """
    ticks = tempo_map(
        stretch.tempi, stretch.start_frame, stretch.audio.sample_rate_hz, default_bpm=Controls().bpm
    )
    end = ticks.tick(stretch.end_frame)
    file = MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(_track(title, _conductor_events(stretch, ticks), end))
    for layer in LAYERS:
        notes = [note for note in stretch.notes if note.layer == layer]
        if notes:
            file.tracks.append(_track(layer, _layer_events(layer, notes, ticks), end))
    written = io.BytesIO()
    file.save(file=written)
    return written.getvalue()


def _track(name: str, placed: Iterable[_Placed], end: int) -> MidiTrack:
    track = MidiTrack([MetaMessage("track_name", name=name)])
    at = 0
    for tick, _, message in sorted(placed, key=lambda each: each[:2]):
        track.append(message.copy(time=tick - at))
        at = tick
    track.append(MetaMessage("end_of_track", time=max(0, end - at)))
    return track


# -- The conductor track


def _conductor_events(stretch: Stretch, ticks: TempoMap) -> Iterator[_Placed]:
    """Metre, tempi, key signatures, sections as markers, chords as text."""
    yield _Placed(0, 0, MetaMessage("time_signature", numerator=_BEATS_A_BAR, denominator=4))
    for mark in ticks.marks:
        yield _Placed(mark.tick, 0, MetaMessage("set_tempo", tempo=mark.us_per_beat))
    for at_frame, key in stretch.keys:
        yield _Placed(ticks.tick(at_frame), 1, MetaMessage("key_signature", key=signature_name(key)))
    for section in stretch.sections:
        yield _Placed(ticks.tick(section.at_frame), 2, MetaMessage("marker", text=section.name))
    for chord in stretch.chords:
        name = chord_name(chord, key_at(stretch.keys, chord.at_frame))
        yield _Placed(ticks.tick(chord.at_frame), 3, MetaMessage("text", text=name))


# -- The layers


def _layer_events(layer: Layer, notes: Sequence[Note], ticks: TempoMap) -> Iterator[_Placed]:
    """Note on and off, and a program change where the instrument changes."""
    channel, program = channel_of(layer), None
    for on, off, key, velocity, wanted in _keys(notes, ticks):
        if wanted != program:
            program = wanted
            yield _Placed(on, 1, Message("program_change", channel=channel, program=program))
        yield _Placed(on, 2, Message("note_on", channel=channel, note=key, velocity=velocity))
        yield _Placed(off, 0, Message("note_off", channel=channel, note=key, velocity=0))


def _keys(notes: Sequence[Note], ticks: TempoMap) -> list[_Key]:
    """The keys by onset; of those struck twice at the same tick only the louder one."""
    struck: dict[tuple[int, int], _Key] = {}
    for key in sorted((_key(note, ticks) for note in notes), key=lambda each: (each.on, each.velocity)):
        struck[key.key, key.on] = key
    following: dict[int, int] = {}
    kept: list[_Key] = []
    for key in reversed(struck.values()):
        kept.append(key._replace(off=min(key.off, following.get(key.key, key.off))))
        following[key.key] = key.on
    return kept[::-1]


def _key(note: Note, ticks: TempoMap) -> _Key:
    on = ticks.tick(note.at_frame)
    off = max(on + 1, ticks.tick(note.release_frame))
    velocity = max(1, round(note.velocity * _LOUDEST))
    return _Key(on, off, key_of(note), velocity, program_of(note))
