"""Ctrl-C between two steps, never within one."""

import signal
import threading
from types import FrameType
from typing import Any, Self


class Stop:
    """Inside, Ctrl-C and a request to end (SIGTERM) only raise a flag; a second Ctrl-C interrupts at once.

    Does nothing outside the main thread, where Python gives no signals. A request to end that was ignored stays so; a
    signal that another than Python takes stays with it.
    """

    def __init__(self) -> None:
        self.asked = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number, strange in ((signal.SIGINT, (None,)), (signal.SIGTERM, (None, signal.SIG_IGN))):
                if signal.getsignal(number) not in strange:
                    self.before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if signal.SIGINT in self.before:
            signal.signal(signal.SIGINT, signal.default_int_handler)
