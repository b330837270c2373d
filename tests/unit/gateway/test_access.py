"""Which clients may control."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.settings import Settings
from services.gateway.access import Access, Visitor
from services.gateway.problems import Problem

LOCAL = ("127.0.0.0/8", "::1/128")


def visitor(
    peer: str = "127.0.0.1",
    host: str = "127.0.0.1:8000",
    origin: str | None = None,
    authorization: str | None = None,
    forwarded: bool = False,
) -> Visitor:
    return Visitor(peer, host, origin, authorization, forwarded)


def refusal(access: Access, who: Visitor) -> int | None:
    try:
        access.check(who)
    except Problem as problem:
        return problem.status
    return None


OPEN = Access(None, LOCAL, (), "127.0.0.1")
GUARDED = Access("s3cret", LOCAL, (), "0.0.0.0")  # noqa: S104  what is tested


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "localhost", "[::1]:8000", "my.localhost"]
)
def test_open_to_local_clients(host: str) -> None:
    """Without a token anyone at the machine itself may control."""
    assert refusal(OPEN, visitor(host=host)) is None
    assert OPEN.allows(visitor(host=host))


@pytest.mark.parametrize("peer", ["::1", "::ffff:127.0.0.1", "127.8.9.1"])
def test_every_form_of_a_loopback_address_is_local(peer: str) -> None:
    assert refusal(OPEN, visitor(peer=peer)) is None


@pytest.mark.parametrize("peer", ["192.168.1.9", "10.0.0.1", "fe80::1%eth0", "", "nonsense"])
def test_closed_to_others(peer: str) -> None:
    assert refusal(OPEN, visitor(peer=peer)) == 403


def test_a_client_behind_a_proxy_is_not_local() -> None:
    """The proxy's own address says nothing about the client."""
    assert refusal(OPEN, visitor(forwarded=True)) == 403


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "localhost.evil.example", "", "127.0.0.1.evil.example"]
)
def test_a_name_that_was_made_to_resolve_here_is_refused(host: str) -> None:
    """DNS rebinding: the page's own origin is then the gateway's; only its name gives it away."""
    assert refusal(OPEN, visitor(host=host, origin=f"http://{host}")) == 403


def test_the_gateways_own_name_is_accepted() -> None:
    """The name that it was told to listen on."""
    access = Access(None, ("192.168.0.0/16",), (), "studio.lan")
    assert refusal(access, visitor(peer="192.168.1.5", host="studio.lan:8000")) is None


def test_settings_open_other_networks() -> None:
    access = Access.of(Settings(control_open_networks="172.16.0.0/12"))
    assert refusal(access, visitor(peer="172.17.0.1")) is None
    assert refusal(access, visitor()) == 403


def test_pages_of_the_gateway_itself_may_control() -> None:
    assert refusal(OPEN, visitor(origin="http://127.0.0.1:8000")) is None


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8000.evil.example", ""],
)
def test_pages_of_other_sites_are_refused(origin: str) -> None:
    """With or without a token: a foreign page is refused even though its browser runs here."""
    assert refusal(OPEN, visitor(origin=origin)) == 403
    assert refusal(GUARDED, visitor(origin=origin, authorization="Bearer s3cret")) == 403


def test_allowed_origins_may_control() -> None:
    access = Access(None, LOCAL, ("https://Radio.example/",), "127.0.0.1")
    assert refusal(access, visitor(origin="https://radio.example")) is None
    assert refusal(access, visitor(origin="https://radio.example.evil")) == 403


@pytest.mark.parametrize("given", ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret "])
def test_the_token_opens(given: str) -> None:
    """From anywhere, whatever the Host header says."""
    assert refusal(GUARDED, visitor(peer="8.8.8.8", host="radio.example", authorization=given)) is None


@pytest.mark.parametrize(
    "given", [None, "Bearer", "Bearer wrong", "s3cret", "Basic s3cret", "Bearer s3cretö"]
)
def test_no_or_a_wrong_token_is_refused(given: str | None) -> None:
    """Local clients too: once a token is set, everybody needs it."""
    assert refusal(GUARDED, visitor(authorization=given)) == 401


def test_a_refusal_says_how_to_authenticate() -> None:
    with pytest.raises(Problem) as caught:
        GUARDED.check(visitor())
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")


@given(st.text(max_size=30), st.text(max_size=30), st.none() | st.text(max_size=30), st.text(max_size=20))
def test_any_headers_are_judged(peer: str, host: str, origin: str | None, authorization: str) -> None:
    """Nonsense in them leads to a refusal, never to an exception."""
    for access in (OPEN, GUARDED):
        assert refusal(access, visitor(peer, host, origin, authorization)) in (401, 403)


def test_without_a_token_no_token_is_right() -> None:
    assert not OPEN.right_token("")
    assert GUARDED.right_token("s3cret")
