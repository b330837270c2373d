"""``score.mid`` of a running system, read back."""

import asyncio
import io
from typing import Any
from urllib.parse import unquote

import aiohttp
import mido
import pytest
import symusic

from auralis.audio import live_seq
from auralis.score.events import Chord, Note, Section, Tempo
from services.gateway.app import Gateway
from tests.integration.gateway.conftest import Start
from tests.integration.gateway.hearing import until
from tests.integration.gateway.producing import AUDIO, Producer
from tests.integration.gateway.test_http import ask

MID = "/api/v1/channels/main/score.mid"
MINOR_NINTH = Chord(0, AUDIO.frames(8), 9, "m9", "i", (45.0, 60.0, 64.0, 71.0))


def note(at_s: float, pitch: float, length_s: float = 0.2, layer: Any = "bells") -> Note:
    number = round(at_s * 1000 * 128 + pitch)
    return Note(AUDIO.frames(at_s), number, AUDIO.frames(length_s), pitch, 0.5, "church_bell", layer)


async def until_heard(producer: Producer, frame: int) -> None:
    """Wait until the live chunk begins at or after ``frame``."""
    await until(lambda: AUDIO.start_frame(live_seq(producer.epoch_us, producer.clock.now_us())) >= frame)


async def fetched(http: aiohttp.ClientSession, gateway: Gateway, path: str = MID) -> bytes:
    async with http.get(gateway.url + path) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_what_was_heard_is_there_and_what_was_dropped_or_lies_ahead_is_not(
    playing: Gateway, producer: Producer, http: aiohttp.ClientSession
) -> None:
    """A revision withdrew one note; another one has not sounded yet."""
    await producer.append(
        Section(0, "drift"), Tempo(0, 72.0), MINOR_NINTH, note(0, 60), note(0.1, 62), note(0.9, 64)
    )
    await asyncio.sleep(0.3)  # the next batch may not touch what is frozen
    batch = await producer.append(note(0.2, 67), note(3.5, 69))
    await until_heard(producer, batch.from_frame + AUDIO.frames(0.5))
    data = await fetched(http, playing)
    (track,) = symusic.Score.from_midi(data, ttype="second").tracks
    struck = [(n.pitch, n.time) for n in track.notes]
    assert [pitch for pitch, _ in struck] == [60, 62, 67]
    assert struck[0][1] == pytest.approx(0, abs=0.001)
    assert struck[1][1] == pytest.approx(0.1, abs=0.001)
    conductor = mido.MidiFile(file=io.BytesIO(data)).tracks[0]
    said = {message.type: message for message in conductor}
    assert (said["marker"].text, said["text"].text, said["key_signature"].key) == ("drift", "Am9", "Am")
    assert mido.tempo2bpm(said["set_tempo"].tempo) == pytest.approx(72, abs=0.001)


async def test_it_is_a_file_to_keep(playing: Gateway, http: aiohttp.ClientSession) -> None:
    async with http.get(playing.url + MID) as answer:
        assert answer.content_type == "audio/midi"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="auralis-main.mid"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.read())[:4] == b"MThd"


async def test_a_channel_that_has_not_begun_has_an_empty_file(
    start: Start, http: aiohttp.ClientSession
) -> None:
    """No composer, no score."""
    gateway = await start()
    async with http.post(gateway.url + "/api/v1/channels", json={"id": "new"}) as answer:
        assert answer.status == 201
    data = await fetched(http, gateway, "/api/v1/channels/new/score.mid")
    assert mido.MidiFile(file=io.BytesIO(data)).length == 0


@pytest.mark.parametrize(
    "minutes",
    ["0", "-1", "61", "nan", "inf", "", "five", "0x5", "5_0", "٥", "%2B5", "%205", "1e1", ".5", "5."],
)
async def test_minutes_that_are_not_allowed_are_a_problem(
    gateway: Gateway, http: aiohttp.ClientSession, minutes: str
) -> None:
    status, problem = await ask(http, gateway, "GET", f"{MID}?minutes={minutes}")
    assert (status, problem["field"], problem["value"]) == (400, "minutes", unquote(minutes))
    assert problem["allowed"] == "a number, more than 0, at most 60"


async def test_an_unknown_channel_is_404(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    assert (await ask(http, gateway, "GET", "/api/v1/channels/nobody/score.mid"))[0] == 404


async def test_whoever_wants_too_many_waits(gateway: Gateway, http: aiohttp.ClientSession) -> None:
    """Ten at once, then 429 with the time to wait."""
    for _ in range(10):
        await fetched(http, gateway)
    async with http.get(gateway.url + MID) as answer:
        problem = await answer.json(content_type=None)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
        assert problem["detail"] == "too many exports; again in 2 s"
