# SPDX-License-Identifier: Apache-2.0
"""What the judges of GitOps make of objects: kstatus, and the script for Argo CD, which have to agree."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from eservice_operator.core.actions import Manifest
from tests.gitops.argo import health

AGREED = {
    "Current": "Healthy",
    "InProgress": "Progressing",
    "Failed": "Degraded",
    "Terminating": "Progressing",
}
"""What Argo CD's word is for each of kstatus'."""


class Verdict(NamedTuple):
    """kstatus' word about one object, and its sentence."""

    status: str
    message: str


@dataclass(frozen=True)
class Kstatus:
    """The program of tools/judges: objects in, a verdict for each out."""

    program: Path

    def judge(self, objects: Iterable[Manifest]) -> list[Verdict]:
        """The verdicts, in the order of the objects; Argo CD's must say the same of each."""
        given = list(objects)
        document = {"apiVersion": "v1", "kind": "List", "items": given}
        done = subprocess.run(
            [self.program], input=json.dumps(document), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line["name"] for line in lines] == [obj["metadata"]["name"] for obj in given]
        verdicts = [Verdict(line["status"], line["message"]) for line in lines]
        for obj, verdict in zip(given, verdicts, strict=True):
            argo = health(obj)
            assert argo.status == AGREED[verdict.status], (obj["kind"], obj.get("status"), verdict, argo)
        return verdicts

    def says(self, obj: Manifest) -> str:
        """Its word about one object."""
        (verdict,) = self.judge([obj])
        return verdict.status
