# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal, who types ``kubectl eservice``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.operator import PROGRAM

BIN = PROGRAM.parent


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        """The output as the JSON that it is."""
        assert self.code == 0, self.err
        return json.loads(self.out)


class Terminal:
    """Runs the real kubectl, which finds the plugin on the PATH, as the user of a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._environment = {
            "KUBECONFIG": str(kubeconfig),
            "HOME": str(kubeconfig.parent),
            "PATH": f"{BIN}:/usr/bin:/bin",
        }

    async def __call__(self, *arguments: str, given: str = "", code: int | None = None) -> Answer:
        """``kubectl eservice ARGUMENTS``; ``code`` is the exit code that it has to have."""
        answer = await self.kubectl("eservice", *arguments, given=given)
        assert code in {None, answer.code}, answer.out + answer.err
        return answer

    async def kubectl(self, *arguments: str, given: str = "") -> Answer:
        """``kubectl ARGUMENTS``."""
        process = await asyncio.create_subprocess_exec(
            str(BIN / "kubectl"),
            *arguments,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(given.encode())
        assert process.returncode is not None
        return Answer(process.returncode, out.decode(), err.decode())
