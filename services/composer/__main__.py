"""``python -m services.composer``: settings, collaborators, run."""

import structlog
from prometheus_client import CollectorRegistry

from auralis import cli, logs, metrics
from auralis.broker import connect, wait_for_broker
from auralis.channel.state import Channels
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.errors import UsageError
from auralis.process import run_until_signalled, worker_name
from auralis.settings import Settings
from services.composer.metrics import ComposerMetrics
from services.composer.service import Collaborators, Composer

DEFAULT_METRICS_PORT = 9101
_log = structlog.get_logger()


async def work(configured: Settings) -> None:
    """Run one composer until cancelled."""
    if configured.redis_url is None:
        raise UsageError("REDIS_URL is not set: a composer needs the broker that it writes to")
    registry = CollectorRegistry()
    composer_metrics = ComposerMetrics(registry)
    port = DEFAULT_METRICS_PORT if configured.metrics_port is None else configured.metrics_port
    metrics.serve(registry, configured.metrics_host, port)
    name, keys = worker_name(), configured.keys
    async with (
        connect(configured.redis_url, name=f"composer-{name}") as client,
        connect(configured.redis_url, name=f"composer-wake-{name}", answer_timeout_s=None) as listening,
    ):
        await wait_for_broker(client)
        await Channels(client, keys).ensure_main(sample_rate_hz=configured.sample_rate, seed=configured.seed)
        clock = BrokerClock(client)
        await clock.start()
        _log.info("composer ready", worker=name)
        wakeups = WakeUps(listening, keys)
        await Composer(name, Collaborators(client, keys, clock, wakeups, composer_metrics)).run()


def main(configured: Settings) -> int:
    """Run until signalled; returns the exit code."""
    logs.configure(configured, "composer")
    return run_until_signalled(work(configured))


if __name__ == "__main__":
    cli.main("composer")
