"""Ctrl-C as a question that is asked where the answer may be given."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """While it is entered, SIGINT only takes note; :meth:`check` raises it where no file is half named.

    Python raises ``KeyboardInterrupt`` between any two instructions, also between a file's creation and the
    ``try`` that would remove it.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():  # only there handlers can be set
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def check(self) -> None:
        """Raise what was asked for.

        Raises:
            KeyboardInterrupt: SIGINT has come since.
        """
        if self._asked:
            raise KeyboardInterrupt

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
