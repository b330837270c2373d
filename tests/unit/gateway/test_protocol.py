"""The text messages of the WebSocket."""

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.controls import Controls
from auralis.errors import InvalidValue
from auralis.score.events import Chord, Note
from services.gateway.frames import text_frame
from services.gateway.protocol import (
    Auth,
    CodecRequest,
    ControlAck,
    ControlRequest,
    ErrorMessage,
    Hello,
    Ping,
    Pong,
    ScoreMessage,
    ServerMessage,
    StateMessage,
    Stats,
    checked_codec,
    id_in,
    parse_client,
)


def sent(message: ServerMessage) -> dict[str, object]:
    """A message as its recipient decodes it."""
    frame = text_frame(message)
    head = 2 if frame[1] < 126 else 4
    found: dict[str, object] = json.loads(frame[head:])
    return found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"control","id":"7","set":{"bpm":70}}', ControlRequest("7", {"bpm": 70})),
        ('{"type":"control","id":7,"set":{}}', ControlRequest(7, {})),
        ('{"type":"ping","t":12.5}', Ping(12.5)),
        ('{"type":"codec","codec":"pcm"}', CodecRequest("pcm")),
        ('{"type":"stats","underruns":2,"buffer_ms":312.5,"state":"playing"}', Stats(2)),
        ('{"type":"stats"}', Stats(0)),
        ('{"type":"auth","token":"t"}', Auth("t")),
    ],
)
def test_reads_every_message(text: str, message: object) -> None:
    assert parse_client(text) == message


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("hello", "message", "hello"),
        ('{"t":1}', "type", None),
        ('{"type":"contrl"}', "type", "contrl"),
        ('{"type":["control"]}', "type", ["control"]),
        ('{"type":"control","set":{}}', "id", None),
        ('{"type":"control","id":true,"set":{}}', "id", True),
        ('{"type":"control","id":"x","set":[1]}', "set", [1]),
        ('{"type":"control","id":"x","set":{},"sett":{}}', "sett", {}),
        ('{"type":"ping","t":"now"}', "t", "now"),
        ('{"type":"ping","t":1e300}', "t", 1e300),
        ('{"type":"stats","underruns":-1}', "underruns", -1),
        ('{"type":"auth","token":5}', "token", 5),
    ],
)
def test_an_error_names_the_field_and_quotes_the_value(text: str, field: str, value: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_client(text)
    assert (caught.value.field, caught.value.value) == (field, value)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ('{"type":"ping"}', "a number from -1e18 to 1e18"),
        ('{"type":"ping","t":null}', "a number from -1e18 to 1e18"),
        ('{"type":"ping","t":1,"z":2}', "only the fields type, t"),
        ('{"type":"ping","z":2}', "only the fields type, t"),
        ('{"type":"control","id":"x","set":[1]}', "an object with control values"),
        (
            '{"type":"control","id":null,"set":{}}',
            "text of up to 64 characters, or a whole number of up to 53 bits",
        ),
        ('{"type":"stats","underruns":-1,"z":2}', "a whole number from 0 to 1000000000"),
    ],
)
def test_an_error_says_what_is_allowed_in_words(text: str, allowed: str) -> None:
    """In the protocol's own words, not the validation library's."""
    with pytest.raises(InvalidValue) as caught:
        parse_client(text)
    assert caught.value.allowed == allowed


@given(
    st.sampled_from(["control", "ping", "codec", "stats", "auth"]),
    st.dictionaries(
        st.sampled_from(["id", "set", "t", "codec", "underruns", "reconnects", "token", "z", "$.t"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
    ),
)
def test_any_fields_are_read_or_refused(kind: str, fields: dict[str, object]) -> None:
    """Whatever is wrong with them, it can be put into words."""
    with contextlib.suppress(InvalidValue):
        parse_client(json.dumps({"type": kind, **fields}))


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing that a client sends raises anything else."""
    with contextlib.suppress(InvalidValue):
        parse_client(text)
    id_in(text)


def test_the_id_of_a_bad_message_is_found() -> None:
    """So that its sender knows which one was meant."""
    assert id_in('{"type":"control","id":"x","set":3}') == "x"
    assert id_in('{"type":"control","id":[1]}') is None
    assert id_in("{") is None


def test_opus_is_not_offered_yet() -> None:
    with pytest.raises(InvalidValue, match="allowed: one of pcm"):
        checked_codec("opus")
    assert checked_codec("pcm") == "pcm"


def test_hello_has_the_fields_of_the_contract() -> None:
    hello = Hello("main", 17, 44_100, 2, 4410, "pcm", Controls(), 3, 99, 5, True)
    assert sent(hello) == {
        "type": "hello",
        "channel": "main",
        "epoch_us": 17,
        "sample_rate": 44_100,
        "channels": 2,
        "frames_per_chunk": 4410,
        "codec": "pcm",
        "controls": msgspec.to_builtins(Controls()),
        "revision": 3,
        "live_seq": 99,
        "burst": 5,
        "control_open": True,
    }


def test_score_carries_events_as_they_are_in_the_log() -> None:
    note = Note(4410, 7, 8820, 60.0, 0.5, "bell", "bells")
    chord = Chord(0, 44_100, 9, "m7", "i7", (45.0, 60.0))
    message = sent(ScoreMessage(None, 0, 44_100, (chord, note)))
    assert message["revise_from"] is None
    assert message["events"] == [
        {
            "type": "chord",
            "at_frame": 0,
            "duration_frames": 44_100,
            "root": 9,
            "quality": "m7",
            "degree": "i7",
            "pitches": [45.0, 60.0],
        },
        {
            "type": "note",
            "at_frame": 4410,
            "id": 7,
            "duration_frames": 8820,
            "pitch": 60.0,
            "velocity": 0.5,
            "patch": "bell",
            "layer": "bells",
            "pan": 0.0,
        },
    ]


def test_the_short_messages() -> None:
    assert sent(ControlAck("a", 4, None)) == {
        "type": "control_ack",
        "id": "a",
        "revision": 4,
        "effective_seq": None,
    }
    assert sent(Pong(1.5, 99)) == {"type": "pong", "t": 1.5, "server_us": 99}
    assert sent(ErrorMessage(401, "Unauthorized", "no token")) == {
        "type": "error",
        "status": 401,
        "title": "Unauthorized",
        "detail": "no token",
    }
    assert sent(ErrorMessage(400, "Value not allowed", "t: …", field="t", value=None))["value"] is None
    assert sent(StateMessage(Controls(), 1, 2, 3, 4))["listeners"] == 3
