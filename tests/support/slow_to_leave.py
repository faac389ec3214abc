# SPDX-License-Identifier: Apache-2.0
"""A server beside the operator as people run it, but that it takes its time to leave.

What it does between SIGTERM and its end is seen so also from a machine that is busy with other things.
"""

from __future__ import annotations

import sys

from eservice_operator.authorizer import process as authorizer
from eservice_operator.notice import command as notice
from eservice_operator.runtime.__main__ import main as as_usual

SLOW_TO_LEAVE = (sys.executable, "-m", "tests.support.slow_to_leave")
"""Takes the same arguments."""
LEAVING_SECONDS = 5.0


def main() -> None:
    """Run the command line."""
    authorizer.LEAVING_SECONDS = LEAVING_SECONDS  # type: ignore[misc]
    notice.LEAVING_SECONDS = LEAVING_SECONDS  # type: ignore[misc]
    as_usual()


if __name__ == "__main__":
    main()
