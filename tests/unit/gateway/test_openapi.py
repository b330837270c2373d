"""The OpenAPI document against its standard, the routes and the controls."""

from typing import Any

import msgspec
from aiohttp import web
from openapi_spec_validator import validate

from auralis.broker import connect
from auralis.controls import SPECS
from auralis.keys import KEY_NAMES
from auralis.settings import Settings
from services.gateway.app import Gateway
from services.gateway.openapi import document


def routes() -> set[tuple[str, str]]:
    """Method and path of every route except the one that serves the player's files."""
    client = connect("redis://127.0.0.1:1", name="test")  # never used
    app: web.Application = Gateway(Settings(), client, client).app()
    return {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD" and route.resource.canonical != "/{path}"
    }


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """What the document says about each method of each path."""
    return {
        (method, path): operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_it_is_valid() -> None:
    validate(document())  # type: ignore[arg-type]


async def test_it_names_exactly_the_routes_there_are() -> None:
    assert set(operations()) == routes()


def test_every_operation_has_a_name_of_its_own() -> None:
    """Clients that are generated from the document name their functions after it."""
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(names)


def test_every_operation_may_fail_in_ways_that_are_described_once() -> None:
    """A wrong method, and unexpected errors."""
    for operation in operations().values():
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
    described = document()["components"]["responses"]["Problem"]["description"]
    assert "405" in described
    assert "500" in described


def test_what_comes_with_a_body_is_said_of_bodies_only() -> None:
    """Too slow, too large, and compressed."""
    for operation in operations().values():
        said = {"408", "413", "415"} & set(operation["responses"])
        assert len(said) == (3 if "requestBody" in operation else 0)


def test_it_knows_the_ranges_of_the_controls() -> None:
    properties = document()["components"]["schemas"]["Controls"]["properties"]
    assert list(properties) == [spec.name for spec in SPECS]
    assert (properties["bpm"]["minimum"], properties["bpm"]["maximum"]) == (40, 120)
    assert properties["key"]["enum"] == list(KEY_NAMES)
    assert "auto" in properties["room"]["enum"]


def test_it_names_everything_that_a_control_says_of_itself() -> None:
    schema = document()["components"]["schemas"]["ControlSpec"]
    said = [set(described) for described in msgspec.to_builtins(SPECS)]
    assert set(schema["properties"]) == set().union(*said)
    assert set(schema["required"]) == set.intersection(*said)


def test_every_path_parameter_is_described() -> None:
    for path, item in document()["paths"].items():
        named = {parameter["name"] for parameter in item.get("parameters", [])}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
