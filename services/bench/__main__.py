"""``auralis bench render``: the renderer's speed compared with its peers', in one run and one table."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from rich.console import Console
from threadpoolctl import threadpool_limits

from auralis.errors import AuralisError, InvalidValue
from services.bench import csound, machine, report
from services.bench.channels import mix_rows
from services.bench.kernel import kernel_rows
from services.bench.pads import pad_rows
from services.bench.report import Row
from services.bench.stages import stage_rows
from services.bench.workers import takeover_rows, worker_rows
from services.synth import device as devices
from services.synth.dsp.arrays import Device

_MOST_CHANNELS: Final = 100_000
_LONGEST_S: Final = 600.0
_DEFAULT_CHANNELS: Final = {"cpu": "1,8,16"}
_ACCELERATED_CHANNELS: Final = "1,16,64"


@dataclass(frozen=True, slots=True)
class Order:
    """What to measure, validated.

    ``channels`` are batch sizes, separated by commas (None: the device's defaults); ``music_s`` is how many
    seconds of music each batch size renders.

    Raises:
        InvalidValue: naming the first value that is not allowed.
    """

    device: str = "auto"
    channels: str | None = None
    music_s: float = 20.0
    json: Path | None = None
    markdown: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.music_s <= _LONGEST_S:
            raise InvalidValue("seconds", self.music_s, f"more than 0, at most {_LONGEST_S:g}")
        if self.json is not None and (self.json.is_dir() or not self.json.absolute().parent.is_dir()):
            raise InvalidValue("json", str(self.json), "a file in a folder that exists")
        _ = self.chosen, self.sizes

    @property
    def chosen(self) -> Device:
        """The device."""
        return devices.choose(self.device)

    @property
    def sizes(self) -> list[int]:
        """The batch sizes, each of which divides the largest."""
        text = self.channels or _DEFAULT_CHANNELS.get(self.chosen, _ACCELERATED_CHANNELS)
        words = [word.strip() for word in text.split(",")]
        sizes = [int(word) for word in words if word.isascii() and word.isdigit()]
        fit = len(sizes) == len(words) and all(
            0 < size <= _MOST_CHANNELS and max(sizes) % size == 0 for size in sizes
        )
        if not fit or len(set(sizes)) < len(sizes):
            raise InvalidValue("channels", text, "numbers such as 1,8,16, each a divisor of the largest")
        return sizes


def main(order: Order) -> int:
    """Measure and print; returns the exit code."""
    gc.freeze()  # as a worker does: garbage collections then skip everything imported
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")
    about = machine.described(order.chosen)
    rows = list(_measured(order))
    title = ", ".join(f"{name} {value}" if name != "device" else value for name, value in about.items())
    text = (report.markdown if order.markdown else report.plain)(title, rows)
    Console(highlight=False, markup=False, soft_wrap=True).print(text)
    if order.json is not None:
        _save(order.json, report.as_json(about, rows))
    return 0


def _measured(order: Order) -> Iterator[Row]:
    """Yield every row; on a terminal, say what is being measured."""
    device, rounds = order.chosen, max(2, round(order.music_s))
    parts: dict[str, Callable[[], list[Row]]] = {
        "the full mix": lambda: mix_rows(order.sizes, order.music_s, device),
        "the stages": lambda: stage_rows(order.music_s, device),
        "the kernel": lambda: kernel_rows(5 * rounds, device),
        "a pad": lambda: pad_rows(min(rounds, 10), device, csound.installed()),
        "takeovers": lambda: takeover_rows(min(rounds, 10), device),
        "workers": lambda: worker_rows(min(rounds, 5), order.music_s, device),
    }
    console = Console(stderr=True, highlight=False)
    for name, part in parts.items():
        if console.is_terminal:
            console.print(f"measuring {name} ...")
        yield from part()


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AuralisError(f"can't write {path}: {error}") from error
