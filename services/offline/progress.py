"""What a rendering says: on a terminal how far it is, and at the end which files there are."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar of ``total`` steps; yields a function to call with the number of further steps done."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (
        TextColumn("rendering"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("rendering", total=total)
        yield lambda steps: bar.advance(task, steps)


def with_progress(parts: Iterable[T], total: int) -> Iterator[T]:
    """Yield ``parts`` as they come; ``total`` is the most there may be."""
    with progress(total) as advance:
        for part in parts:
            yield part
            advance(1)


def list_written(paths: Iterable[Path]) -> None:
    """Print each path, one a line."""
    for path in paths:
        typer.echo(os.fsencode(path))  # a name may be bytes that are no text
