"""``python -m services.synth``: settings, collaborators, run."""

import os

import structlog
from prometheus_client import CollectorRegistry

from auralis import cli, logs, metrics
from auralis.broker import connect, wait_for_broker
from auralis.channel.wakeups import WakeUps
from auralis.clock import BrokerClock
from auralis.errors import UsageError
from auralis.process import STANDBY, promoted, run_until_signalled, worker_name
from auralis.settings import Settings
from services.synth.startup import loading

DEFAULT_METRICS_PORT = 9102
_log = structlog.get_logger()


async def work(configured: Settings) -> None:
    """Run one worker until cancelled."""
    with loading():
        from services.synth import device  # noqa: PLC0415
        from services.synth.memory import share_one_heap  # noqa: PLC0415
        from services.synth.metrics import SynthMetrics  # noqa: PLC0415
        from services.synth.rendering import first_needed, prepare_in_background  # noqa: PLC0415
        from services.synth.worker import Collaborators, Worker  # noqa: PLC0415

        chosen = device.choose(configured.device)
    share_one_heap()
    if configured.redis_url is None:
        raise UsageError("REDIS_URL is not set: a worker needs the broker that it works for")
    prepare_in_background(first_needed, configured.audio, chosen)
    registry = CollectorRegistry()
    name = worker_name()
    async with (
        connect(configured.redis_url, name=f"synth-{name}") as client,
        connect(configured.redis_url, name=f"synth-wake-{name}", answer_timeout_s=None) as listening,
    ):
        await wait_for_broker(client)
        clock = BrokerClock(client)
        await clock.start()
        wakeups, measured = WakeUps(listening, configured.keys), SynthMetrics(registry)
        parts = Collaborators(client, configured.keys, clock, wakeups, measured, chosen, configured.audio)
        worker = Worker(name, parts)
        if STANDBY in os.environ:
            _log.info("synth stands by", device=chosen, worker=name)
            await worker.stand_by(promoted())
        port = DEFAULT_METRICS_PORT if configured.metrics_port is None else configured.metrics_port
        metrics.serve(registry, configured.metrics_host, port)
        _log.info("synth ready", device=chosen, worker=name)
        await worker.run()


def main(configured: Settings) -> int:
    """Run until signalled; returns the exit code."""
    logs.configure(configured, "synth")
    return run_until_signalled(work(configured))


if __name__ == "__main__":
    cli.main("synth")
