# SPDX-License-Identifier: Apache-2.0
"""From a model to the structural schema that the apiserver demands.

What pydantic writes is JSON Schema; a CustomResourceDefinition takes a strict part of it: no references, no
``null`` beside a type, no titles, exclusive bounds as flags, and lists that say how they merge. A construct
that has no structural form is an error here, not something left out in silence.
"""

from __future__ import annotations

from typing import Any

from eservice_operator.api.base import Model

Schema = dict[str, Any]

VALIDATIONS = "x-kubernetes-validations"
INT_OR_STRING = "x-kubernetes-int-or-string"
COPIED = (
    "type",
    "format",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    INT_OR_STRING,
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
)
HANDLED = frozenset(
    {
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "default",
        "description",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "items",
        "pattern",
        "properties",
        "required",
        "title",
        VALIDATIONS,
    }
)


class NoStructuralForm(ValueError):
    """A model says something that a structural schema cannot; the message names the place."""


def structural(model: type[Model]) -> Schema:
    """The schema of a kind, in the form of ``openAPIV3Schema``.

    Raises:
        NoStructuralForm: when a field has no structural form.
    """
    raw = model.model_json_schema(by_alias=True)
    definitions = raw.pop("$defs", {})
    fields = raw["properties"]
    return {
        "description": described(raw),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": _Converter(definitions, promises=True).convert(fields["spec"], "spec"),
            "status": _Converter(definitions, promises=False).convert(fields["status"], "status")
            | {"default": {"observedGeneration": -1}},
        },
    } | ({VALIDATIONS: raw[VALIDATIONS]} if VALIDATIONS in raw else {})


def described(schema: Schema) -> str:
    """The description in plain words on one line, without reStructuredText quotes."""
    return " ".join(str(schema.get("description", "")).split()).replace("``", "'")


class _Converter:
    """Converts one part of a kind; only the ``spec`` ``promises`` defaults and CEL rules.

    The status is written by the operator alone: a rule there could only keep it from being written.
    """

    def __init__(self, definitions: dict[str, Schema], *, promises: bool) -> None:
        self.definitions = definitions
        self.promises = promises

    def convert(self, raw: Schema, where: str) -> Schema:
        raw = self.resolved(raw, where)
        if unknown := set(raw) - HANDLED - set(COPIED):
            raise NoStructuralForm(f"{where}: {', '.join(sorted(unknown))}")
        schema = {key: raw[key] for key in COPIED if key in raw} | _bounds(raw)
        if description := described(raw):
            schema["description"] = description
        if "const" in raw:
            schema["enum"] = [raw["const"]]
        if "items" in raw:
            schema["items"] = self.convert(raw["items"], f"{where}[]")
        if isinstance(raw.get("additionalProperties"), dict):
            schema["additionalProperties"] = self.convert(raw["additionalProperties"], f"{where}{{}}")
        if "properties" in raw:
            schema["properties"] = {
                name: self.convert(field, f"{where}.{name}") for name, field in raw["properties"].items()
            }
        if required := raw.get("required"):
            schema["required"] = sorted(required)
        if self.promises:
            self._add_promises(schema, raw, where)
        return schema

    def resolved(self, raw: Schema, where: str) -> Schema:
        """The schema with its reference, or its one variant that is not null, put in its place."""
        if "$ref" in raw:
            inner = self.definitions[raw["$ref"].removeprefix("#/$defs/")]
        elif "anyOf" in raw:
            variants = [variant for variant in raw["anyOf"] if variant.get("type") != "null"]
            if len(variants) != 1:
                raise NoStructuralForm(f"{where}: a choice between types")
            inner = variants[0]
        else:
            return raw
        outer = {key: value for key, value in raw.items() if key not in {"$ref", "anyOf"}}
        inner = self.resolved(inner, where)
        both = [*inner.get(VALIDATIONS, ()), *outer.get(VALIDATIONS, ())]
        return inner | outer | ({VALIDATIONS: both} if both else {})

    def _add_promises(self, schema: Schema, raw: Schema, where: str) -> None:
        """Defaults that the apiserver fills in, and the rules that it checks."""
        if VALIDATIONS in raw:
            schema[VALIDATIONS] = raw[VALIDATIONS]
        elif "pattern" in raw:
            raise NoStructuralForm(f"{where}: a pattern without a rule that says what to write")
        default = raw.get("default")
        if isinstance(default, dict):
            self._check_default(default, raw, where)
            if any("default" in field for field in schema["properties"].values()):
                schema["default"] = {}
        elif default not in (None, "", []):
            schema["default"] = default

    def _check_default(self, default: Schema, raw: Schema, where: str) -> None:
        """An object's default is ``{}``, which its fields then fill: any other would be lost."""
        for name, value in default.items():
            field = self.resolved(raw["properties"][name], f"{where}.{name}")
            if value not in (field.get("default"), [], {}):
                raise NoStructuralForm(f"{where}.{name}: a default of its own")


def _bounds(raw: Schema) -> Schema:
    """Exclusive bounds the way OpenAPI 3.0 writes them: a bound and a flag."""
    bounds: Schema = {}
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in raw:
            bounds |= {bound: raw[exclusive], exclusive: True}
    return bounds
