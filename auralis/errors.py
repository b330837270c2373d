"""The exception hierarchy.

::

    AuralisError                 anything that Auralis reports in one clear line
    ├── UsageError               the user can fix it: exit code 2
    │   └── InvalidValue         a value outside what is allowed, quoted with the field and the allowed values
    ├── BrokerUnavailable        the broker does not answer: exit code 1, or 503
    ├── ChannelNotFound          no such channel: 404, close code 4404
    ├── ChannelExists            the id is taken: 409
    └── ProtocolError            bytes that do not follow the protocol
"""

from typing import Any, Final

_LONGEST_QUOTE: Final = 200  # characters; a request's body may be a value


class AuralisError(Exception):
    """Base of every error that is reported to a user in one line."""

    exit_code = 1


class UsageError(AuralisError):
    """A mistake that the user can fix."""

    exit_code = 2


class InvalidValue(UsageError):
    """``value`` of ``field`` is outside what is ``allowed``."""

    def __init__(self, field: str, value: Any, allowed: str) -> None:
        super().__init__(f"{field or repr(field)}: found {_quoted(value)}, allowed: {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


class BrokerUnavailable(AuralisError):
    """The broker can't be reached or does not answer in time."""


class ChannelNotFound(AuralisError):
    """There is no channel with this id."""

    def __init__(self, channel: str) -> None:
        super().__init__(f"no such channel: {channel!r}")
        self.channel = channel


class ChannelExists(AuralisError):
    """A channel with this id already exists."""

    def __init__(self, channel: str) -> None:
        super().__init__(f"the channel exists already: {channel!r}")
        self.channel = channel


class ProtocolError(AuralisError):
    """Bytes that do not follow the protocol; says what was found and what was expected."""
