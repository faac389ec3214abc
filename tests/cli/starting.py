# SPDX-License-Identifier: Apache-2.0
"""What a run of the command line imports."""

import os
import subprocess
import sys
from collections.abc import Sequence

HEAVY = {"pydantic", "kubernetes", "kopf", "aiohttp", "yaml", "holidays", "asyncio", "prometheus_client"}
IMPORTED = """
import sys
from eservice_operator.cli.__main__ import main
try:
    main()
except SystemExit:
    pass
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imported_by(arguments: Sequence[str], **environment: str) -> set[str]:
    """The top-level modules that were imported by the end of the run."""
    command = [sys.executable, "-c", IMPORTED, *arguments]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=60, env=os.environ | environment
    )
    return set(done.stderr.splitlines()[-1].split())
