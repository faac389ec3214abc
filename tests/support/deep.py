# SPDX-License-Identifier: Apache-2.0
"""Objects that are nested deeper than Python reads, as anybody can make them with kubectl."""

from __future__ import annotations

import json
from pathlib import Path

from eservice_operator.cluster.resources import path, resource_of
from eservice_operator.core.actions import Manifest, ref_of
from tests.support.kubectl import Kubectl

LEVELS = 5000
"""The API server takes up to 10,000."""
HERE = "put the depth here"
FIELDS = {
    "manager": "somebody",
    "operation": "Update",
    "time": "2026-01-01T00:00:00Z",
    "fieldsType": "FieldsV1",
    "fieldsV1": HERE,
}


def nest(levels: int) -> bytes:
    """Maps in maps, as JSON: Python writes no more of it than it reads."""
    return b'{"f:a":' * levels + b"{}" + b"}" * levels


def with_deep_fields(manifest: Manifest) -> Manifest:
    """The object, written by somebody who says so in a place without a schema."""
    fields = FIELDS | {"apiVersion": manifest["apiVersion"]}
    return manifest | {"metadata": manifest["metadata"] | {"managedFields": [fields]}}


async def create_deep(kubeconfig: Path, manifest: Manifest, folder: Path) -> None:
    """Create the object, `HERE` in it replaced by so many levels, and see that it is kept as it was given."""
    ref = ref_of(manifest)
    file = folder / f"{ref.kind}-{ref.name}.json"
    file.write_text(json.dumps(manifest).replace(json.dumps(HERE), nest(LEVELS).decode()))
    where, kubectl = path(resource_of(ref.kind), ref.namespace), Kubectl(kubeconfig)
    code, printed = await kubectl("create", "--raw", where, "-f", str(file))
    assert code == 0, printed[-500:]
    code, printed = await kubectl("get", "--raw", f"{where}/{ref.name}")
    assert (code, printed.count('{"f:a":')) == (0, LEVELS), "the API server keeps it"
