# SPDX-License-Identifier: Apache-2.0
"""What a person types."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.operator import PROGRAM

KUBECTL = PROGRAM.with_name("kubectl")


class Kubectl:
    """Runs kubectl with the credentials of one kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._environment = {
            "KUBECONFIG": str(kubeconfig),
            "HOME": str(kubeconfig.parent),
            "PATH": os.defpath,
        }

    async def __call__(self, *arguments: str) -> tuple[int, str]:
        """The exit code, and everything that was printed."""
        process = await asyncio.create_subprocess_exec(
            str(KUBECTL),
            *arguments,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, printed.decode()

    async def patch(self, kind: str, place: str, change: Mapping[str, Any]) -> None:
        """``kubectl patch --type=json`` of the object at ``NAMESPACE/NAME``; fails with what kubectl says."""
        namespace, name = place.split("/")
        target = (kind, name, f"--namespace={namespace}", "--type=json")
        code, printed = await self("patch", *target, f"--patch={json.dumps([change])}")
        assert code == 0, printed
