"""Score entries: plain msgpack, read back as written, every wrong field reported."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.errors import ProtocolError
from auralis.score.events import (
    Automation,
    Batch,
    Chord,
    Event,
    Note,
    Patch,
    Revise,
    Section,
    Tempo,
    check_batch,
    decode_batch,
    encode_batch,
)

FROM, UNTIL = 44_100, 88_200
frames = st.integers(FROM, UNTIL - 1)
units = st.floats(0, 1)
layers = st.sampled_from(("drone", "pad", "choir", "bells", "melody", "answer", "texture", "percussion"))
pitches = st.floats(0, 127)
durations = st.integers(1, 2**47)

events = st.one_of(
    st.builds(
        Note,
        at_frame=frames,
        id=st.integers(-(2**62), 2**62),
        duration_frames=durations,
        pitch=pitches,
        velocity=units,
        patch=st.text(max_size=8),
        layer=layers,
        pan=st.floats(-1, 1),
    ),
    st.builds(
        Chord,
        at_frame=frames,
        duration_frames=durations,
        root=st.integers(0, 11),
        quality=st.text(max_size=8),
        degree=st.text(max_size=8),
        pitches=st.lists(pitches, max_size=6).map(tuple),
    ),
    st.builds(
        Automation,
        at_frame=frames,
        parameter=st.sampled_from(("intensity", "brightness", "quality")),
        ramp_frames=st.integers(0, 2**40),
        value=units,
    ),
    st.builds(Tempo, at_frame=frames, bpm=st.floats(20, 300)),
    st.builds(Section, at_frame=frames, name=st.text(max_size=8)),
    st.builds(Patch, at_frame=frames, layer=layers, patch=st.text(max_size=8)),
)
batches = st.builds(
    lambda revision, revises, found: Batch(
        revision, FROM, UNTIL, (*([Revise(at_frame=FROM)] if revises else []), *found)
    ),
    st.integers(0, 2**32),
    st.booleans(),
    st.lists(events, max_size=8),
)

NOTE = {
    "type": "note",
    "at_frame": FROM,
    "id": 7,
    "duration_frames": 4410,
    "pitch": 60.0,
    "velocity": 0.5,
    "patch": "warm_pad",
    "layer": "pad",
}
CHORD = {
    "type": "chord",
    "at_frame": FROM,
    "duration_frames": 4410,
    "root": 9,
    "quality": "min",
    "degree": "i",
    "pitches": [45.0, 57.0],
}
RAMP = {"type": "automation", "at_frame": FROM, "parameter": "intensity", "ramp_frames": 0, "value": 0.5}


def _entry(*found: dict[str, Any], **fields: Any) -> bytes:
    """An entry as an outsider would write it, with an independent implementation of msgpack."""
    entry = {"v": 1, "revision": 3, "from_frame": FROM, "until_frame": UNTIL, "events": list(found)}
    return bytes(msgpack.packb(entry | fields))


@given(batches)
def test_a_batch_is_read_as_it_was_written(batch: Batch) -> None:
    assert decode_batch(encode_batch(batch)) == batch


@given(batches)
def test_an_entry_is_plain_msgpack_that_anybody_can_read(batch: Batch) -> None:
    entry = msgpack.unpackb(encode_batch(batch))
    assert set(entry) == {"v", "revision", "from_frame", "until_frame", "events"}
    assert entry["v"] == 1
    assert [event["type"] for event in entry["events"]] == [
        type(event).__name__.lower() for event in batch.events
    ]
    assert decode_batch(msgpack.packb(entry)) == batch


def test_an_entry_of_another_implementation_is_read() -> None:
    batch = decode_batch(_entry({"type": "revise", "at_frame": FROM}, NOTE, CHORD, RAMP))
    assert batch.revises
    assert [type(event) for event in batch.events] == [Revise, Note, Chord, Automation]
    assert batch.events[1] == Note(
        at_frame=FROM, id=7, duration_frames=4410, pitch=60.0, velocity=0.5, patch="warm_pad", layer="pad"
    )


def test_the_gate_of_a_note_closes_after_its_duration() -> None:
    (note,) = decode_batch(_entry(NOTE)).events
    assert isinstance(note, Note)
    assert note.release_frame == FROM + 4410


@pytest.mark.parametrize(
    ("template", "field", "value"),
    [
        (NOTE, "at_frame", -1),
        (NOTE, "at_frame", 1.5),
        (NOTE, "at_frame", 2**49),
        (NOTE, "id", None),
        (NOTE, "id", 0.5),
        (NOTE, "duration_frames", 0),
        (NOTE, "duration_frames", -4410),
        (NOTE, "duration_frames", 2**49),
        (NOTE, "pitch", 128),
        (NOTE, "pitch", -0.1),
        (NOTE, "pitch", float("nan")),
        (NOTE, "pitch", "C4"),
        (NOTE, "velocity", 1.01),
        (NOTE, "velocity", float("inf")),
        (NOTE, "pan", -1.5),
        (NOTE, "pan", float("nan")),
        (NOTE, "patch", 3),
        (NOTE, "layer", "kazoo"),
        (CHORD, "root", 12),
        (CHORD, "root", -1),
        (CHORD, "pitches", 60.0),
        (CHORD, "pitches", [60.0] * 17),
        (CHORD, "duration_frames", 0),
        (RAMP, "parameter", "volume"),
        (RAMP, "ramp_frames", -1),
        (RAMP, "value", 2.0),
        (RAMP, "value", float("nan")),
    ],
)
def test_a_wrong_field_of_an_event_is_refused_by_its_path(
    template: dict[str, Any], field: str, value: Any
) -> None:
    with pytest.raises(ProtocolError, match=rf"score entry: .*\$\.events\[0\]\.{field}"):
        decode_batch(_entry(template | {field: value}))


@pytest.mark.parametrize("bpm", [19.9, 300.1, float("nan")])
def test_a_tempo_that_nobody_can_play_is_refused(bpm: float) -> None:
    with pytest.raises(ProtocolError, match=r"score entry: .*bpm"):
        decode_batch(_entry({"type": "tempo", "at_frame": FROM, "bpm": bpm}))


@pytest.mark.parametrize("field", [name for name in NOTE if name != "type"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(ProtocolError, match=f"score entry: .*`{field}`"):
        decode_batch(_entry({name: value for name, value in NOTE.items() if name != field}))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"v": 2}, "v"),
        ({"revision": -1}, "revision"),
        ({"from_frame": -1}, "from_frame"),
        ({"until_frame": "soon"}, "until_frame"),
        ({"events": None}, "events"),
        ({"events": [{"type": "cowbell", "at_frame": FROM}]}, "cowbell"),
    ],
)
def test_a_wrong_field_of_the_entry_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(ProtocolError, match=f"score entry: .*{named}"):
        decode_batch(_entry(**fields))


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"not msgpack", b"\xc1", encode_batch(Batch(0, 0, 1, ()))[:-1]]
)
def test_bytes_that_are_no_entry_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="score entry: "):
        decode_batch(data)


@given(st.binary(max_size=64))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        decode_batch(data)
    except ProtocolError:
        return


def test_a_batch_does_not_end_before_it_begins() -> None:
    with pytest.raises(ProtocolError, match="until_frame 9 is before from_frame 10"):
        check_batch(Batch(0, 10, 9, ()))


@pytest.mark.parametrize("frame", [9, 20, 2**60])
def test_an_event_lies_within_its_batch(frame: int) -> None:
    event = Section(at_frame=frame, name="coda")
    with pytest.raises(ProtocolError, match=f"section at frame {frame}: expected 10 to 19"):
        check_batch(Batch(0, 10, 20, (event,)))


@pytest.mark.parametrize(
    "found", [(Section(at_frame=10, name="a"), Revise(at_frame=10)), (Revise(at_frame=11),)]
)
def test_revise_stands_once_first_and_at_the_beginning(found: tuple[Event, ...]) -> None:
    with pytest.raises(ProtocolError, match=r"revise at frame 1[01]: expected once, first, at from_frame"):
        check_batch(Batch(0, 10, 20, found))


def test_a_batch_may_drop_everything_and_add_nothing() -> None:
    check_batch(Batch(0, 10, 10, (Revise(at_frame=10),)))
