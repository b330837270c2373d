"""The gateway's OpenAPI 3.1 document; its control schemas are built from :data:`auralis.controls.SPECS`."""

from collections.abc import Mapping
from typing import Any, Final

from auralis import __version__
from auralis.controls import SPECS, ControlSpec
from auralis.midi.file import MEDIA_TYPE
from services.gateway.problems import CONTENT_TYPE
from services.gateway.protocol import CODECS, SUBPROTOCOLS
from services.gateway.score_export import DEFAULT_MINUTES, MAX_MINUTES

Json = dict[str, Any]

_CHANNEL: Final = "/api/v1/channels/{channel}"
_PRESET: Final = "/api/v1/presets/{name}"
_SECURED: Final[Json] = {"security": [{"token": []}, {}]}
_PROBLEMS: Final = {
    400: "A value is not allowed: `field`, `value` and `allowed` say which and why.",
    401: "The control token is missing or wrong.",
    403: "A page of a foreign origin, or no local client while there is no control token.",
    404: "There is no such channel or preset.",
    408: "The body did not come in time.",
    409: "The id is taken, or the channel always exists.",
    413: "The body is too large.",
    415: "The body is compressed.",
    426: "The endpoint accepts WebSocket connections only.",
    429: "Too many changes or exports; `Retry-After` says when.",
    503: "The broker does not answer; `Retry-After` says when to try again.",
}
_UNREADY: Final = "The broker does not answer, or the chunks of `main` are not fresh; `detail` says which."
_OTHERWISE: Final = (
    "Any other error, among them 405 (`Allow` names the methods of this path) and 500 (a defect; the log of "
    "the gateway says more)."
)
_CHANGES: Final = (401, 403, 429, 503)
_BODIES: Final = (400, 408, 413, 415)
_WEBSOCKET: Final = (
    f"WebSocket; subprotocols {' and '.join(SUBPROTOCOLS)}. Answers 101, then sends `hello`, "
    "the last few chunks, and each further chunk at its due time."
)


def document() -> Json:
    """The document as JSON values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Auralis",
            "version": __version__,
            "summary": "Endless ambient music, composed and synthesised live.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": _status_paths() | _channel_paths() | _preset_paths() | _stream_paths(),
        "components": {
            "schemas": _schemas(),
            "responses": {"Problem": _problem(_OTHERWISE)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _status_paths() -> Json:
    return {
        "/": {"get": _operation("showPlayer", "The web player", {200: _content("The page.", "text/html")})},
        "/healthz": {
            "get": _operation("checkHealth", "The process is up", {200: _json("It is.", _object())})
        },
        "/readyz": {
            "get": _operation(
                "checkReadiness",
                "Broker reachable, chunks fresh",
                {200: _json("Ready.", _object()), 503: _problem(_UNREADY)},
            )
        },
        "/metrics": {
            "get": _operation("readMetrics", "Prometheus metrics", {200: _content("Metrics.", "text/plain")})
        },
        "/version": {
            "get": _operation(
                "showVersion",
                "The version",
                {200: _json("Name and version.", _object(name=_TEXT, version=_TEXT))},
            )
        },
        "/openapi.json": {
            "get": _operation("describeApi", "This document", {200: _json("OpenAPI 3.1.", _object())})
        },
    }


def _channel_paths() -> Json:
    controls = _object(controls=_list(_ref("ControlSpec")))
    channels = _object(channels=_list(_ref("Channel")))
    created = _json("The new channel.", _ref("Channel"))
    return {
        "/api/v1/controls": {
            "get": _operation(
                "listControls", "The controls and their ranges", {200: _json("Controls.", controls)}
            )
        },
        "/api/v1/channels": {
            "get": _operation("listChannels", "List channels", {200: _json("Channels.", channels)}, 503),
            "post": _operation("createChannel", "Create a channel", {201: created}, *_CHANGES, *_BODIES, 409)
            | _SECURED
            | _body("NewChannel", required=False),
        },
        **_one_channel_paths(),
    }


def _one_channel_paths() -> Json:
    channel, deleted = _json("The channel.", _ref("Channel")), {"description": "Deleted."}
    identified, named = _path("channel", "id of a channel"), _path("name", "name of a preset")
    change = _operation("changeControls", "Change controls", {202: _accepted()}, *_CHANGES, *_BODIES, 404)
    return {
        _CHANNEL: {
            "parameters": [identified],
            "get": _operation("showChannel", "One channel", {200: channel}, 404, 503),
            "delete": _operation("deleteChannel", "Delete a channel", {204: deleted}, *_CHANGES, 404, 409)
            | _SECURED,
        },
        _CHANNEL + "/controls": {
            "parameters": [identified],
            "patch": change | _SECURED | _body("Controls"),
        },
        _CHANNEL + "/score.mid": {
            "parameters": [identified],
            "get": _operation(
                "exportScore", "MIDI of what was just heard", {200: _midi()}, 400, 404, 429, 503
            )
            | {"parameters": [_minutes()]},
        },
        _CHANNEL + "/presets/{name}": {
            "parameters": [identified, named],
            "post": _operation("applyPreset", "Apply a preset", {202: _accepted()}, *_CHANGES, 400, 404)
            | _SECURED,
        },
    }


def _preset_paths() -> Json:
    preset = _ref("Preset")
    deleted = {"description": "Deleted."}
    saved = {200: _json("Replaced.", preset), 201: _json("Saved.", preset)}
    return {
        "/api/v1/presets": {
            "get": _operation(
                "listPresets",
                "List presets",
                {200: _json("Presets by name.", _object(presets=_list(preset)))},
                503,
            )
        },
        _PRESET: {
            "parameters": [_path("name", "name of a preset")],
            "get": _operation("showPreset", "One preset", {200: _json("The preset.", preset)}, 400, 404, 503),
            "put": _operation("savePreset", "Save a preset", saved, *_CHANGES, *_BODIES)
            | _SECURED
            | _body("Controls"),
            "delete": _operation("deletePreset", "Delete a preset", {204: deleted}, *_CHANGES, 400, 404)
            | _SECURED,
        },
    }


def _stream_paths() -> Json:
    codec = {"name": "codec", "in": "query", "schema": {"enum": list(CODECS), "default": CODECS[0]}}
    since = {
        "name": "since",
        "in": "query",
        "description": "seq of the last chunk heard, to resume after it",
        "schema": {"type": "integer", "minimum": 0},
    }
    return {
        "/ws/{channel}": {
            "parameters": [_path("channel", "id of a channel")],
            "get": _operation("listen", "Listen and control", {101: {"description": _WEBSOCKET}}, 400, 426)
            | {"parameters": [codec, since]},
        }
    }


def _schemas() -> Json:
    return {
        **_control_schemas(),
        "Channel": _channel_schema(),
        "Accepted": _accepted_schema(),
        "Preset": _object(name=_TEXT, controls=_ref("Controls")),
        "Problem": _problem_schema(),
    }


def _control_schemas() -> Json:
    controls = {spec.name: _control_schema(spec) for spec in SPECS}
    new_channel = {
        "id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,31}$"},
        "seed": _INTEGER | {"minimum": 0, "maximum": 2**32 - 1},
    }
    closed: Json = {"type": "object", "additionalProperties": False}
    return {
        "Controls": closed | {"properties": controls, "minProperties": 1},
        "NewChannel": closed | {"properties": new_channel | controls},
        "ControlSpec": _control_spec_schema(),
    }


def _control_spec_schema() -> Json:
    always = _object(name=_TEXT, type={"enum": ["number", "choice"]}, default={}, description=_TEXT)
    number: Json = {"type": "number"}
    sometimes = {"label": _TEXT, "group": _TEXT, "unit": _TEXT, "choices": _list(_TEXT)}
    sometimes |= dict.fromkeys(("minimum", "maximum", "step"), number)
    return always | {"properties": always["properties"] | sometimes}


def _channel_schema() -> Json:
    return _object(
        id=_TEXT,
        controls=_ref("Controls"),
        revision=_INTEGER,
        live_seq=_INTEGER,
        epoch_us=_INTEGER,
        always_on={"type": "boolean"},
        listeners=_INTEGER,
        format=_object(
            sample_rate=_INTEGER,
            channels=_INTEGER,
            frames_per_chunk=_INTEGER,
            chunk_ms=_INTEGER,
            codecs=_list({"enum": list(CODECS)}),
        ),
    )


def _accepted_schema() -> Json:
    effective = "The first chunk that may carry it; null if the channel sleeps or no composer answers."
    return _object(revision=_INTEGER, effective_seq={"type": ["integer", "null"], "description": effective})


def _control_schema(spec: ControlSpec) -> Json:
    schema: Json = {"description": spec.description, "default": spec.default}
    if spec.kind == "choice":
        return schema | {"type": "string", "enum": list(spec.choices)}
    return schema | {"type": "number", "minimum": spec.minimum, "maximum": spec.maximum}


def _problem_schema() -> Json:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "field": _TEXT,
            "value": {},
            "allowed": _TEXT,
        },
    }


_TEXT: Final[Json] = {"type": "string"}
_INTEGER: Final[Json] = {"type": "integer"}


def _operation(operation_id: str, summary: str, answers: Mapping[int, Json], *problems: int) -> Json:
    responses = {str(status): answer for status, answer in answers.items()}
    responses |= {str(status): _problem(_PROBLEMS[status]) for status in sorted(problems)}
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    return {"operationId": operation_id, "summary": summary, "responses": responses}


def _problem(description: str) -> Json:
    return {"description": description, "content": {CONTENT_TYPE: {"schema": _ref("Problem")}}}


def _accepted() -> Json:
    return _json("Accepted.", _ref("Accepted"))


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _content(description: str, content_type: str) -> Json:
    return {"description": description, "content": {content_type: {"schema": _TEXT}}}


def _midi() -> Json:
    return {"description": "A Standard MIDI File.", "content": {MEDIA_TYPE: {}}}


def _minutes() -> Json:
    schema = {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_MINUTES, "default": DEFAULT_MINUTES}
    return {"name": "minutes", "in": "query", "description": "how far back", "schema": schema}


def _body(schema: str, *, required: bool = True) -> Json:
    content = {"application/json": {"schema": _ref(schema)}}
    return {"requestBody": {"required": required, "content": content}}


def _path(name: str, description: str) -> Json:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": _TEXT}


def _object(**properties: Json) -> Json:
    schema: Json = {"type": "object", "properties": properties}
    return schema | {"required": list(properties)} if properties else schema


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}
