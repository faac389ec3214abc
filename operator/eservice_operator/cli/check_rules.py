# SPDX-License-Identifier: Apache-2.0
"""What the apiserver would refuse of a document, as far as that shows in the document alone.

The schema is the CRD's own. Of its CEL rules those about one object are stated here again, by the message
that the CRD answers with; those that compare with an earlier state of the object cannot be asked of a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from eservice_operator.api.base import Model
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.schema import VALIDATIONS, Schema, structural
from eservice_operator.cli.check_promises import PROMISES

Problem = tuple[str, str]
"""Path and what is wrong there, with what to write instead."""
Body = Mapping[str, Any]

METADATA: Final = frozenset(
    {
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


@cache
def schema_of(kind: str) -> Schema:
    """The schema of a kind as its CRD has it."""
    return structural(BY_KIND[kind].model)


def read_whole(kind: str, body: Body) -> tuple[Model | InvalidObject, list[Problem]]:
    """An object as the operator reads it, and everything that the apiserver would refuse of it."""
    read = parse(kind, body)
    found = list(_read_errors(read)) if isinstance(read, InvalidObject) else []
    told = {path for path, _ in found}
    return read, found + [one for one in problems(kind, body) if one[0] not in told]


def _read_errors(invalid: InvalidObject) -> Iterator[Problem]:
    for error in invalid.errors:
        path, colon, sentence = error.partition(": ")
        whole = not colon or path == "the object" or " " in path
        yield ("", error) if whole else (path, sentence)


def problems(kind: str, body: Body) -> Iterator[Problem]:
    """What the apiserver would refuse beside what `api.parse` finds: rules, unknown fields, doubles."""
    schema = schema_of(kind)
    for name in body.get("metadata") or {}:
        if name not in METADATA:
            yield f"metadata.{name}", "is not a field: remove it"
    for name in body:
        if name not in schema["properties"]:
            yield name, "is not a field: remove it"
    yield from _rules(schema, body, "")
    spec = body.get("spec")
    if isinstance(spec, Mapping):
        yield from _walk(schema["properties"]["spec"], spec, "spec")


def _walk(schema: Schema, value: Any, path: str) -> Iterator[Problem]:
    yield from _rules(schema, value, path)
    if isinstance(value, Mapping):
        known, inner = schema.get("properties", {}), schema.get("additionalProperties")
        for name, part in value.items():
            where = f"{path}.{name}"
            if name in known:
                yield from _walk(known[name], part, where)
            elif isinstance(inner, dict):
                yield from _walk(inner, part, where)
            elif known:
                yield where, f"is not a field: remove it, or write one of {', '.join(sorted(known))}"
    elif isinstance(value, list) and "items" in schema:
        yield from _doubles(schema, value, path)
        for index, part in enumerate(value):
            yield from _walk(schema["items"], part, f"{path}[{index}]")


def _doubles(schema: Schema, values: list[Any], path: str) -> Iterator[Problem]:
    """Entries that the apiserver tells apart and that are the same."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        found = [
            tuple(str(one.get(key)) for key in keys) if isinstance(one, Mapping) else None for one in values
        ]
    elif schema.get("x-kubernetes-list-type") == "set":
        found = [(repr(one),) for one in values]
    else:
        return
    for entry, count in Counter(found).items():
        if entry is not None and count > 1:
            index = len(found) - 1 - found[::-1].index(entry)
            yield f"{path}[{index}]", f"is there twice ({', '.join(entry)}): remove one"


def _rules(schema: Schema, value: Any, path: str) -> Iterator[Problem]:
    for rule in schema.get(VALIDATIONS, ()):
        holds = PROMISES.get(rule["message"])
        try:
            broken = holds is not None and not holds(value)
        except (AttributeError, KeyError, TypeError):
            continue  # of another shape than the rule speaks of, which api.parse says
        if broken:
            place = f"{path}{rule.get('fieldPath', '')}"
            yield place, str(rule["message"])
