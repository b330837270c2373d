"""What surrounds the code agrees with it: pinned versions, the containers' settings."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from auralis.settings import Settings, variable_of

ROOT = Path(__file__).parents[2]
PINS = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
SERVICES = yaml.safe_load((ROOT / "deploy" / "docker-compose.yml").read_text())["services"]
OURS = ("composer", "synth", "gateway")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_requirements() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.match(r"[\w.-]+", requirement)[0] for group in groups for requirement in group}
    return {normal(name) for name in names} - {"auralis"}


def test_pins_are_names_and_versions_only() -> None:
    """No address and no local suffix, so one file serves every index and every build of torch."""
    assert [pin for pin in PINS if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []


def test_every_direct_requirement_is_pinned() -> None:
    assert direct_requirements() - {normal(pin.split("==")[0]) for pin in PINS} == set()


def test_containers_are_given_only_settings_that_exist() -> None:
    known = {variable_of(field) for field in Settings.model_fields}
    given: set[str] = set().union(*(SERVICES[name]["environment"] for name in OURS))
    assert given - known == set()


def test_every_setting_reaches_the_containers() -> None:
    """Except where the broker of `auralis up` keeps its data: containers have a broker of their own."""
    known = {variable_of(field) for field in Settings.model_fields} - {"AURALIS_DATA_DIR"}
    given: set[str] = set().union(*(SERVICES[name]["environment"] for name in OURS))
    assert known - given == set()


def test_the_gateway_is_published_on_loopback_only() -> None:
    """Private networks may control in the containers, which is safe only as long as this holds."""
    published: dict[str, Any] = {
        name: service["ports"] for name, service in SERVICES.items() if "ports" in service
    }
    assert published == {"gateway": ["127.0.0.1:${AURALIS_PORT:-8000}:8000"]}


def test_a_synth_may_die() -> None:
    """A container that is started anew takes longer than what is rendered ahead; so there is another."""
    assert SERVICES["synth"]["scale"] >= 2


def test_services_can_be_scaled() -> None:
    assert [name for name, service in SERVICES.items() if "container_name" in service] == []
