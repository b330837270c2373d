"""What the documentation says agrees with the code, wherever a test can tell."""

import re
import struct
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import pytest
import typer
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from auralis import audio, timing, wire
from auralis.cli.app import app
from auralis.controls import SPECS
from auralis.keyspace import Keyspace
from auralis.ring.writer import Outcome
from auralis.score import events
from auralis.score.log import Refusal
from auralis.settings import Settings, variable_of
from services.composer.metrics import ComposerMetrics
from services.gateway import protocol
from services.gateway.metrics import GatewayMetrics
from services.gateway.openapi import document
from services.synth.metrics import SynthMetrics

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
README: Final = ROOT / "README.md"
SETTINGS: Final = ROOT / "docs" / "settings.md"
METRICS: Final = ROOT / "docs" / "metrics.md"
WIRE: Final = ROOT / "docs" / "wire-protocol.md"
API: Final = ROOT / "docs" / "http-api.md"
SERVICES: Final = {"Composer": ComposerMetrics, "Synth": SynthMetrics, "Gateway": GatewayMetrics}


def commands_of(group: Any, prefix: str = "") -> dict[str, Any]:
    """Every command by its name; those of a group within the commands as ``group command``."""
    found: dict[str, Any] = {}
    for name, command in vars(group)["commands"].items():
        within = commands_of(command, f"{prefix}{name} ") if "commands" in vars(command) else None
        found |= {f"{prefix}{name}": command} if within is None else within
    return found


COMMANDS: Final = commands_of(typer.main.get_command(app))

Cells = list[str]


def tables(page: Path, *header: str) -> list[Cells]:
    """The rows of every table of ``page`` whose first columns are ``header``."""
    rows: list[Cells] = []
    inside = False
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line[:1] == "|" else []
        inside = bool(cells) and (inside or cells[: len(header)] == list(header))
        if inside and cells[: len(header)] != list(header) and set(cells[0]) != {"-"}:
            rows.append(cells)
    return rows


def code(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def fields_of(message: type[msgspec.Struct]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(message)}


def kind_of(message: type[msgspec.Struct]) -> str:
    return str(message.__struct_config__.tag)


# Settings


def default_of(field: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The default as the page writes it."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    default = Settings.model_fields[field].get_default(call_default_factory=True)
    if default is None:
        return "unset"
    text = ",".join(default) if isinstance(default, tuple) else str(default).replace(str(Path.home()), "~")
    return f"`{text}`" if text else "none"


def test_every_setting_is_documented_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    documented = {code(row[0])[0]: (row[1], row[3]) for row in tables(SETTINGS, "variable")}
    known = {
        variable_of(name): (default_of(name, monkeypatch), field.description)
        for name, field in Settings.model_fields.items()
    }
    assert documented == known


def test_every_choice_of_a_setting_is_documented() -> None:
    allowed = {code(row[0])[0]: code(row[2]) for row in tables(SETTINGS, "variable")}
    for name, field in Settings.model_fields.items():
        choices = [c for c in _flat(field.annotation) if isinstance(c, str)]
        assert not choices or allowed[variable_of(name)] == choices


def _flat(annotation: Any) -> list[Any]:
    parts = get_args(annotation)
    return [leaf for part in parts for leaf in _flat(part)] if parts else [annotation]


def test_the_readme_tells_the_same_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {variable_of(name): default_of(name, monkeypatch) for name in Settings.model_fields}
    for names, defaults, _ in tables(README, "variable"):
        assert [known[name] for name in code(names)] == [part.strip() for part in defaults.split(",")]


def test_every_setting_has_its_readers() -> None:
    patterns = [name for row in tables(SETTINGS, "setting") for name in code(row[0])]
    for name in Settings.model_fields:
        assert any(Path(variable_of(name)).match(pattern) for pattern in patterns), variable_of(name)


# Metrics


def registered(metrics: Any) -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Type, labels and help of each metric of ours, by the name under which Prometheus sees it."""
    registry = CollectorRegistry()
    metrics(registry)
    ours = (c for c in registry._collector_to_names if isinstance(c, MetricWrapperBase))
    return {
        metric._name + ("_total" if metric._type == "counter" else ""): (
            str(metric._type),
            tuple(metric._labelnames),
            metric._documentation,
        )
        for metric in ours
    }


@pytest.mark.parametrize("service", SERVICES)
def test_every_metric_is_documented_and_no_other(service: str) -> None:
    section = METRICS.read_text().split(f"## {service}\n")[1].split("\n## ")[0]
    rows = [row for row in tables(METRICS, "metric") if f"| {row[0]} |" in section]
    documented = {code(name)[0]: (kind, tuple(code(labels)), text) for name, kind, labels, text in rows}
    assert documented == registered(SERVICES[service])


def test_every_value_of_a_label_is_documented() -> None:
    documented = {(code(row[1])[0], code(row[0])[0]): set(code(row[2].split(":")[0])) for row in label_rows()}
    found: dict[tuple[str, str], set[str]] = {}
    for metrics in SERVICES.values():
        registry = CollectorRegistry()
        metrics(registry)
        for sample in (sample for family in registry.collect() for sample in family.samples):
            for label, value in sample.labels.items():
                if label not in ("le", "channel") and not sample.name.endswith("_created"):
                    found.setdefault((sample.name, label), set()).add(value)
    assert documented == found


def label_rows() -> list[Cells]:
    return tables(METRICS, "label")


# What travels


def test_the_binary_frame_is_documented() -> None:
    codes = {"B": "u8", "H": "u16", "I": "u32", "Q": "u64", "q": "i64"}
    order, *types = list(wire._HEADER.format)
    offsets = [struct.calcsize(order + "".join(types[:count])) for count in range(len(types) + 1)]
    expected = [[str(offset), codes[kind]] for offset, kind in zip(offsets, types, strict=False)]
    assert [row[:2] for row in tables(WIRE, "offset")] == [*expected, [str(wire.HEADER_BYTES), ""]]


@pytest.mark.parametrize(
    ("header", "messages"),
    [
        (("`type`", "when"), get_args(protocol.ServerMessage)),
        (("`type`", "fields"), get_args(protocol.ClientMessage)),
    ],
    ids=["gateway", "client"],
)
def test_every_text_message_is_documented_with_its_fields(
    header: tuple[str, str], messages: tuple[type[msgspec.Struct], ...]
) -> None:
    column = 2 if header[1] == "when" else 1
    documented = {code(row[0])[0]: set(code(row[column])) - {"null"} for row in tables(WIRE, *header)}
    assert documented == {kind_of(message): fields_of(message) for message in messages}


def test_every_close_code_is_documented() -> None:
    known = {str(code_) for name, code_ in vars(protocol).items() if name.startswith("CLOSE_")}
    assert {row[0] for row in tables(WIRE, "code")} == known


def test_every_event_of_the_score_is_documented_with_its_fields() -> None:
    documented = {code(row[0])[0]: set(code(row[1])) for row in tables(WIRE, "event `type`")}
    known = {kind_of(event): fields_of(event) - {"at_frame"} for event in get_args(events.Event)}
    assert documented.keys() == known.keys()
    assert [kind for kind in known if not known[kind] <= documented[kind]] == []
    batch = {name for row in tables(WIRE, "field of a batch") for name in code(row[0])}
    assert batch == fields_of(events.Batch)


def test_every_lua_function_is_documented_with_its_answers() -> None:
    rows = {re.findall(r"\.\./([^)]+)", row[0])[0]: set(code(row[2])) for row in tables(WIRE, "function")}
    assert set(rows) == {str(path.relative_to(ROOT)) for path in ROOT.glob("auralis/**/*.lua")}
    assert rows["auralis/ring/push.lua"] == {outcome.value for outcome in Outcome}
    assert rows["auralis/score/append.lua"] == {"ok", *(refusal.value for refusal in Refusal)}


@pytest.mark.parametrize("page", [WIRE, ROOT / "docs" / "design.md"], ids=lambda page: page.name)
def test_every_key_is_documented(page: Path) -> None:
    keys = Keyspace()
    of_channel = {method("ch") for method in (keys.control, keys.score, keys.ring, keys.ringmeta, keys.state)}
    shared = {keys.channels, keys.workers("composer"), keys.presets, keys.listeners, keys.wake}
    shared |= {keys.presence("synth", "NAME")}
    assert {code(row[0])[0] for row in tables(page, "key")} == of_channel | shared


def test_every_route_is_documented() -> None:
    documented = {(row[0].lower(), code(row[1])[0]) for row in tables(API, "method")}
    described = {
        (method, path)
        for path, item in document()["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert documented == described


def test_every_control_is_documented_with_its_default() -> None:
    documented = {code(row[0])[0]: row[2] for row in tables(API, "name")}
    known = {spec.name: spec.default for spec in SPECS}
    assert documented == {
        name: f"`{default}`" if isinstance(default, str) else f"{default:g}"
        for name, default in known.items()
    }


def test_every_shared_duration_is_documented() -> None:
    documented = {code(row[0])[0]: row[1] for row in tables(ROOT / "docs" / "time.md", "name")}
    known = {
        name: str(value) for name, value in vars(timing).items() if name.isupper() and name not in vars(audio)
    }
    assert documented == known


# Commands, links and paths


def test_every_command_is_in_the_readme() -> None:
    named = {code(row[0])[0] for row in tables(README, "command")}
    assert {name for name in named if name.startswith("auralis ")} == {f"auralis {name}" for name in COMMANDS}
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    assert {name.removeprefix("make ") for name in named if name.startswith("make ")} <= targets


def test_every_flag_is_documented() -> None:
    documented = {code(row[0])[0]: {flag.split()[0] for flag in code(row[1])} for row in flag_rows()}
    known = {f"auralis {name}": options(command) for name, command in COMMANDS.items()}
    assert documented == {command: flags for command, flags in known.items() if flags}


def flag_rows() -> list[Cells]:
    return tables(SETTINGS, "command", "flags")


def options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name != "--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_resolves(page: Path) -> None:
    """To a file of this checkout, and where it names a section, to one of its headings."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, section = target.partition("#")
        found = page.parent / path if path else page
        if not target.startswith("http") and not (found.exists() and section in sections(found)):
            broken.append(target)
    assert broken == []


def sections(page: Path) -> set[str]:
    """The anchors of a page; the empty one is the page itself."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text()) if page.suffix == ".md" else []
    return {"", *(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_is_named_exists(page: Path) -> None:
    named = re.findall(
        r"`((?:auralis|services|web|tests|docs|deploy|benchmarks)/[\w./-]*)`", page.read_text()
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert [name for name in pages if f"]({name})" not in index] == []


def test_every_benchmark_is_explained() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text()
    modules = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert modules == set(re.findall(r"(?:python -m benchmarks\.|\]\()(\w+)", page))
