"""Ctrl-C between two steps, never within one."""

import signal
import threading
from types import FrameType
from typing import Any, Self


class Stop:
    """Inside, Ctrl-C and a request to end (SIGTERM) only raise a flag; a second Ctrl-C interrupts at once.

    Does nothing outside the main thread, where Python gives no signals.
    """

    def __init__(self) -> None:
        self.asked = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
