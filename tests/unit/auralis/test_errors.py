"""Every error is one line, and its class says how a process ends."""

import inspect

import pytest

from auralis import errors
from auralis.errors import (
    AuralisError,
    BrokerUnavailable,
    ChannelExists,
    ChannelNotFound,
    InvalidValue,
    ProtocolError,
    UsageError,
)


def test_every_error_has_one_base_and_stands_in_the_tree() -> None:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)]
    assert all(issubclass(cls, AuralisError) for cls in classes)
    assert errors.__doc__ is not None
    assert all(cls.__name__ in errors.__doc__ for cls in classes)


@pytest.mark.parametrize(
    "cls", [AuralisError, BrokerUnavailable, ProtocolError, ChannelNotFound, ChannelExists]
)
def test_a_failure_ends_with_1(cls: type[AuralisError]) -> None:
    assert cls.exit_code == 1


@pytest.mark.parametrize("cls", [UsageError, InvalidValue])
def test_what_the_user_can_mend_ends_with_2(cls: type[AuralisError]) -> None:
    assert cls.exit_code == 2


def test_a_wrong_value_is_quoted_with_its_field_and_what_is_allowed() -> None:
    error = InvalidValue("bpm", "fast", "a number from 40 to 120")
    assert str(error) == "bpm: found 'fast', allowed: a number from 40 to 120"
    assert (error.field, error.value, error.allowed) == ("bpm", "fast", "a number from 40 to 120")


def test_a_long_value_is_quoted_in_part() -> None:
    error = InvalidValue("bpm", "9" * 15_000, "a number")
    assert str(error) == f"bpm: found '{'9' * 199}…, allowed: a number"
    assert len(error.value) == 15_000
    assert "…" not in str(InvalidValue("bpm", "9" * 198, "a number"))


def test_a_field_without_a_name_is_shown_as_such() -> None:
    assert str(InvalidValue("", 1, "a known field")) == "'': found 1, allowed: a known field"


def test_errors_about_a_channel_name_it() -> None:
    assert (str(ChannelNotFound("x")), ChannelNotFound("x").channel) == ("no such channel: 'x'", "x")
    assert (str(ChannelExists("x")), ChannelExists("x").channel) == ("the channel exists already: 'x'", "x")
