# SPDX-License-Identifier: Apache-2.0
"""The process that forks operators: orders come on standard input, a JSON object a line, until it ends.

It has one thread and no event loop, so that a fork leaves nothing behind that only a part of it would know.
Answers go to standard output: ``{"pid": …}`` of each child, and ``{"pid": …, "code": …}`` at its end.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

BEFOREHAND = (
    "eservice_operator.runtime.__main__",
    "eservice_operator.runtime.commandline",
    "eservice_operator.runtime.operator",
    "eservice_operator.runtime.signals",
    "eservice_operator.runtime.wiring",
    "holidays.countries.latvia",
)
"""What an operator imports until it is ready."""


def main() -> None:
    """Fork until standard input ends; then kill what still runs."""
    for name in BEFOREHAND:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or a collection in a child would copy every page
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: set[int] = set()
    orders = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
        _reap(running)
        if 0 not in ready:
            continue
        fresh = os.read(0, 1 << 16)
        if not fresh:
            break
        *lines, orders = (orders + fresh).split(b"\n")
        for line in lines:
            running.add(_fork(json.loads(line), (woken, wakes)))
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _fork(order: dict[str, Any], own: tuple[int, int]) -> int:
    pid = os.fork()
    if not pid:
        _become(order, own)
    _tell(pid=pid)
    return pid


def _reap(running: set[int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        running.discard(pid)
        _tell(pid=pid, code=os.waitstatus_to_exitcode(status))


def _tell(**said: int) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


def _become(order: dict[str, Any], own: tuple[int, int]) -> NoReturn:
    """What ``exec`` would do, as far as somebody could notice; and then the command itself."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in own:
            os.close(descriptor)
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(Path(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.close(nothing)
        os.close(log)
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv = order["argv"]
        module, _, function = order["entry"].partition(":")
        getattr(importlib.import_module(module), function)()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter itself would say it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
