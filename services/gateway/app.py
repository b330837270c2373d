"""The gateway as one aiohttp application, from start to shutdown."""

import asyncio
import os
import time
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from auralis.channel.listeners import Listeners
from auralis.channel.presets import Presets
from auralis.channel.state import Channels
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.errors import AuralisError
from auralis.ring.reader import RingReader
from auralis.score.log import ScoreReader
from auralis.settings import Settings
from services.gateway.access import Access
from services.gateway.api import MAX_BODY_BYTES, Api
from services.gateway.broker_health import BrokerHealth
from services.gateway.connections import HEADERS, listen
from services.gateway.control import Control
from services.gateway.feed import Broker
from services.gateway.hub import Hub
from services.gateway.limits import Admission, RateLimit
from services.gateway.metrics import GatewayMetrics
from services.gateway.player import Player, player_root
from services.gateway.problems import problems
from services.gateway.score_export import EXPORTS_BURST, EXPORTS_PER_S, ScoreExport
from services.gateway.session import SessionContext
from services.gateway.sockets import Sockets
from services.gateway.status import Status

_log = structlog.get_logger()

# How long the last messages may take to reach the listeners before the process ends.
_FAREWELL_S: Final = 0.5
_SHUTDOWN_S: Final = 1.0
_CONNECT_S: Final = 0.5


class Gateway:
    """One gateway with all its parts. ``listening_client`` is used for wake-ups alone.

    ``url`` is where it can be reached once ``listening`` is set.
    """

    def __init__(self, settings: Settings, client: Redis, listening_client: Redis) -> None:
        self.url = ""
        self.listening = asyncio.Event()
        keys = settings.keys
        channels = Channels(client, keys)
        metrics = GatewayMetrics(CollectorRegistry())
        broker = Broker(
            channels,
            RingReader(client, keys),
            ScoreReader(client, keys),
            Listeners(client, keys),
            BrokerClock(client),
            BrokerHealth(time.monotonic),
        )
        access, controls = Access.of(settings), RateLimit(time.monotonic)
        self._settings = settings
        self._server: asyncio.Server | None = None
        self.hub = Hub(broker, WakeUps(listening_client, keys), metrics, settings.audio, settings.seed)
        control = Control(self.hub, channels, metrics)
        context = SessionContext(self.hub, control, access, controls, time.monotonic, metrics)
        self._access = access
        self.sockets = Sockets(context, Admission(settings.max_listeners, settings.max_listeners_per_ip))
        self._api = Api(self.hub, channels, Presets(client, keys), control, access, controls, settings.audio)
        exports = RateLimit(time.monotonic, EXPORTS_PER_S, EXPORTS_BURST)
        self._export = ScoreExport(self.hub, channels, broker.scores, exports)
        self._status = Status(self.hub, metrics)

    def app(self) -> web.Application:
        """The application with all its routes."""
        app = web.Application(middlewares=[self._open_to_origins, problems], client_max_size=MAX_BODY_BYTES)
        app.add_routes(self._status.routes())
        app.add_routes(self._api.routes())
        app.add_routes(self._export.routes())
        app.add_routes([web.get("/ws/{channel:[^/]+}", self.sockets.serve)])
        player = Player(player_root())
        app.add_routes([web.get("/", player.serve), web.get(r"/{path:(?!api/|ws/).+}", player.serve)])
        app.on_response_prepare.append(_harden)
        return app

    async def run(self) -> None:
        """Serve until cancelled; then close every connection.

        Raises:
            AuralisError: it can't listen on its address.
        """
        runner = web.AppRunner(self.app(), shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.hub.run())
                # The first client should find the channels; without a broker, waiting longer is pointless.
                await self.hub.wait_connected(_CONNECT_S)
                await self._listen(runner)
        finally:
            await self._leave(runner)

    async def _listen(self, runner: web.AppRunner) -> None:
        host, port = self._settings.host, self._settings.port
        try:
            self._server = await listen(runner, host, port)
        except OSError as error:
            # asyncio repeats the address in the error's text, so take only the text for the error number.
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise AuralisError(f"can't listen on {host}:{port}: {why}") from error
        self._warn_if_open()
        self.url = _url(self._server, host)
        self.listening.set()
        _log.info("gateway listens", url=self.url)

    def _warn_if_open(self) -> None:
        if not self._access.token_required:
            networks = ", ".join(self._settings.control_open_networks)
            _log.warning("no AURALIS_CONTROL_TOKEN: controls are open to local clients only", local=networks)

    async def _leave(self, runner: web.AppRunner) -> None:
        if self._server is not None:
            self._server.close()
        await self.hub.stop()
        asyncio.get_running_loop().call_later(_FAREWELL_S, self.sockets.abort)
        await runner.cleanup()

    @web.middleware
    async def _open_to_origins(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """CORS for the sites that the settings allow, and for no others."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not self._access.allows_origin(origin):
            return await handler(request)
        preflight = request.method == hdrs.METH_OPTIONS
        response = web.Response(status=204) if preflight else await handler(request)
        if not response.prepared:
            response.headers.update(_cors_headers(origin))
        return response


def _cors_headers(origin: str) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


async def _harden(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _url(server: asyncio.Server, host: str) -> str:
    port = server.sockets[0].getsockname()[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
