"""Reading JSON from untrusted senders."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.errors import InvalidValue
from services.gateway.json_input import parse_object


def test_reads_an_object() -> None:
    assert parse_object(b'{"bpm": 60, "key": "D minor"}', "body") == {"bpm": 60, "key": "D minor"}


def test_reads_what_is_nested_a_little() -> None:
    assert parse_object(b'{"a":' * 20 + b"1" + b"}" * 20, "body")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"60", "body"),
        (b"{", "body"),
        (b"{'bpm': 60}", "body"),
        (b'{"bpm": NaN}', "body"),
        (b'{"bpm": -Infinity}', "body"),
        (b'{"bpm": ' + b"9" * 5000 + b"}", "body"),
        (b'{"bpm": 60, "bpm": 61}', "bpm"),
        (b'{"a": {"b": 1, "b": 2}}', "b"),
        (b"\xff{}", "body"),
        (b'{"key": "\\ud800"}', "body"),
        (b"[" * 100_000, "body"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "body"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "body"),
        (b'{"a":' + b"[" * 20 + b"]" * 20 + b"}", "body"),
    ],
)
def test_refuses_what_nobody_means(text: bytes, field: str) -> None:
    """Each case is one clear error that names the field."""
    with pytest.raises(InvalidValue) as caught:
        parse_object(text, "body")
    assert caught.value.field == field
    assert len(str(caught.value)) < 1000


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """The result is an object or an InvalidValue, never anything else."""
    with contextlib.suppress(InvalidValue):
        assert isinstance(parse_object(data, "body"), dict)
