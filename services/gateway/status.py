"""The gateway's status endpoints: health, readiness, metrics, version, OpenAPI description."""

from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from auralis import __version__
from services.gateway.api import json_response
from services.gateway.hub import Hub
from services.gateway.metrics import GatewayMetrics
from services.gateway.openapi import document
from services.gateway.problems import unavailable


@dataclass(frozen=True, slots=True)
class Status:
    """The handlers of the status endpoints."""

    hub: Hub
    metrics: GatewayMetrics

    def routes(self) -> list[web.RouteDef]:
        """Their routes."""
        return [
            web.get("/healthz", self.health),
            web.get("/readyz", self.readiness),
            web.get("/metrics", self.measurements),
            web.get("/version", self.version),
            web.get("/openapi.json", self.openapi),
        ]

    async def health(self, _: web.Request) -> web.Response:
        """The process is up."""
        return json_response({"status": "ok"})

    async def readiness(self, _: web.Request) -> web.Response:
        """The broker answers and the chunks of ``main`` are fresh."""
        if not self.hub.reachable:
            raise unavailable("the broker does not answer")
        if not self.hub.ready:
            raise unavailable("no fresh chunks of the channel 'main'")
        return json_response({"status": "ready"})

    async def measurements(self, _: web.Request) -> web.Response:
        """Prometheus text."""
        body = generate_latest(self.metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def version(self, _: web.Request) -> web.Response:
        """The running version."""
        return json_response({"name": "auralis", "version": __version__})

    async def openapi(self, _: web.Request) -> web.Response:
        """The OpenAPI description of this API."""
        return json_response(document())
