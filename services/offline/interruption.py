"""Ctrl-C and SIGTERM as a flag that is checked only where it is safe to stop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Within the block SIGINT and SIGTERM are only noted; :meth:`check` raises where no file is half-written.

    Python raises ``KeyboardInterrupt`` between any two instructions, even between a file's creation and the
    ``try`` that would remove it.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():  # handlers can be set only there
            self._before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise if a signal has arrived.

        Raises:
            KeyboardInterrupt: SIGINT or SIGTERM has arrived since the block began.
        """
        if self._asked:
            raise KeyboardInterrupt

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
