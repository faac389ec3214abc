# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator``, also as ``python -m eservice_operator.runtime``."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from eservice_operator.runtime.settings import Settings


def main() -> None:
    """Run the command line; ends the process with its exit code.

    SIGTERM is taken before the imports, which last for seconds on a busy node. Until then it would kill the
    process, or as the first of a container be lost, and the container be waited for and killed.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # nothing is begun yet that would have to be ended

    from eservice_operator.runtime.commandline import command_line  # noqa: PLC0415 - after the signal

    command_line(_serve)(prog_name="eservice-operator")


def _serve(settings: Settings) -> NoReturn:
    from eservice_operator.runtime.operator import serve  # noqa: PLC0415
    from eservice_operator.runtime.signals import leave_now  # noqa: PLC0415
    from eservice_operator.runtime.wiring import wiring_of  # noqa: PLC0415

    leave_now(serve(settings, wiring_of(settings)))


if __name__ == "__main__":
    main()
