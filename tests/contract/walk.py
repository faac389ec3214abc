# SPDX-License-Identifier: Apache-2.0
"""Every schema within the schema of a CRD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eservice_operator.core.actions import Manifest


def schema_of(crd: Manifest) -> dict[str, Any]:
    """The schema of the CRD's one version."""
    (version,) = crd["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def walk(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema and all within it, each with its path: ``[]`` for items, ``{}`` for a map's values."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from walk(field, f"{path}.{name}" if path else name)
    for key, sign in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from walk(schema[key], path + sign)
