# SPDX-License-Identifier: Apache-2.0
"""What is shipped beside the code: whether a cluster takes a manifest, and what a page lists."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from eservice_operator.api.names import POD_SECURITY_LABELS
from tests.support.kubectl import Kubectl


async def taken(
    kubectl: Kubectl, namespace: str, folder: Path, manifest: str, pod_spec: dict[str, Any]
) -> None:
    """The API server takes every object of a manifest, and its Pod where Pods are restricted, unwarned."""
    restricted = (f"{key}={value}" for key, value in POD_SECURITY_LABELS.items())
    assert (await kubectl("label", "namespace", namespace, *restricted))[0] == 0
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": pod_spec, "metadata": {"name": "shipped"}}
    for text in (manifest, yaml.safe_dump(pod)):
        path = folder / "manifest.yaml"
        path.write_text(text)
        trial = ("apply", "--dry-run=server", "--validate=strict", "--namespace", namespace)
        code, printed = await kubectl(*trial, "--filename", str(path))
        assert code == 0, printed
        accepted = re.findall("\\(server dry run\\)$", printed, re.MULTILINE)
        assert len(accepted) == sum(1 for _ in yaml.safe_load_all(text))
        assert "Warning" not in printed  # as Pod Security would say it


def listed(page: str, heading: str) -> set[str]:
    """What stands between backticks in the first column of the tables under a heading."""
    _, _, rest = page.partition(f"\n## {heading}\n")
    rows = re.findall(r"^\| (`.*?) \|", rest.partition("\n## ")[0], re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def families(rendered: bytes) -> set[str]:
    """The names of figures, as pages list them."""
    names = re.findall(r"^# TYPE (\w+) ", rendered.decode(), re.MULTILINE)
    return {name for name in names if not name.endswith("_created")}


def flags(parameters: Collection[Any]) -> set[str]:
    """The flags of a command, as pages list them."""
    return {f"--{str(option.name).replace('_', '-')}" for option in parameters}
