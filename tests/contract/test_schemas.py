# SPDX-License-Identifier: Apache-2.0
"""The generated CRDs as files: up to date, bounded, described; and what has no structural form is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import ConfigDict, Field, StringConstraints, create_model

from eservice_operator.api import crd, reference
from eservice_operator.api.base import Model, ObjectMeta, Status
from eservice_operator.api.kind import Kind
from eservice_operator.api.kinds import KINDS
from eservice_operator.api.schema import VALIDATIONS, NoStructuralForm, structural
from tests.contract.manifests import ROOT
from tests.contract.walk import schema_of, walk

OURS = ("apiVersion", "kind", "metadata")
"""Fields whose schema is the apiserver's own."""
LONGEST = 32768
MOST = 512


def fields_of(kind: Kind) -> list[tuple[str, dict[str, Any]]]:
    return [(path, schema) for path, schema in walk(schema_of(crd.crd(kind))) if path not in (*OURS, "")]


def unbounded(schema: Mapping[str, Any]) -> str | None:
    """What keeps a value of this schema from having a greatest size."""
    match schema:
        case {"enum": _} | {"format": "date" | "date-time"}:
            return None
        case {"type": "string"} | {"x-kubernetes-int-or-string": True}:
            return None if schema.get("maxLength", LONGEST + 1) <= LONGEST else "maxLength"
        case {"type": "array"}:
            return None if schema.get("maxItems", MOST + 1) <= MOST else "maxItems"
        case {"type": "object", "additionalProperties": _}:
            return None if schema.get("maxProperties", MOST + 1) <= MOST else "maxProperties"
        case {"type": "object", "properties": _} | {"type": "integer" | "boolean"}:
            return None
        case _:
            return "its type"


def test_the_files_are_what_the_models_generate(tmp_path: Path) -> None:
    (tmp_path / "eservice.dev_gone.yaml").write_text("a kind that is gone")
    crd.write(tmp_path)
    fresh = {file.name: file.read_text() for file in tmp_path.iterdir()}
    stored = {file.name: file.read_text() for file in (ROOT / "crds").iterdir()}
    assert fresh == stored, "run: make crds"


def test_the_page_on_the_kinds_is_what_the_models_generate() -> None:
    stored = (ROOT / "docs" / "reference" / "kinds.md").read_text()
    assert stored == reference.page(), "run: python -m eservice_operator.api.reference"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_value_has_a_greatest_size(kind: Kind) -> None:
    assert {path: what for path, schema in fields_of(kind) if (what := unbounded(schema))} == {}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_list_says_how_it_merges(kind: Kind) -> None:
    lists = [(path, schema) for path, schema in fields_of(kind) if schema.get("type") == "array"]
    assert [path for path, schema in lists if "x-kubernetes-list-type" not in schema] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_field_is_described_in_a_sentence(kind: Kind) -> None:
    fields = [(path, schema) for path, schema in fields_of(kind) if not path.endswith(("[]", "{}"))]
    vague = {
        path: schema.get("description")
        for path, schema in fields
        if not re.search(r"^[A-Z].{9,}[.…]$", schema.get("description", ""))
    }
    assert vague == {}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_the_words_of_a_choice_are_explained(kind: Kind) -> None:
    unexplained = {
        path: missing
        for path, schema in fields_of(kind)
        if not path.endswith(("gates[].gate", "notices[].kind"))  # each has a table in the reference
        and not path.endswith("history[].phase")  # as status.phase
        and (missing := [word for word in schema.get("enum", ()) if word not in schema["description"]])
    }
    assert unexplained == {}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_status_promises_nothing(kind: Kind) -> None:
    """A default or a rule there could only keep the operator from writing what it saw."""
    status = schema_of(crd.crd(kind))["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1}
    inner = [(path, schema) for path, schema in walk(status, "status") if path != "status"]
    assert [path for path, schema in inner if {"default", VALIDATIONS} & set(schema)] == []


def test_the_files_read_the_same_with_every_reader_of_yaml() -> None:
    for content in crd.files().values():
        assert "&id" not in content
        assert yaml.safe_load(content)["kind"] == "CustomResourceDefinition"


def of_field(annotation: Any, default: Any = ...) -> type[Model]:
    """A kind whose spec has this one field."""
    spec = create_model("Spec", __base__=Model, value=(annotation, default))
    return create_model(
        "Thing", __base__=Model, metadata=(ObjectMeta, ...), spec=(spec, ...), status=(Status, Status())
    )


class Inner(Model):
    """Something with a default."""

    model_config = ConfigDict(json_schema_extra={VALIDATIONS: [{"rule": "true", "message": "inner"}]})

    size: int = 1


@pytest.mark.parametrize(
    "annotation,default,complaint",
    [
        (int | str, ..., "spec.value: a choice between types"),
        (Annotated[str, StringConstraints(pattern="^a$")], ..., "a pattern without a rule"),
        (Inner, Inner(size=2), "spec.value.size: a default of its own"),
        (Annotated[int, Field(multiple_of=2)], ..., "spec.value: multipleOf"),
    ],
)
def test_what_has_no_structural_form_is_an_error(annotation: Any, default: Any, complaint: str) -> None:
    with pytest.raises(NoStructuralForm, match=re.escape(complaint)):
        structural(of_field(annotation, default))


@pytest.mark.parametrize(
    "annotation,default,expected",
    [
        (Annotated[int, Field(gt=0, lt=9)], ..., {"minimum": 0, "exclusiveMinimum": True}),
        (int | None, None, {"type": "integer"}),
        (Inner, Inner(), {"default": {}, VALIDATIONS: [{"rule": "true", "message": "inner"}]}),
    ],
)
def test_what_has_one_is_written_that_way(annotation: Any, default: Any, expected: dict[str, Any]) -> None:
    schema = structural(of_field(annotation, default))["properties"]["spec"]["properties"]["value"]
    assert expected.items() <= schema.items()
    assert "anyOf" not in schema
    assert "title" not in schema


def test_rules_of_a_class_and_of_a_field_are_kept_both() -> None:
    outer = Field(json_schema_extra={VALIDATIONS: [{"rule": "true", "message": "outer"}]})
    schema = structural(of_field(Annotated[Inner, outer]))["properties"]["spec"]["properties"]["value"]
    assert [rule["message"] for rule in schema[VALIDATIONS]] == ["inner", "outer"]
