"""The commands. Each loads what it needs only when called: ``--help`` must not wait for a renderer."""

import importlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from auralis import __version__, settings
from auralis.cli import INTERRUPTED
from auralis.controls import SPECS, Controls, changed
from auralis.errors import AuralisError, InvalidValue, UsageError
from auralis.process import report
from auralis.settings import Settings

_MINUTES = 5.0  # default length of a piece
_FEW = 8  # the most choices that a help text lists
# The base class of every usage error (typer does not export click's classes).
_UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="auralis",
    help="Endless ambient music, composed and synthesised live, streamed to many browsers.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
bench = typer.Typer(help="Measure: one table in one run.")
app.add_typer(bench, name="bench")


def _control_option(name: str, default: str | None = None) -> Any:
    spec = next(spec for spec in SPECS if spec.name == name)
    allowed = f" ({spec.allowed})" if len(spec.choices) <= _FEW else ""
    return typer.Option(help=f"{spec.description}{allowed}", show_default=default or str(spec.default))


Host = Annotated[str | None, typer.Option(help="Address the gateway listens on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port the gateway listens on.", show_default="8000")]
Device = Annotated[
    str | None, typer.Option(help="Where to render: auto, cuda, mps or cpu.", show_default="auto")
]


def run(arguments: list[str]) -> int:
    """Run the command line; return the exit code, after one line on stderr for an error."""
    try:
        code = app(arguments or ["--help"], prog_name="auralis", standalone_mode=False)
    except AuralisError as error:
        return _reported(error)
    except _UsageError as error:
        return _reported(UsageError(error.format_message()))
    return code if isinstance(code, int) else 0


def _reported(error: AuralisError) -> int:
    report(error)
    return error.exit_code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _auralis(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Endless ambient music, composed and synthesised live, streamed to many browsers."""


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    synth_workers: Annotated[int, typer.Option(min=1, max=64, help="Synth processes.")] = 1,
    device: Device = None,
    data_dir: Annotated[
        str | None,
        typer.Option(help="Where the embedded broker keeps its data.", metavar="PATH", show_default=False),
    ] = None,
) -> int:
    """Start everything: broker (unless REDIS_URL is set), composer, synth and gateway; Ctrl-C ends it."""
    from auralis.supervise import main as supervise  # noqa: PLC0415

    configured = settings.load(host=host, port=port, device=device, data_dir=data_dir)
    _check_device(configured, device)
    return supervise(configured, synth_workers)


@app.command()
def composer() -> int:
    """Run one composer."""
    return _service("composer", settings.load())


@app.command()
def synth(device: Device = None) -> int:
    """Run one synth worker."""
    configured = settings.load(device=device)
    _check_device(configured, device)
    return _service("synth", configured)


@app.command()
def gateway(host: Host = None, port: Port = None) -> int:
    """Run one gateway."""
    return _service("gateway", settings.load(host=host, port=port))


@app.command()
def render(  # noqa: PLR0913, PLR0917  each is an option
    output: Annotated[Path, typer.Option("--output", "-o", help="The file: .wav, .flac, .ogg or .mp3.")],
    minutes: Annotated[
        float | None, typer.Option(help="How long the piece is.", show_default=str(_MINUTES))
    ] = None,
    seed: Annotated[int, typer.Option(help="One seed, one piece.")] = 0,
    key: Annotated[str | None, _control_option("key")] = None,
    bpm: Annotated[float | None, _control_option("bpm")] = None,
    intensity: Annotated[float | None, _control_option("intensity")] = None,
    mood: Annotated[float | None, _control_option("mood")] = None,
    brightness: Annotated[float | None, _control_option("brightness")] = None,
    room: Annotated[str | None, _control_option("room", "auto; with --patch hall")] = None,
    stems: Annotated[
        Path | None, typer.Option(help="A folder for one file a layer as well.", show_default=False)
    ] = None,
    midi: Annotated[
        Path | None, typer.Option(help="A file for the score as MIDI as well.", show_default=False)
    ] = None,
    score: Annotated[
        Path | None,
        typer.Option(help="A file for the score as JSON, one event a line, as well.", show_default=False),
    ] = None,
    report_: Annotated[
        Path | None,
        typer.Option("--report", help="A page with pictures and measures as well.", show_default=False),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="So many at most render a piece.", show_default="one a core")
    ] = None,
    patch: Annotated[
        str | None, typer.Option(help="Not a piece but this patch (auralis patches).", show_default=False)
    ] = None,
    notes: Annotated[
        str | None, typer.Option(help='For --patch: "C4 E4+G4 67".', show_default="what suits the patch")
    ] = None,
    velocity: Annotated[float | None, typer.Option(help="For --patch: 0 to 1.", show_default="0.6")] = None,
    note_seconds: Annotated[
        float | None, typer.Option(help="For --patch.", show_default="what suits the patch")
    ] = None,
) -> int:
    """Render a piece, or one patch, to a file; the same arguments give the same bytes."""
    turned = {"key": key, "bpm": bpm, "intensity": intensity, "mood": mood, "brightness": brightness}
    if patch is None:
        turned["room"] = room
    controls = changed(Controls(), _given(turned))
    audio = settings.load().audio
    for_piece: dict[str, Any] = {
        "stems": stems,
        "midi": midi,
        "score": score,
        "report": report_,
        "processes": processes,
    }
    for_patch = {"notes": notes, "velocity": velocity, "note_s": note_seconds}
    if patch is None:
        _refuse("only with --patch", for_patch)
        offline = _loaded("offline")
        minutes = _MINUTES if minutes is None else minutes
        request = offline.RenderRequest(seed, minutes, controls, output, audio, **for_piece)
        return _interruptible(lambda: offline.main(request))
    _refuse("not with --patch", {"minutes": minutes, "key": key, "mood": mood} | for_piece)
    audition = _loaded("offline", "audition")
    chosen = _given(for_patch | {"room": room})
    wanted = audition.Audition(patch, output, audio, seed=seed, controls=controls, **chosen)
    return _interruptible(lambda: audition.main(wanted))


def _interruptible(write: Callable[[], int]) -> int:
    """Return the result of ``write``; if Ctrl-C ends it, print one line and return :data:`INTERRUPTED`."""
    try:
        return write()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C changes nothing
        report(AuralisError("interrupted: nothing was written"))
        return INTERRUPTED


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _refuse(allowed: str, options: dict[str, Any]) -> None:
    """Raise a usage error for the first of ``options`` that was given."""
    for name, value in options.items():
        if value is not None:
            option = "note-seconds" if name == "note_s" else name
            raise UsageError(f"--{option}: {allowed}")


@app.command()
def patches() -> int:
    """List the patches: name, family, range and what each sounds like."""
    return int(_loaded("offline", "catalogue").main())


@bench.command(name="render")
def bench_render(
    device: Device = None,
    channels: Annotated[
        str | None, typer.Option(help="Batch sizes.", show_default="1,8,16; on a GPU 1,16,64")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Music that each batch size renders.")] = 20.0,
    json: Annotated[
        Path | None, typer.Option(help="A file for the figures as JSON.", show_default=False)
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> int:
    """Measure the renderer against its peers in one run: one table with ratios."""
    configured = settings.load(device=device)
    _check_device(configured, device)
    measuring = _loaded("bench", extra="all")
    order = measuring.Order(configured.device, channels, seconds, json, markdown)

    def measure() -> int:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # it has processes and files to clean up
        return int(measuring.main(order))

    return _interruptible(measure)


@app.command()
def doctor() -> int:
    """Report what was found, what is wrong and how to fix it."""
    from auralis.doctor import main as diagnose  # noqa: PLC0415

    return diagnose(settings.load())


def _check_device(configured: Settings, flag: str | None) -> None:
    """Refuse an accelerator that this machine shows no sign of.

    Whether one that shows is usable only torch knows, which takes seconds to load: the synth finds out.
    """
    if configured.device in ("auto", "cpu") or _loaded("synth", "device").may_be_accelerated():
        return
    name = settings.variable_of("device") if flag is None else settings.flag_of("device")
    raise InvalidValue(name, configured.device, "on this machine auto or cpu")


def _service(name: str, configured: Settings) -> int:
    code: int = _loaded(name).main(configured)
    return code


def _loaded(name: str, part: str = "__main__", extra: str | None = None) -> Any:
    """Import a service by name: the shared language depends on none, it only starts them."""
    try:
        return importlib.import_module(f"services.{name}.{part}")
    except ModuleNotFoundError as error:
        raise AuralisError(
            f"{name}: the package {error.name!r} is missing: pip install 'auralis[{extra or name}]'"
        ) from error
