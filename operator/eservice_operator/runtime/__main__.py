# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator``, also as ``python -m eservice_operator.runtime``."""

from __future__ import annotations

from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.operator import serve
from eservice_operator.runtime.settings import Settings
from eservice_operator.runtime.wiring import wiring_of


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    command_line(_serve)(prog_name="eservice-operator")


def _serve(settings: Settings) -> int:
    return serve(settings, wiring_of(settings))


if __name__ == "__main__":
    main()
