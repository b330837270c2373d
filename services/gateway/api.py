"""The HTTP API: channels, controls and presets."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from aiohttp import hdrs, web

from auralis.audio import AUDIO_CHANNELS, CHUNK_US, AudioFormat, live_seq
from auralis.channel.presets import Presets
from auralis.channel.state import Channels, ChannelState
from auralis.controls import SPECS, Controls, changed
from auralis.errors import ChannelNotFound, InvalidValue
from auralis.keyspace import MAIN_CHANNEL, checked_channel_id
from services.gateway.access import Access
from services.gateway.control import Control
from services.gateway.hub import Hub
from services.gateway.json_input import parse_object
from services.gateway.limits import RateLimit
from services.gateway.problems import Problem, too_many
from services.gateway.protocol import CODECS
from services.gateway.visitors import visitor_of

MAX_BODY_BYTES: Final = 16 * 1024
# How long a body may take to arrive; one of this size takes less than a second on any network.
BODY_S: Final = 10.0
_SEEDS: Final = 2**32
_RANDOM_ID_BYTES: Final = 4
_PLAIN: Final = "identity"


@dataclass(frozen=True, slots=True)
class Api:
    """The API's handlers; ``audio`` is the format of new channels."""

    hub: Hub
    channels: Channels
    presets: Presets
    control: Control
    access: Access
    controls: RateLimit
    audio: AudioFormat

    def routes(self) -> list[web.RouteDef]:
        """The API's routes."""
        channel = "/api/v1/channels/{channel:[^/]+}"
        preset = "/api/v1/presets/{name:[^/]+}"
        return [
            web.get("/api/v1/controls", self.list_controls),
            web.get("/api/v1/channels", self.list_channels),
            web.post("/api/v1/channels", self.create_channel),
            web.get(channel, self.show_channel),
            web.delete(channel, self.delete_channel),
            web.patch(channel + "/controls", self.change_controls),
            web.post(channel + "/presets/{name:[^/]+}", self.apply_preset),
            web.get("/api/v1/presets", self.list_presets),
            web.get(preset, self.show_preset),
            web.put(preset, self.save_preset),
            web.delete(preset, self.delete_preset),
        ]

    async def list_controls(self, _: web.Request) -> web.Response:
        """The controls that a channel has, with their ranges."""
        return json_response({"controls": SPECS})

    async def list_channels(self, _: web.Request) -> web.Response:
        """All channels, oldest first."""
        found = []
        for channel in await self.channels.ids():
            try:
                found.append(self._channel_json(await self.channels.state(channel)))
            except ChannelNotFound:
                continue  # deleted meanwhile
        return json_response({"channels": found})

    async def show_channel(self, request: web.Request) -> web.Response:
        """One channel."""
        return json_response(self._channel_json(await self.channels.state(_channel(request))))

    async def create_channel(self, request: web.Request) -> web.Response:
        """Create a channel from an id, a seed and control values, all optional."""
        self._check(request)
        wanted = await _body(request) if request.can_read_body else {}
        channel = _checked_id(wanted.pop("id", secrets.token_hex(_RANDOM_ID_BYTES)))
        seed = _checked_seed(wanted.pop("seed")) if "seed" in wanted else None
        await self.channels.create(
            channel,
            sample_rate_hz=self.audio.sample_rate_hz,
            seed=seed,
            controls=changed(Controls(), wanted),
        )
        location = {"Location": f"/api/v1/channels/{channel}"}
        return json_response(self._channel_json(await self.channels.state(channel)), 201, location)

    async def delete_channel(self, request: web.Request) -> web.Response:
        """Delete a channel; its listeners are told that it is gone."""
        self._check(request)
        channel = _channel(request)
        if channel == MAIN_CHANNEL:
            raise Problem(409, f"the channel {MAIN_CHANNEL!r} always exists")
        await self.channels.delete(channel)
        return web.Response(status=204)

    async def change_controls(self, request: web.Request) -> web.Response:
        """Change controls; answers once the composer has said from which chunk on the change is heard."""
        self._check(request)
        changes = await _body(request)
        return await self._change(_channel(request), changes)

    async def apply_preset(self, request: web.Request) -> web.Response:
        """Set a channel's controls to a preset's."""
        self._check(request)
        return await self._change(_channel(request), await self._preset(_preset_name(request)))

    async def list_presets(self, _: web.Request) -> web.Response:
        """All presets by name."""
        presets = await self.presets.all()
        return json_response({"presets": [_preset_json(*item) for item in presets.items()]})

    async def show_preset(self, request: web.Request) -> web.Response:
        """One preset."""
        name = _preset_name(request)
        return json_response(_preset_json(name, await self._preset(name)))

    async def save_preset(self, request: web.Request) -> web.Response:
        """Save a preset, replacing one of the same name."""
        self._check(request)
        name = _preset_name(request)
        new = await self.presets.put(name, await _body(request))
        return json_response(_preset_json(name, await self._preset(name)), 201 if new else 200)

    async def delete_preset(self, request: web.Request) -> web.Response:
        """Delete a preset."""
        self._check(request)
        name = _preset_name(request)
        if not await self.presets.delete(name):
            raise _no_preset(name)
        return web.Response(status=204)

    async def _change(self, channel: str, changes: Mapping[str, Any]) -> web.Response:
        accepted = await self.control.accept(channel, changes)
        effective_seq = await self.control.effective_seq(accepted)
        return json_response({"revision": accepted.revision, "effective_seq": effective_seq}, 202)

    async def _preset(self, name: str) -> dict[str, str | float]:
        values = await self.presets.get(name)
        if values is None:
            raise _no_preset(name)
        return values

    def _check(self, request: web.Request) -> None:
        """Check that the sender may change something now."""
        visitor = visitor_of(request)
        wait_s = self.controls.take(visitor.peer)
        if wait_s:
            raise too_many(wait_s)
        self.access.check(visitor)

    def _channel_json(self, state: ChannelState) -> dict[str, Any]:
        audio = AudioFormat(state.sample_rate_hz)
        return {
            "id": state.id,
            "controls": state.controls,
            "revision": state.revision,
            "live_seq": live_seq(state.epoch_us, self.hub.clock.now_us()),
            "epoch_us": state.epoch_us,
            "always_on": state.always_on,
            "listeners": self.hub.listeners(state.id),
            "format": {
                "sample_rate": audio.sample_rate_hz,
                "channels": AUDIO_CHANNELS,
                "frames_per_chunk": audio.frames_per_chunk,
                "chunk_ms": CHUNK_US // 1000,
                "codecs": CODECS,
            },
        }


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """``body`` as JSON, not to be cached: it changes all the time."""
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


async def _body(request: web.Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        Problem: it is compressed (415) or not complete in time (408).
        HTTPRequestEntityTooLarge: it is over :data:`MAX_BODY_BYTES`.
        InvalidValue: it is not a JSON object.
    """
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, _PLAIN)
    if encoding != _PLAIN:
        headers = {"Accept-Encoding": _PLAIN}
        raise Problem(415, f"Content-Encoding: found {encoding!r:.60}, allowed: none", headers=headers)
    try:
        async with asyncio.timeout(BODY_S):
            data = await request.read()
    except TimeoutError:
        late = f"the body was not complete within {BODY_S:g} s"
        raise Problem(408, late, headers={"Connection": "close"}) from None
    return parse_object(data, "body")


def _channel(request: web.Request) -> str:
    return request.match_info["channel"]


def _preset_name(request: web.Request) -> str:
    """The preset's name in the path, of which it is the last part.

    aiohttp leaves what is no UTF-8 percent-encoded, which is how another preset may be named.
    """
    encoded = request.rel_url.raw_parts[-1]
    try:
        unquote(encoded, errors="strict")
    except UnicodeDecodeError:
        raise InvalidValue("name", encoded, "percent-encoded UTF-8") from None
    return request.match_info["name"]


def _checked_id(found: Any) -> str:
    if not isinstance(found, str):
        raise InvalidValue("id", found, "text")
    return checked_channel_id(found)


def _checked_seed(found: Any) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < _SEEDS:
        raise InvalidValue("seed", found, f"a whole number from 0 to {_SEEDS - 1}")
    return found


def _preset_json(name: str, values: Mapping[str, str | float]) -> dict[str, Any]:
    return {"name": name, "controls": values}


def _no_preset(name: str) -> Problem:
    return Problem(404, f"no such preset: {name!r}", title="No such preset", members={"preset": name})
