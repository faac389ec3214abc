# SPDX-License-Identifier: Apache-2.0
"""The first and the last moments of the process, when nothing of the operator is there yet, or any more."""

import asyncio
import os
import sys
from pathlib import Path

IMPATIENT = """
import os, signal, sys

class Impatient:
    def find_spec(self, name, path, target=None):
        if name == "kopf":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Impatient())
"""
"""Somebody who tells the operator to stop in the middle of its imports."""
TIDY = """
import atexit, sys
atexit.register(print, "taken apart")
"""
"""Says so if Python takes down what is in memory."""
RUN = """
from eservice_operator.runtime.__main__ import main
sys.argv = ["eservice-operator", "run"]
main()
"""


async def run(script: str, kubeconfig: Path) -> tuple[int | None, str]:
    """The exit code of ``eservice-operator run`` after this beginning, and what was printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script + RUN,
        env=os.environ | {"KUBECONFIG": str(kubeconfig), "ESERVICE_METRICS_ADDRESS": "127.0.0.1:0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_sigterm_during_the_imports_ends_it_with_0_and_in_silence(tmp_path: Path) -> None:
    assert await run(IMPATIENT, tmp_path / "none") == (0, "")


async def test_it_ends_with_its_exit_code_and_its_log_and_leaves_its_memory_to_the_system(
    tmp_path: Path,
) -> None:
    code, said = await run(TIDY, tmp_path / "none")
    assert code == 1
    assert "cannot start: " in said.splitlines()[-1]
    assert "taken apart" not in said
