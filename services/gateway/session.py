"""The messages of a connected client, and the answers to them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from auralis.broker import BROKER_ERRORS
from auralis.errors import AuralisError, InvalidValue
from services.gateway.access import Access, Visitor
from services.gateway.control import Control
from services.gateway.frames import text_frame
from services.gateway.hub import Hub
from services.gateway.limits import RateLimit
from services.gateway.listener import Listener
from services.gateway.metrics import GatewayMetrics
from services.gateway.problems import Problem, problem_of, too_many
from services.gateway.protocol import (
    CLOSE_POLICY,
    Auth,
    AuthResult,
    ClientMessage,
    CodecRequest,
    ControlAck,
    ControlRequest,
    ErrorMessage,
    Ping,
    Pong,
    RequestId,
    ServerMessage,
    Stats,
    checked_codec,
    id_in,
    parse_client,
)

# A client that sends this many bad messages in a row is broken, or probing.
BAD_MESSAGES: Final = 10
# A player sends less than one message a second; dragging a slider adds up to ten.
_MESSAGES_PER_S: Final = 50.0
_MESSAGES_BURST: Final = 200.0
# A report adds at most this many underruns, so that a client can't blow up the metric.
_UNDERRUNS_A_REPORT: Final = 1000
# What an error message takes over from a problem document, beside its standard members.
_MEMBERS: Final = ("field", "value", "allowed")


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What all sessions share; ``controls`` limits how often one address may change something."""

    hub: Hub
    control: Control
    access: Access
    controls: RateLimit
    now_s: Callable[[], float]
    metrics: GatewayMetrics


class Session:
    """The gateway's side of the conversation with one client."""

    def __init__(self, context: SessionContext, channel: str, visitor: Visitor, listener: Listener) -> None:
        self._context = context
        self._channel = channel
        self._visitor = visitor
        self._listener = listener
        self._authorized = False
        self._messages = RateLimit(context.now_s, _MESSAGES_PER_S, _MESSAGES_BURST)
        self._bad = 0
        self._underruns: int | None = None
        self._changes: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.Lock()
        self._last_change: asyncio.Task[None] | None = None

    def handle_text(self, text: str) -> None:
        """Handle one text frame."""
        try:
            self._limit(self._messages)
            message = parse_client(text)
        except (Problem, InvalidValue) as error:
            self._bad_frame(error, text)
            return
        self._bad = 0
        try:
            self._dispatch(message)
        except AuralisError as error:
            self._send_error(error, message.id if isinstance(message, ControlRequest) else None)

    def handle_binary(self) -> None:
        """Reject a binary frame: clients send text only."""
        self._bad_frame(InvalidValue("message", "a binary frame", "text frames with a JSON object"), "")

    async def end(self) -> None:
        """Cancel what is unanswered: the connection is over."""
        for task in self._changes:
            task.cancel()
        await asyncio.gather(*self._changes, return_exceptions=True)

    def _dispatch(self, message: ClientMessage) -> None:
        match message:
            case ControlRequest():
                self._change(message)
            case Ping():
                self._send(Pong(message.t, self._context.hub.clock.now_us()))
            case CodecRequest():
                checked_codec(message.codec)
            case Stats():
                self._count(message)
            case Auth():
                self._authorize(message.token)

    def _change(self, request: ControlRequest) -> None:
        self._limit(self._context.controls)
        if not self._authorized:
            self._context.access.check(self._visitor)
        # The answer waits for the composer; meanwhile, further messages of the client are handled.
        task = asyncio.create_task(self._carry_out(request, self._last_change))
        self._last_change = task
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    async def _carry_out(self, request: ControlRequest, before: asyncio.Task[None] | None) -> None:
        """Change controls after the change ``before``, and answer after it, so that the last one wins."""
        control = self._context.control
        try:
            async with self._accepting:
                accepted = await control.accept(self._channel, request.set)
            answer: ServerMessage = ControlAck(
                request.id, accepted.revision, await control.effective_seq(accepted)
            )
        except (AuralisError, *BROKER_ERRORS) as error:
            answer = _error_message(error, request.id)
        if before is not None:
            await asyncio.wait([before])
        self._send(answer)

    def _authorize(self, token: str) -> None:
        self._limit(self._context.controls)
        self._context.access.check_origin(self._visitor)
        self._authorized = self._context.access.right_token(token)
        self._send(AuthResult(self._authorized))

    def _count(self, stats: Stats) -> None:
        """Count the underruns that are new since the client's last report.

        A client that reconnected has reported its earlier ones on another connection.
        """
        before = self._underruns
        if before is None:
            before = stats.underruns if stats.reconnects else 0
        new = stats.underruns - before if stats.underruns >= before else stats.underruns
        self._underruns = stats.underruns
        self._context.metrics.client_underruns.inc(min(new, _UNDERRUNS_A_REPORT))

    def _limit(self, limit: RateLimit) -> None:
        wait_s = limit.take(self._visitor.peer)
        if wait_s:
            raise too_many(wait_s)

    def _bad_frame(self, error: AuralisError, text: str) -> None:
        self._send_error(error, id_in(text))
        self._bad += 1
        if self._bad >= BAD_MESSAGES:
            self._listener.close(CLOSE_POLICY, "too many bad messages")

    def _send_error(self, error: BaseException, request_id: RequestId | None) -> None:
        self._send(_error_message(error, request_id))

    def _send(self, message: ServerMessage) -> None:
        self._listener.send_text(text_frame(message))


def _error_message(error: BaseException, request_id: RequestId | None) -> ErrorMessage:
    """What a client is told of ``error``.

    Raises:
        BaseException: ``error`` itself, if it is not one that is expected.
    """
    problem = problem_of(error)
    if problem is None:
        raise error
    # A value may be null, so what is not there is left out, and not null.
    members = {name: problem.members[name] for name in _MEMBERS if name in problem.members}
    return ErrorMessage(problem.status, problem.title, problem.detail, request_id, **members)
