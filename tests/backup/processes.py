"""Doing something in a process of its own, which may be killed."""

import os
import re
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def in_another_process(work: Callable[[], str]) -> str:
    """What the work gives, or the name and the words of what it raised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer = work()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return "killed"
    return answer


def killed_at_line(number: int, work: Callable[[], object], files: str) -> Callable[[], str]:
    """The work, killed by SIGKILL before the n-th line that is run of files whose name matches.

    If it ends before, it gives how many lines were run.
    """
    matching = re.compile(files)

    def traced() -> str:
        lines = 0

        def at_line(_frame: FrameType, event: str, _: Any) -> Any:
            nonlocal lines
            if event == "line":
                lines += 1
                if lines == number:
                    os.kill(os.getpid(), signal.SIGKILL)
            return at_line

        def at_call(frame: FrameType, _event: str, _: Any) -> Any:
            return at_line if matching.search(frame.f_code.co_filename) else None

        sys.settrace(at_call)
        try:
            work()
        finally:
            sys.settrace(None)
        return str(lines)

    return traced
