"""Who may control. Listening is open to everybody; changing a channel's controls is not.

If a control token is set, a client must present it. Otherwise only local clients may control (those in
``control_open_networks``, by default this machine), which a browser makes harder than it sounds: a page of
any site may talk to 127.0.0.1 (so a foreign Origin is refused), and a site whose name is made to resolve to
127.0.0.1 even becomes the gateway's own origin (DNS rebinding; so the Host must be a loopback name, an
address, or the name that the gateway was told to listen on).
"""

import hmac
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from auralis.settings import Settings
from services.gateway.problems import Problem

_SCHEME: Final = "bearer "
_LOCALHOST: Final = "localhost"


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a request says about its sender; ``forwarded``: a proxy sent it, so ``peer`` is not the sender."""

    peer: str
    host: str
    origin: str | None
    authorization: str | None
    forwarded: bool


class Access:
    """The access rules, from the settings."""

    def __init__(
        self,
        token: str | None,
        open_networks: Collection[str],
        allowed_origins: Collection[str],
        own_host: str,
    ) -> None:
        self._token = token.encode() if token else None
        self._networks = [ipaddress.ip_network(network) for network in open_networks]
        self._origins = {origin.rstrip("/").lower() for origin in allowed_origins}
        self._own_host = own_host.lower()

    @classmethod
    def of(cls, settings: Settings) -> "Access":
        """The rules of a gateway with these settings."""
        return cls(
            settings.control_token, settings.control_open_networks, settings.allowed_origins, settings.host
        )

    @property
    def token_required(self) -> bool:
        """Whether controlling requires a token."""
        return self._token is not None

    def check(self, visitor: Visitor) -> None:
        """Check that the visitor may control.

        Raises:
            Problem: 401 without the right token; 403 for a page of a foreign origin, or where control is
                open to local clients only and this one is not.
        """
        self.check_origin(visitor)
        if self._token is not None:
            if not self.right_token(_bearer(visitor.authorization)):
                raise unauthorized()
        elif not self._is_local(visitor):
            raise Problem(403, "control is open to local clients only; set AURALIS_CONTROL_TOKEN for others")

    def allows(self, visitor: Visitor) -> bool:
        """Whether :meth:`check` lets the visitor control."""
        try:
            self.check(visitor)
        except Problem:
            return False
        return True

    def check_origin(self, visitor: Visitor) -> None:
        """Refuse pages of other sites.

        Raises:
            Problem: 403.
        """
        if visitor.origin is not None and not self._own_or_allowed(visitor.origin, visitor.host):
            raise Problem(403, f"pages of {visitor.origin} may not control; see AURALIS_ALLOWED_ORIGINS")

    def right_token(self, token: str) -> bool:
        """Whether ``token`` is the control token; compared in constant time."""
        return self._token is not None and hmac.compare_digest(token.encode(errors="replace"), self._token)

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of this other site may use the API."""
        return origin.lower() in self._origins

    def _own_or_allowed(self, origin: str, host: str) -> bool:
        # The scheme is not compared: behind a proxy that terminates TLS the gateway does not know its own.
        place = origin.lower().partition("://")[2]
        return self.allows_origin(origin) or (bool(place) and place == host.lower())

    def _is_local(self, visitor: Visitor) -> bool:
        return not visitor.forwarded and self._in_open_network(visitor.peer) and self._own_name(visitor.host)

    def _in_open_network(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)

    def _own_name(self, host: str) -> bool:
        name = hostname(host)
        return name in (_LOCALHOST, self._own_host) or name.endswith("." + _LOCALHOST) or _is_address(name)


def unauthorized() -> Problem:
    """The problem for a missing or wrong token."""
    return Problem(
        401,
        "controls need the control token, as 'Authorization: Bearer <token>'",
        headers={"WWW-Authenticate": 'Bearer realm="auralis"'},
    )


def hostname(host: str) -> str:
    """The name or address of a Host header, without its port, in lower case."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _bearer(authorization: str | None) -> str:
    if authorization is None or not authorization.lower().startswith(_SCHEME):
        return ""
    return authorization[len(_SCHEME) :].strip()
