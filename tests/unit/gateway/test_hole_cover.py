"""Covering holes without a click."""

import math
import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.hole_cover import COVER_CHUNKS, HoleCover, seam_after

FRAMES = 4410


def tone(start: int, frames: int = FRAMES, hz: float = 220.0, peak: int = 8000) -> bytes:
    """A sine on the left, and half of it on the right."""
    values = (peak * math.sin(2 * math.pi * hz * (start + i) / 44_100) for i in range(frames))
    return b"".join(struct.pack("<2h", round(v), round(v / 2)) for v in values)


def left(payload: bytes | memoryview) -> list[int]:
    return [value for value, _ in struct.iter_unpack("<2h", payload)]


def steepest(values: list[int]) -> int:
    return max(abs(b - a) for a, b in pairwise(values))


STEP = steepest(left(tone(0)))


def test_a_cover_goes_on_where_the_sound_was() -> None:
    """From the last chunk into the cover, and wherever the cover starts over, no sample jumps."""
    hole_cover = HoleCover()
    heard = [tone(FRAMES * seq) for seq in range(3)]
    for payload in heard:
        hole_cover.remember(payload)
    covers = [bytes(hole_cover.cover()) for _ in range(7)]
    assert steepest(left(b"".join([heard[-1], *covers]))) <= 1.5 * STEP


def test_a_cover_is_as_loud() -> None:
    """A hole is not heard as silence."""
    hole_cover = HoleCover()
    hole_cover.remember(tone(0))
    covers = [left(hole_cover.cover()) for _ in range(30)]
    assert all(max(values) > 7900 for values in covers)


def test_the_sound_returns_without_a_step() -> None:
    """Any chunk that follows a hole is faded in over 20 ms, and is unchanged after that."""
    hole_cover = HoleCover()
    hole_cover.remember(tone(0))
    cover = bytes(hole_cover.cover())
    back = tone(12_345, hz=330.0)
    joined = hole_cover.joined(back)
    assert steepest(left(cover + joined)) <= 2.5 * STEP
    assert joined[882 * 4 :] == back[882 * 4 :]
    assert joined[: 800 * 4] != back[: 800 * 4]


def test_a_long_cover_repeats_the_last_second() -> None:
    """It never repeats just a tenth of a second over and over, which would buzz."""
    hole_cover = HoleCover()
    heard = [tone(FRAMES * seq, hz=200 + seq) for seq in range(15)]
    for payload in heard:
        hole_cover.remember(payload)
    covers = [bytes(hole_cover.cover()) for _ in range(2 * COVER_CHUNKS)]
    assert covers[1:COVER_CHUNKS] == heard[-COVER_CHUNKS + 1 :]
    assert covers[1:COVER_CHUNKS] == covers[COVER_CHUNKS + 1 :]


def test_what_was_before_a_hole_is_not_repeated_after_it() -> None:
    """A second hole repeats only what has come since the first."""
    hole_cover = HoleCover()
    hole_cover.remember(tone(0))
    hole_cover.cover()
    hole_cover.remember(tone(0, hz=330.0))
    assert bytes(hole_cover.cover())[882 * 4 :] == tone(0, hz=330.0)[882 * 4 :]


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_a_seam_keeps_the_length(last: bytes, payload: bytes) -> None:
    """Even where formats differ: all whole frames of the new chunk come out."""
    payload = payload[: len(payload) // 4 * 4]
    last = last[: len(last) // 4 * 4]
    assert len(seam_after(last, payload)) == len(payload)
