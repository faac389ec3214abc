# SPDX-License-Identifier: Apache-2.0
"""The samples as manifests, one of each kind in good order, and how to change one."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from eservice_operator.api.names import API_VERSION
from eservice_operator.core.actions import Manifest

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"


class _Loader(yaml.SafeLoader):
    """YAML as the apiserver reads it: a date is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def documents(*files: Path) -> list[Manifest]:
    """The YAML documents of the files, in their order."""
    found = []
    for file in files:
        with file.open(encoding="utf-8") as stream:
            found += list(yaml.load_all(stream, _Loader))
    return found


@cache
def base_samples() -> tuple[Manifest, ...]:
    """Every object of `kubectl apply -f samples/`."""
    return tuple(documents(*sorted(SAMPLES.glob("*.yaml"))))


@cache
def demo_samples() -> tuple[Manifest, ...]:
    """Every object that the story adds, in its order; the patch is none."""
    files = (file for file in sorted(SAMPLES.glob("demo/*.yaml")) if ".patch." not in file.name)
    return tuple(documents(*files))


IMAGE = f"registry.example/pmlp/address-declaration@sha256:{'a' * 64}"
OTHER_IMAGE = f"registry.example/pmlp/address-declaration@sha256:{'b' * 64}"
WRITTEN_BY_OPERATOR: tuple[Manifest, ...] = (
    {
        "apiVersion": API_VERSION,
        "kind": "UnpublishDecision",
        "metadata": {"name": "address-declaration-production-1"},
        "spec": {
            "eService": {"namespace": "pmlp-production", "name": "address-declaration"},
            "registration": "address-declaration",
            "environment": "Production",
            "release": {"image": IMAGE, "template": {"name": "viss-2020", "version": "2.0.0"}},
            "currentVersion": "3.1.0",
            "causedBy": "3.1.0",
            "maximumLag": "P18M",
            "lagMeasure": "ReleaseGap",
            "overdueSince": "2026-11-22",
            "effectiveAt": "2026-11-22T00:00:00Z",
            "decidedAt": "2026-11-22T00:00:00Z",
            "inputsHash": "0123456789abcdef",
        },
    },
    {
        "apiVersion": API_VERSION,
        "kind": "EServiceIdentifier",
        "metadata": {"name": "ep-999042"},
        "spec": {"identifier": "EP-999042", "registration": "address-declaration"},
    },
)


def example(kind: str) -> Manifest:
    """A complete valid object of the kind, under a name of its own; an EService is one in Production."""
    objects = (*base_samples(), *demo_samples(), *WRITTEN_BY_OPERATOR)
    found = copy.deepcopy(next(found for found in objects if found["kind"] == kind))
    if kind != "EServiceIdentifier":  # whose name is its number
        found["metadata"]["name"] = f"contract-{found['metadata']['name']}"
    if "namespace" in found["metadata"]:
        found["metadata"]["namespace"] = "default"
    return found


def changed(manifest: Manifest, changes: Mapping[str, Any]) -> Manifest:
    """A copy with other values at paths such as ``spec.workload.env[0].name``; None removes the field."""
    result = copy.deepcopy(manifest)
    for path, value in changes.items():
        *parents, last = [int(index) if index else name for name, index in _STEP.findall(path)]
        place: Any = result
        for step in parents:
            place = place[step] if isinstance(step, int) else place.setdefault(step, {})
        if value is None:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return result


_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
