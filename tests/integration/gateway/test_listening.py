"""Listening over WebSocket, as the contract describes it."""

import asyncio
import time

import aiohttp
import pytest
from redis.asyncio import Redis

from auralis.channel.listeners import Listeners
from auralis.channel.state import Channels
from auralis.keyspace import Keyspace
from auralis.score.events import Chord, Note
from services.gateway import hub
from services.gateway.app import Gateway
from tests.integration.gateway.conftest import Join, Start, running
from tests.integration.gateway.hearing import Client, contiguous, seqs, until
from tests.integration.gateway.producing import AUDIO, Producer, pcm


async def test_hello_comes_first_then_the_burst(playing: Gateway, join: Join, producer: Producer) -> None:
    """Hello also describes the stream."""
    client = await join(playing)
    assert client.socket.protocol == "auralis.v1"
    chunks = await client.hear(6)
    hello = client.texts[0]
    assert client.order[:3] == ["hello", "state", "score"]
    assert {name: hello[name] for name in ("channel", "sample_rate", "channels", "frames_per_chunk")} == {
        "channel": "main",
        "sample_rate": 44_100,
        "channels": 2,
        "frames_per_chunk": 4410,
    }
    assert hello["epoch_us"] == producer.epoch_us
    assert hello["codec"] == "pcm"
    assert hello["control_open"] is True
    burst = hello["burst"]
    assert 1 <= burst <= 5
    assert hello["live_seq"] == chunks[burst - 1].seq


async def test_chunks_are_the_rings_on_time_and_contiguous(
    playing: Gateway, join: Join, producer: Producer
) -> None:
    """What the producer pushed is what arrives, each chunk when it is due."""
    client = await join(playing)
    await client.told("hello")
    burst = client.texts[0]["burst"]
    late_s = []
    for count in range(burst + 1, burst + 15):
        chunks = await client.hear(count)
        late_s.append(producer.clock.now_us() / 1e6 - chunks[-1].due_us / 1e6)
    assert contiguous(client.chunks)
    assert all(chunk.payload == pcm(chunk.seq) for chunk in client.chunks)
    assert min(late_s) >= 0
    assert sorted(late_s)[len(late_s) // 2] < 0.05


async def test_the_json_form_is_the_same(playing: Gateway, join: Join) -> None:
    plain, as_json = await join(playing), await join(playing, protocol="auralis.v1.json")
    assert as_json.socket.protocol == "auralis.v1.json"
    await as_json.hear(8)
    await plain.hear_past(as_json.chunks[-1].seq)
    by_seq = {chunk.seq: chunk for chunk in plain.chunks}
    assert contiguous(as_json.chunks)
    assert [by_seq[chunk.seq] for chunk in as_json.chunks if chunk.seq in by_seq][-3:] == as_json.chunks[-3:]


async def test_without_a_subprotocol_it_is_the_binary_one(playing: Gateway, join: Join) -> None:
    client = await join(playing, protocol=None)
    assert client.socket.protocol is None
    assert len((await client.hear(1))[0].payload) == AUDIO.bytes_per_chunk


async def test_resuming_continues_after_the_last_chunk_heard(playing: Gateway, join: Join) -> None:
    """What was missed in the meantime arrives at once."""
    first = await join(playing)
    await first.hear(4)
    last = first.chunks[-1].seq
    await first.socket.close()
    await asyncio.sleep(0.35)
    again = await join(playing, query=f"?since={last}")
    await again.hear(5)
    assert seqs(again.chunks)[0] == last + 1
    assert contiguous(again.chunks)
    assert again.texts[0]["burst"] >= 3


async def test_resuming_from_another_time_is_marked(playing: Gateway, join: Join) -> None:
    client = await join(playing, query="?since=100000000")
    chunks = await client.hear(3)
    assert [chunk.discontinuity for chunk in chunks] == [True, False, False]


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ("?codec=opus", "codec", "pcm"),
        ("?codec=", "codec", "pcm"),
        ("?since=-1", "since", "0 or more"),
        ("?since=x", "since", "0 or more"),
        ("?since=1.5", "since", "0 or more"),
        ("?since=" + "9" * 30, "since", "0 or more"),
    ],
)
async def test_wrong_questions_are_refused_before_the_upgrade(
    gateway: Gateway, http: aiohttp.ClientSession, query: str, field: str, allowed: str
) -> None:
    """A problem document says what is allowed."""
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    async with http.get(f"{gateway.url}/ws/main{query}", headers=headers) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["field"]) == (400, field)
    assert allowed in problem["allowed"]


async def test_unknown_subprotocols_are_refused(gateway: Gateway, join: Join) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await join(gateway, protocol="auralis.v9")
    assert caught.value.status == 400


async def test_the_endpoint_accepts_websocket_connections_only(
    gateway: Gateway, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{gateway.url}/ws/main") as answer:
        problem = await answer.json(content_type="application/problem+json")
        assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
        assert problem["detail"] == "this endpoint accepts WebSocket connections only"


@pytest.mark.parametrize("channel", ["nowhere", "Not%20a%20channel", "%7Bmain%7D"])
async def test_an_unknown_channel_closes_with_4404(gateway: Gateway, join: Join, channel: str) -> None:
    client = await join(gateway, channel)
    assert await client.closed() == 4404


async def test_a_full_gateway_closes_with_1013(start: Start, producer: Producer, join: Join) -> None:
    """A place that becomes free can be taken again."""
    gateway = await start(max_listeners=1)
    first = await join(gateway)
    await first.told("hello")
    assert await (await join(gateway)).closed() == 1013
    await first.socket.close()
    await until(lambda: gateway.hub.listeners("main") == 0)
    await (await join(gateway)).told("hello")


async def test_one_address_can_not_take_every_place(start: Start, producer: Producer, join: Join) -> None:
    gateway = await start(max_listeners_per_ip=1)
    await (await join(gateway)).told("hello")
    assert await (await join(gateway)).closed() == 1013


async def test_the_score_is_told(gateway: Gateway, join: Join, producer: Producer) -> None:
    """Listeners get it as it is written, a newcomer on joining."""
    early = await join(gateway)
    await early.told("hello")
    chord = Chord(8820, 88_200, 9, "m7", "i7", (45.0, 60.0))
    note = Note(44_100, 17, 44_100, 69.0, 0.5, "bell", "bells")
    batch = await producer.append(chord, note)
    told = await early.told("score", revise_from=batch.from_frame)
    assert [event["at_frame"] - batch.from_frame for event in told["events"]] == [8820, 44_100]
    late = await join(gateway)
    snapshot = await late.told("score")
    assert snapshot["events"] == told["events"]


async def test_pings_tell_the_time(gateway: Gateway, join: Join, producer: Producer) -> None:
    client = await join(gateway)
    await client.say(type="ping", t=12.25)
    pong = await client.told("pong")
    assert pong["t"] == 12.25
    assert abs(pong["server_us"] - producer.clock.now_us()) < 500_000


async def test_bad_messages_are_answered_and_then_end_it(gateway: Gateway, join: Join) -> None:
    """A single mistake is explained; ten in a row end the connection with 1008."""
    client = await join(gateway)
    await client.socket.send_str("hello?")
    error = await client.told("error")
    assert (error["status"], error["field"]) == (400, "message")
    for _ in range(9):
        await client.socket.send_bytes(b"\x00")
    assert await client.closed() == 1008


async def test_too_large_messages_close_with_1008(gateway: Gateway, join: Join) -> None:
    """4096 bytes are read; one byte more is refused."""
    client = await join(gateway)
    await client.socket.send_str("x" * 4096)
    await client.told("error")
    await client.socket.send_str("x" * 4097)
    while (frame := await client.socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
        pass
    assert (frame.data, frame.extra) == (1008, "a message over 4096 bytes")


async def test_listeners_are_counted(gateway: Gateway, join: Join, http: aiohttp.ClientSession) -> None:
    """The number appears in the state that everybody is told, and in the metrics."""
    first = await join(gateway)
    await (await join(gateway)).told("hello")
    await first.told("state", listeners=2)
    async with http.get(f"{gateway.url}/metrics") as answer:
        text = await answer.text()
    assert 'auralis_gateway_listeners{channel="main",codec="pcm"} 2.0' in text


async def test_a_newcomer_is_counted_in_its_own_first_state(gateway: Gateway, join: Join) -> None:
    for number in (1, 2):
        client = await join(gateway)
        assert (await client.told("state"))["listeners"] == number


async def test_reported_underruns_are_counted(
    gateway: Gateway, join: Join, http: aiohttp.ClientSession
) -> None:
    """Each report gives the total so far, including underruns from before the client reconnected."""
    client, returned = await join(gateway), await join(gateway)
    for count in (0, 2, 2, 3):
        await client.say(type="stats", underruns=count, buffer_ms=300, reconnects=0)
    for count in (50, 51):
        await returned.say(type="stats", underruns=count, buffer_ms=300, reconnects=2)
    for each in (client, returned):
        await each.say(type="ping", t=1)
        await each.told("pong")
    async with http.get(f"{gateway.url}/metrics") as answer:
        assert "auralis_client_underruns_total 4.0" in await answer.text()


async def test_a_sleeping_channel_is_woken_and_heard(
    playing: Gateway, join: Join, client: Redis, keys: Keyspace
) -> None:
    """Its first listener is announced; its first chunk arrives as soon as there is one."""
    await Channels(client, keys).create("attic", sample_rate_hz=44_100)
    listener = await join(playing, "attic")
    hello = await listener.told("hello")
    assert (hello["channel"], hello["burst"]) == ("attic", 0)
    listeners = Listeners(client, keys)
    while "attic" not in await listeners.awake(time.time_ns() // 1000):
        pass
    async with running(Producer(client, keys, "attic").run()):
        assert contiguous(await listener.hear(4))


async def test_a_channel_that_nobody_hears_is_let_go(
    gateway: Gateway, attic: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A while after its last listener has left; ``main`` is kept."""
    monkeypatch.setattr(hub, "_LINGER_S", 0.0)
    await attic.socket.close()
    await until(lambda: gateway.hub.mirrored == {"main"})


async def test_a_deleted_channel_says_goodbye(
    gateway: Gateway, attic: Client, http: aiohttp.ClientSession
) -> None:
    """4404, as for a channel that never existed; its metrics disappear with it."""
    async with http.delete(f"{gateway.url}/api/v1/channels/attic") as answer:
        assert answer.status == 204
    assert await attic.closed() == 4404
    async with http.get(f"{gateway.url}/metrics") as answer:
        assert "attic" not in await answer.text()


async def test_a_goodbye_waits_for_a_listener_that_reads_late(
    gateway: Gateway, attic: Client, http: aiohttp.ClientSession
) -> None:
    """The connection is not cut before the close frame is read: even a busy client learns why it ended."""
    async with http.delete(f"{gateway.url}/api/v1/channels/attic"):
        await until(lambda: gateway.hub.mirrored == {"main"})
    for _ in range(10):  # after this many round trips it would have been cut
        async with http.get(f"{gateway.url}/healthz"):
            pass
    assert await attic.closed() == 4404
