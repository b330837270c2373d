"""A progress bar on stderr, where that is a terminal."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")


def with_progress(parts: Iterable[T], total: int) -> Iterator[T]:
    """``parts`` as they come; ``total`` is how many there are at most."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (
        TextColumn("rendering"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield from progress.track(parts, total=total)
