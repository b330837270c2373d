"""The serial number of an Ogg stream."""

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from auralis.errors import ProtocolError
from services.offline.ogg import with_serial

NOISE = np.random.default_rng(1).normal(0, 0.1, (200_000, 2))


def checksum(page: bytes) -> int:
    """The checksum of RFC 3533, bit by bit."""
    register = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x104C11DB7 if register >> 31 else 0)
    return register


def pages(data: bytes) -> list[bytes]:
    found = []
    while data:
        length = 27 + data[26] + sum(data[27 : 27 + data[26]])
        found.append(data[:length])
        data = data[length:]
    return found


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "x.ogg"
    soundfile.write(path, NOISE, 44_100, format="OGG", subtype="VORBIS")
    return path


@pytest.mark.parametrize("serial", [0, 1, 2**32 - 1])
def test_every_page_has_the_number_and_its_checksum(written: Path, serial: int) -> None:
    before = pages(written.read_bytes())
    with_serial(written, serial)
    after = pages(written.read_bytes())
    assert len(after) == len(before) > 5
    for old, page in zip(before, after, strict=True):
        assert int.from_bytes(page[14:18], "little") == serial
        assert int.from_bytes(page[22:26], "little") == checksum(page)
        assert page[26:] == old[26:]
        assert page[:14] == old[:14]


def test_what_sounds_is_the_same(written: Path) -> None:
    before, _ = soundfile.read(written)
    with_serial(written, 7)
    assert np.array_equal(soundfile.read(written)[0], before)


def test_an_hour_takes_no_time(written: Path) -> None:
    """The contents of pages are not read."""
    began_s = time.process_time()
    with_serial(written, 7)
    assert (time.process_time() - began_s) * 3600 / 4.5 < 10


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(ProtocolError, match="Ogg page: found b'RIFF'"):
        with_serial(tmp_path / "x", 1)
