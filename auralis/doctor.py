"""``auralis doctor``: what was found, what is wrong and how to fix it."""

import asyncio
import importlib
import importlib.util
import platform
from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

from rich.console import Console
from rich.markup import escape

from auralis import __version__
from auralis.broker import BROKER_ERRORS, check, connect, reason
from auralis.embedded import server_path
from auralis.errors import AuralisError, BrokerUnavailable
from auralis.settings import Settings
from auralis.supervise import METRICS_PORTS, is_free

Level = Literal["ok", "note", "wrong"]
_COLOURS: Final = {"ok": "green", "note": "yellow", "wrong": "red"}


class Finding(NamedTuple):
    """The result of one check; ``fix`` says how to fix what is wrong."""

    level: Level
    what: str
    found: str
    fix: str = ""


def main(settings: Settings) -> int:
    """Print all findings; return exit code 1 if anything keeps Auralis from running."""
    console = Console(highlight=False, soft_wrap=True)
    worst = 0
    for finding in run_checks(settings):
        fix = f" → {finding.fix}" if finding.fix else ""
        colour = _COLOURS[finding.level]
        text = escape(f"{finding.what:<10} {finding.found}{fix}")
        console.print(f"[{colour}]{finding.level:<5}[/{colour}] {text}")
        worst |= finding.level == "wrong"
    return int(worst)


def run_checks(settings: Settings) -> Iterator[Finding]:
    """Check everything that a running system needs."""
    yield Finding("ok", "auralis", __version__)
    yield _python()
    for run_check in _CHECKS:
        yield run_check(settings)


def _python() -> Finding:
    return Finding("ok", "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _torch(_: Settings) -> Finding:
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return Finding("wrong", "torch", "not installed", "pip install 'auralis[synth]', or `make run`")
    return Finding("ok", "torch", torch.__version__)


def _device(settings: Settings) -> Finding:
    try:
        device = importlib.import_module("services.synth.device")
        chosen = device.choose(settings.device)
    except ImportError:
        return Finding("wrong", "device", "unknown without torch")
    except AuralisError as error:
        return Finding("wrong", "device", str(error))
    return Finding("ok", "device", f"{chosen} (there: {', '.join(device.available())})")


def _broker(settings: Settings) -> Finding:
    if settings.redis_url is None:
        try:
            return Finding("ok", "broker", f"embedded: {server_path().name}")
        except AuralisError as error:
            return Finding("wrong", "broker", str(error))
    try:
        version = asyncio.run(_broker_version(settings.redis_url))
    except AuralisError as error:
        return Finding("wrong", "broker", str(error), "start it, or correct REDIS_URL")
    if int(version.split(".")[0]) < 7:
        return Finding("wrong", "broker", f"version {version}", "Redis 7 or Valkey 8 at least")
    return Finding("ok", "broker", f"version {version}")


async def _broker_version(url: str) -> str:
    async with connect(url, name="auralis-doctor") as client:
        await check(client)
        try:
            return str((await client.info("server"))["redis_version"])
        except BROKER_ERRORS as error:
            raise BrokerUnavailable(f"the broker does not tell its version: {reason(error)}") from error


def _codecs(_: Settings) -> Finding:
    if importlib.util.find_spec("soundfile") is None:
        return Finding("note", "codecs", "pcm; soundfile is missing", "pip install 'auralis[offline]'")
    return Finding("ok", "codecs", "pcm")


def _port(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    if is_free(settings.host, settings.port):
        return Finding("ok", "port", f"{where} is free")
    return Finding(
        "note", "port", f"{where} is in use", "Auralis may be running; else --port or AURALIS_PORT"
    )


def _metrics(settings: Settings) -> Finding:
    if settings.metrics_port == 0:
        return Finding("ok", "metrics", "of the gateway alone (AURALIS_METRICS_PORT is 0)")
    host = settings.metrics_host
    ports = sorted({settings.metrics_port or port for port in METRICS_PORTS.values()})
    taken = [f"{host}:{port}" for port in ports if not is_free(host, port)]
    if taken:
        fix = "Auralis may be running; `auralis up` takes the next free one, else AURALIS_METRICS_PORT"
        return Finding("note", "metrics", f"{', '.join(taken)} in use", fix)
    return Finding("ok", "metrics", f"{', '.join(f'{host}:{port}' for port in ports)} free")


def _data(settings: Settings) -> Finding:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = f"{settings.data_dir}: {error.strerror or error}"
        return Finding("wrong", "data", found, "--data-dir or AURALIS_DATA_DIR")
    return Finding("ok", "data", str(settings.data_dir))


def _control(settings: Settings) -> Finding:
    if settings.control_token is not None:
        return Finding("ok", "control", "with a token")
    open_to = ", ".join(settings.control_open_networks)
    return Finding("ok", "control", f"open to {open_to}; nobody else (AURALIS_CONTROL_TOKEN is not set)")


_CHECKS: Final[tuple[Callable[[Settings], Finding], ...]] = (
    _torch,
    _device,
    _broker,
    _codecs,
    _port,
    _metrics,
    _data,
    _control,
)
