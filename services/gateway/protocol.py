"""The WebSocket's text messages, in both directions. Numbers are frames, seqs and microseconds."""

import re
from typing import Annotated, Any, Final

import msgspec

from auralis.controls import Controls
from auralis.errors import InvalidValue
from auralis.score.events import Event
from services.gateway.json_input import parse_object

MAX_MESSAGE_BYTES: Final = 4096
SUBPROTOCOL: Final = "auralis.v1"
SUBPROTOCOL_JSON: Final = "auralis.v1.json"
SUBPROTOCOLS: Final = (SUBPROTOCOL, SUBPROTOCOL_JSON)
# Opus will be added when the gateway can encode it.
CODECS: Final = ("pcm",)

CLOSE_GOING_AWAY: Final = 1001
CLOSE_POLICY: Final = 1008
CLOSE_TRY_LATER: Final = 1013
CLOSE_NO_CHANNEL: Final = 4404

_SAFE_INTEGER: Final = 2**53
_Integer = Annotated[int, msgspec.Meta(ge=-_SAFE_INTEGER, le=_SAFE_INTEGER)]
_Number = _Integer | Annotated[float, msgspec.Meta(ge=-1e18, le=1e18)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
RequestId = Annotated[str, msgspec.Meta(max_length=64)] | _Integer


class _Server(msgspec.Struct, frozen=True, tag_field="type"):
    """Base class of the gateway's messages."""


class Hello(_Server, frozen=True, tag="hello"):
    """The first message. ``burst`` chunks follow at once; ``control_open``: the client needs no token."""

    channel: str
    epoch_us: int
    sample_rate: int
    channels: int
    frames_per_chunk: int
    codec: str
    controls: Controls
    revision: int
    live_seq: int
    burst: int
    control_open: bool


class ScoreMessage(_Server, frozen=True, tag="score"):
    """Events of ``[from_frame, until_frame)``; what was shown from ``revise_from`` on is withdrawn."""

    revise_from: int | None
    from_frame: int
    until_frame: int
    events: tuple[Event, ...]


class StateMessage(_Server, frozen=True, tag="state"):
    """The channel as it is now; ``listeners``: how many are connected to this gateway."""

    controls: Controls
    revision: int
    live_seq: int
    listeners: int
    epoch_us: int


class ControlAck(_Server, frozen=True, tag="control_ack"):
    """A control was accepted; ``effective_seq``: the first chunk that may carry it, if a composer answers."""

    id: RequestId
    revision: int
    effective_seq: int | None


class Pong(_Server, frozen=True, tag="pong"):
    """The answer to a ping: its ``t`` and the server's clock in µs."""

    t: _Number
    server_us: int


class AuthResult(_Server, frozen=True, tag="auth"):
    """Whether the token was right."""

    ok: bool


class ErrorMessage(_Server, frozen=True, tag="error", omit_defaults=True):
    """What was wrong with a client's message; the fields are the members of a problem document."""

    status: int
    title: str
    detail: str
    id: RequestId | None = None
    field: str | None = None
    value: Any = msgspec.UNSET  # null is a value
    allowed: str | None = None


class AudioMessage(_Server, frozen=True, tag="audio"):
    """One chunk in the JSON subprotocol; ``data`` is its PCM (msgspec writes bytes as base64)."""

    seq: int
    due_us: int
    revision: int
    discontinuity: bool
    data: bytes | memoryview


ServerMessage = (
    Hello | ScoreMessage | StateMessage | ControlAck | Pong | AuthResult | ErrorMessage | AudioMessage
)


class _Client(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """Base class of clients' messages."""


class ControlRequest(_Client, frozen=True, tag="control"):
    """Set the controls in ``set``; their values are checked by :mod:`auralis.controls`."""

    id: RequestId
    set: dict[str, Any]


class Ping(_Client, frozen=True, tag="ping"):
    """Asks for the server's clock; ``t`` is returned in the answer."""

    t: _Number


class CodecRequest(_Client, frozen=True, tag="codec"):
    """Send the next chunks in this codec."""

    codec: str


class Stats(_Client, frozen=True, tag="stats", forbid_unknown_fields=False):
    """The player's counters since it began to play; unknown fields are ignored."""

    underruns: _Count = 0
    reconnects: _Count = 0


class Auth(_Client, frozen=True, tag="auth"):
    """The control token, from a client that can't set a header."""

    token: str


ClientMessage = ControlRequest | Ping | CodecRequest | Stats | Auth

_TYPES: Final[dict[str, type[ClientMessage]]] = {
    "control": ControlRequest,
    "ping": Ping,
    "codec": CodecRequest,
    "stats": Stats,
    "auth": Auth,
}
_FIELD: Final = re.compile(r"(?: - at `\$\.|missing required field `)(\w+)")
# What is allowed, in words; msgspec's own would name Python's types.
_ALLOWED: Final = {
    "id": "text of up to 64 characters, or a whole number of up to 53 bits",
    "set": "an object with control values",
    "t": "a number from -1e18 to 1e18",
    "codec": "text",
    "underruns": "a whole number from 0 to 1000000000",
    "reconnects": "a whole number from 0 to 1000000000",
    "token": "text",
}


def parse_client(text: str) -> ClientMessage:
    """Read a client's text frame.

    Raises:
        InvalidValue: naming the field, quoting what was found and saying what is allowed.
    """
    found = parse_object(text, "message")
    kind = found.get("type")
    message_type = _TYPES.get(kind) if isinstance(kind, str) else None
    if message_type is None:
        raise InvalidValue("type", kind, f"one of {', '.join(_TYPES)}")
    try:
        return msgspec.convert(found, message_type)
    except msgspec.ValidationError as error:
        raise _invalid(found, message_type, str(error)) from error


def id_in(text: str) -> RequestId | None:
    """The id in an invalid message, so that its sender knows which one was refused."""
    try:
        found: RequestId = msgspec.convert(parse_object(text, "message").get("id"), RequestId)
    except (InvalidValue, msgspec.ValidationError):
        return None
    return found


def checked_codec(codec: str) -> str:
    """``codec`` if this gateway can send it.

    Raises:
        InvalidValue: it can't.
    """
    if codec not in CODECS:
        raise InvalidValue("codec", codec, f"one of {', '.join(CODECS)}")
    return codec


def _invalid(found: dict[str, Any], message_type: type[ClientMessage], error: str) -> InvalidValue:
    """Which field of ``found`` msgspec's ``error`` is about, its value (None if missing), what is allowed."""
    known = ("type", *message_type.__struct_fields__)
    for name, value in found.items():
        if name not in known and message_type.__struct_config__.forbid_unknown_fields:
            return InvalidValue(name, value, f"only the fields {', '.join(known)}")
    (field,) = _FIELD.findall(error)
    return InvalidValue(field, found.get(field), _ALLOWED[field])
