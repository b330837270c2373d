"""The WebSocket endpoint: the handshake, the join, and the connection's life."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, Final

import structlog
from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from auralis.audio import AUDIO_CHANNELS
from auralis.broker import BROKER_ERRORS
from auralis.errors import BrokerUnavailable, ChannelNotFound, InvalidValue
from services.gateway.access import Visitor
from services.gateway.feed import Feed
from services.gateway.limits import Admission, Refused
from services.gateway.listener import Listener
from services.gateway.playhead import Start
from services.gateway.problems import Problem
from services.gateway.protocol import (
    CLOSE_NO_CHANNEL,
    CLOSE_POLICY,
    CLOSE_TRY_LATER,
    CODECS,
    MAX_MESSAGE_BYTES,
    SUBPROTOCOL,
    SUBPROTOCOLS,
    Hello,
    checked_codec,
)
from services.gateway.session import Session, SessionContext
from services.gateway.visitors import visitor_of

_log = structlog.get_logger()

# Pings detect peers that vanished without closing the connection.
HEARTBEAT_S: Final = 20.0
# How long a listener that was told to leave may still read what was sent to it.
ABORT_S: Final = 5.0
# The kernel's default buffer grows to megabytes: a stalled listener would be noticed only after a minute.
SEND_BUFFER_BYTES: Final = 128 * 1024
_MAX_SEQ_DIGITS: Final = 15
_TOO_LARGE: Final = f"a message over {MAX_MESSAGE_BYTES} bytes".encode()


class Sockets:
    """Serves ``/ws/{channel}``."""

    def __init__(self, context: SessionContext, admission: Admission) -> None:
        self._context = context
        self._admission = admission
        self._transports: set[asyncio.Transport] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one listener, from the handshake to the end of the connection."""
        try:
            since = _checked(request)
        except (InvalidValue, Problem):
            self._context.metrics.refused.labels(Refused.BAD_REQUEST).inc()
            raise
        ws = _socket()
        await ws.prepare(request)
        address = request.remote or ""
        refused = self._admission.admit(address)
        if refused:
            await self._refuse(ws, CLOSE_TRY_LATER, refused)
            return ws
        try:
            await self._stay(request, ws, since)
        except Exception:  # noqa: BLE001  logged in full; an HTTP answer would come after the upgrade
            _log.exception("a listener's connection failed", channel=request.match_info["channel"])
            await ws.close(code=WSCloseCode.INTERNAL_ERROR)
        finally:
            self._admission.leave(address)
        return ws

    def abort(self) -> None:
        """Abort the connections that are still open."""
        for transport in list(self._transports):
            transport.abort()

    async def _stay(self, request: web.Request, ws: web.WebSocketResponse, since: int | None) -> None:
        try:
            feed = await self._context.hub.feed(request.match_info["channel"])
        except ChannelNotFound:
            await self._refuse(ws, CLOSE_NO_CHANNEL, Refused.NO_CHANNEL)
            return
        except (BrokerUnavailable, *BROKER_ERRORS):
            await self._refuse(ws, CLOSE_TRY_LATER, Refused.UNAVAILABLE)
            return
        transport = request.transport
        if transport is not None:
            self._transports.add(transport)
            try:
                await self._listen(request, ws, transport, feed, since)
            finally:
                self._transports.discard(transport)

    async def _listen(
        self,
        request: web.Request,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        feed: Feed,
        since: int | None,
    ) -> None:
        _bound_send_buffer(transport)
        visitor, start = visitor_of(request), feed.playhead.start(since)
        lifetime = _Lifetime()
        listener = Listener(transport, ws.ws_protocol or SUBPROTOCOL, lifetime.end, feed.tally, start)
        session = Session(self._context, feed.channel, visitor, listener)
        feed.join(listener, self._hello(feed, start, visitor))
        self._context.hub.on_join(feed)
        try:
            await lifetime.run(_converse(ws, session))
        finally:
            feed.leave(listener)
            await session.end()
        if lifetime.goodbye is not None:
            await _close(ws, transport, *lifetime.goodbye)

    def _hello(self, feed: Feed, start: Start, visitor: Visitor) -> Hello:
        state, audio = feed.state, feed.audio
        return Hello(
            channel=feed.channel,
            epoch_us=feed.playhead.epoch_us or state.epoch_us,
            sample_rate=audio.sample_rate_hz,
            channels=AUDIO_CHANNELS,
            frames_per_chunk=audio.frames_per_chunk,
            codec=CODECS[0],
            controls=state.controls,
            revision=state.revision,
            live_seq=feed.live_seq,
            burst=len(start.backlog),
            control_open=self._context.access.allows(visitor),
        )

    async def _refuse(self, ws: web.WebSocketResponse, code: int, refused: Refused) -> None:
        self._context.metrics.refused.labels(refused).inc()
        await ws.close(code=code, message=refused.replace("_", " ").encode())


class _Socket(web.WebSocketResponse):
    """A WebSocket that closes with 1008 where aiohttp uses 1009: the protocol has one code for abuse."""

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        if code == WSCloseCode.MESSAGE_TOO_BIG:
            code, message = CLOSE_POLICY, _TOO_LARGE
        return await super().close(code=code, message=message, drain=drain)


def _socket() -> _Socket:
    return _Socket(
        protocols=SUBPROTOCOLS,
        compress=False,
        max_msg_size=MAX_MESSAGE_BYTES + 1,  # aiohttp refuses messages of this size, too
        heartbeat=HEARTBEAT_S,
        timeout=ABORT_S,
    )


class _Lifetime:
    """The lifetime of a listener's conversation: until it leaves, or is told to."""

    def __init__(self) -> None:
        self._limit = asyncio.timeout(None)
        self.goodbye: tuple[int, str] | None = None

    def end(self, code: int, reason: str) -> None:
        """End the conversation: the listener must leave."""
        self.goodbye = code, reason
        self._limit.reschedule(0.0)

    async def run(self, conversation: Coroutine[Any, Any, None]) -> None:
        """Await ``conversation`` until either side ends it."""
        try:
            async with self._limit:
                await conversation
        except TimeoutError:
            if not self._limit.expired():
                raise


async def _close(ws: web.WebSocketResponse, transport: asyncio.Transport, code: int, reason: str) -> None:
    """Send the close frame and wait for the answer: cutting the connection earlier could lose the frame.

    aiohttp waits only if the task that reads also closes.
    """
    asyncio.get_running_loop().call_later(ABORT_S, transport.abort)
    await ws.close(code=code, message=reason.encode(), drain=False)


async def _converse(ws: web.WebSocketResponse, session: Session) -> None:
    async for message in ws:
        if message.type is WSMsgType.TEXT:
            session.handle_text(message.data)
        elif message.type is WSMsgType.BINARY:
            session.handle_binary()


def _checked(request: web.Request) -> int | None:
    """Check the parameters of the handshake; returns ``since``, or None if it is absent."""
    if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        raise Problem(
            426, "this endpoint accepts WebSocket connections only", headers={"Upgrade": "websocket"}
        )
    given = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "")
    offered = [name.strip() for name in given.split(",") if name.strip()]
    if offered and not set(offered) & set(SUBPROTOCOLS):
        raise InvalidValue(hdrs.SEC_WEBSOCKET_PROTOCOL, given, f"one of {', '.join(SUBPROTOCOLS)}")
    checked_codec(request.query.get("codec", CODECS[0]))
    since = request.query.get("since")
    return None if since is None else _seq(since)


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_SEQ_DIGITS):
        raise InvalidValue("since", text, "the seq of the last chunk heard, 0 or more")
    return int(text)


def _bound_send_buffer(transport: asyncio.Transport) -> None:
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
