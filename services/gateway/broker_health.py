"""Whether the broker can be reached, as found by the latest calls to it."""

from collections.abc import Callable
from typing import Final

import structlog

from auralis.broker import reason

_log = structlog.get_logger()
# Every mirror fetches ten times a second, so this is some 20 missing answers.
SILENT_S: Final = 2.0


class BrokerHealth:
    """Remembers the last answer; logs once when the broker stops answering and once when it is back."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._answered_at_s: float | None = None
        self._away = False

    def answered(self) -> None:
        """Note that the broker has answered."""
        if self._away:
            _log.info("the broker answers again")
        self._away = False
        self._answered_at_s = self._now_s()

    def failed(self, error: BaseException) -> None:
        """Note that the broker has not answered."""
        if not self._away:
            _log.warning("the broker does not answer; playing on and trying again", reason=reason(error))
        self._away = True

    @property
    def reachable(self) -> bool:
        """Whether the broker has answered within the last :data:`SILENT_S` seconds."""
        return self._answered_at_s is not None and self._now_s() - self._answered_at_s < SILENT_S
