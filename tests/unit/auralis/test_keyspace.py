"""Redis keys and channel ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from auralis.errors import InvalidValue
from auralis.keyspace import Keyspace, checked_channel_id

names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True)


def _all(keys: Keyspace, channel: str) -> list[str]:
    return [getattr(keys, what)(channel) for what in ("control", "score", "ring", "ringmeta", "state")]


@given(names)
def test_all_keys_of_a_channel_lie_on_one_slot_of_a_cluster(channel: str) -> None:
    assert len({key_slot(key.encode()) for key in _all(Keyspace(), channel)}) == 1


@given(names, names)
def test_no_two_keys_are_the_same(one: str, other: str) -> None:
    keys = Keyspace()
    general = [
        keys.channels,
        keys.workers("composer"),
        keys.workers("synth"),
        keys.presets,
        keys.listeners,
        keys.wake,
    ]
    both = _all(keys, one) + (_all(keys, other) if other != one else []) + general
    assert len(set(both)) == len(both)


def test_assignments_and_the_workers_they_are_for_lie_on_one_slot() -> None:
    keys = Keyspace()
    assert key_slot(keys.workers("synth").encode()) == key_slot(keys.channels.encode())


def test_the_keys_are_those_of_the_contract() -> None:
    keys = Keyspace()
    assert _all(keys, "main") == [
        f"auralis:{{main}}:{what}" for what in ("control", "score", "ring", "ringmeta", "state")
    ]
    assert (keys.channels, keys.presets, keys.listeners) == (
        "auralis:channels",
        "auralis:presets",
        "auralis:listeners",
    )


def test_two_prefixes_share_no_key() -> None:
    one, other = Keyspace("one"), Keyspace("other")
    assert not set(_all(one, "main")) & set(_all(other, "main"))


@given(names)
def test_names_that_can_name_a_channel(name: str) -> None:
    assert checked_channel_id(name) == name


@pytest.mark.parametrize(
    "name", ["", "-a", "_a", "Main", "a b", "a{b}", "a:b", "ä", "a" * 33, "main\n", "a/b", "../etc"]
)
def test_what_can_not_name_a_channel_is_quoted_with_what_can(name: str) -> None:
    with pytest.raises(InvalidValue, match="allowed: 1 to 32 characters") as caught:
        checked_channel_id(name)
    assert caught.value.value == name
