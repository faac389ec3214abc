# SPDX-License-Identifier: Apache-2.0
"""Whose fields are whose, and what we may take over."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.names import FINALIZER_MANAGER, MANAGER, STATUS_MANAGER
from eservice_operator.cluster.managed_fields import (
    foreign_managers,
    own_updates,
    take_over,
    union,
    without,
)
from eservice_operator.cluster.nesting import DEEPEST, TOO_DEEP

tries: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.just({}),
    lambda inner: st.dictionaries(st.sampled_from([".", "f:a", "f:b", "k:c"]), inner),
    max_leaves=8,
)


def paths(fields: dict[str, Any], prefix: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    return {prefix} | {path for key in fields for path in paths(fields[key], (*prefix, key))}


@given(tries, tries)
def test_the_union_has_the_paths_of_both(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert paths(union(one, other)) == paths(one) | paths(other)
    assert union(one, one) == one
    assert union(one, other) == union(other, one)


@given(tries, tries, tries)
def test_the_union_does_not_depend_on_the_grouping(one: Any, other: Any, third: Any) -> None:
    assert union(union(one, other), third) == union(one, union(other, third))


@given(tries, st.lists(st.sampled_from(["f:a", "f:b", "k:c"]), min_size=1, max_size=3).map(tuple))
def test_what_is_taken_out_is_out_and_the_rest_stays(fields: dict[str, Any], path: tuple[str, ...]) -> None:
    rest = paths(without(fields, path))
    assert not any(one[: len(path)] == path for one in rest)
    beside = {one for one in paths(fields) if one[: len(path)] != path and path[: len(one)] != one}
    markers = {one for one in beside if one[-1:] == (".",)}
    assert beside - markers <= rest


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", **more: Any) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        **more,
    }


SIDECAR: dict[str, Any] = {
    "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"x"}': {".": {}, "f:image": {}}}}}}
}
RESTART: dict[str, Any] = {
    "f:spec": {
        "f:template": {
            "f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/restartedAt": {}}},
        }
    }
}
LABEL: dict[str, Any] = {"f:metadata": {"f:labels": {"f:team": {}}}}


@pytest.mark.parametrize(
    "one,foreign",
    [
        (entry("kubectl-edit", SIDECAR), True),
        (entry("argocd", SIDECAR, "Apply"), True),
        (entry("kubectl-edit", SIDECAR | LABEL), True),
        (entry("kubectl-edit", {"f:data": {"f:a": {}}}), True),
        (entry("kubectl-edit", LABEL), False),
        (entry("kubectl-rollout", RESTART), False),
        (entry("kubectl-rollout", union(RESTART, SIDECAR)), True),
        (entry("kube-controller-manager", {"f:status": {"f:replicas": {}}}), False),
        (entry("kube-controller-manager", {"f:status": {}, **SIDECAR}, subresource="status"), False),
        (entry("kubectl", {"f:spec": {"f:replicas": {}}}, subresource="scale"), False),
        (entry(MANAGER, SIDECAR), False),
        (entry(MANAGER, SIDECAR, "Apply"), False),
        (entry(STATUS_MANAGER, {"f:status": {}}, "Apply", subresource="status"), False),
        (entry(FINALIZER_MANAGER, {"f:metadata": {}}, "Apply"), False),
    ],
)
def test_foreign_is_who_writes_what_only_we_should(one: dict[str, Any], foreign: bool) -> None:
    assert foreign_managers([one]) == ([one["manager"]] if foreign else [])


def test_foreign_managers_are_named_once_and_sorted() -> None:
    entries = [entry("b", SIDECAR), entry("a", SIDECAR), entry("b", SIDECAR, "Apply")]
    assert foreign_managers(entries) == ["a", "b"]


def test_own_plain_writes_are_seen() -> None:
    assert own_updates([entry(MANAGER, SIDECAR)])
    assert not own_updates([entry(MANAGER, SIDECAR, "Apply"), entry("kubectl", SIDECAR)])
    assert not own_updates([entry(MANAGER, {"f:status": {}}, subresource="status")])


def live(*entries: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        "name": "web",
        "resourceVersion": "7",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": list(entries),
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


def taken_over(*entries: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    fields, version = take_over(live(*entries))
    assert version == {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
    assert (fields["op"], fields["path"]) == ("replace", "/metadata/managedFields")
    return {(one["manager"], one["operation"], one.get("subresource", "")): one for one in fields["value"]}


def test_nothing_is_taken_when_there_is_nothing_to_take() -> None:
    assert take_over(live()) == []
    assert take_over(live(entry(MANAGER, SIDECAR, "Apply"), entry("kubectl", union(LABEL, RESTART)))) == []


def test_the_first_apply_inherits_what_the_post_wrote() -> None:
    result = taken_over(entry(MANAGER, union(SIDECAR, LABEL)))
    assert list(result) == [(MANAGER, "Apply", "")]
    mine = result[MANAGER, "Apply", ""]
    assert mine["fieldsV1"] == union(SIDECAR, LABEL)
    assert mine["apiVersion"] == "apps/v1"


def test_what_others_may_write_stays_theirs() -> None:
    own: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
    status = entry("kube-controller-manager", {"f:status": {"f:replicas": {}}}, subresource="status")
    scale = entry("kubectl", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    applied = entry(MANAGER, own, "Apply", time="2026-02-02T00:00:00Z")
    edit = entry("kubectl-edit", union(union(SIDECAR, LABEL), RESTART))
    result = taken_over(status, applied, scale, edit)
    assert result["kube-controller-manager", "Update", "status"] == status
    assert result["kubectl", "Update", "scale"] == scale
    assert result["kubectl-edit", "Update", ""]["fieldsV1"] == union(LABEL, RESTART)
    assert result[MANAGER, "Apply", ""] == applied | {"fieldsV1": union(own, SIDECAR)}


def test_an_entry_of_which_nothing_is_left_goes() -> None:
    assert list(taken_over(entry("kubectl-edit", SIDECAR))) == [(MANAGER, "Apply", "")]


@given(tries)
def test_taking_over_loses_no_field(fields: dict[str, Any]) -> None:
    foreign = entry("kubectl-edit", {"f:spec": fields, "f:metadata": {"f:labels": fields}})
    before = paths(foreign["fieldsV1"])
    if not foreign_managers([foreign]):
        return
    result = taken_over(foreign, entry(MANAGER, {"f:spec": {"f:x": {}}}, "Apply"))
    after = {path for one in result.values() for path in paths(one["fieldsV1"])}
    assert {path for path in before if path[-1:] != (".",)} <= after


def nested(levels: int, bottom: Any) -> Any:
    fields = bottom
    for _ in range(levels):
        fields = {"f:a": fields}
    return fields


def levels_of(fields: Any) -> int:
    levels = 0
    while fields:
        fields, levels = fields["f:a"], levels + 1
    return levels


@pytest.mark.parametrize(
    "levels, bottom", [(98, {}), (99, {}), (900, {}), (900, TOO_DEEP), (50, TOO_DEEP), (50, None)]
)
def test_whoever_nests_deeply_keeps_nothing_from_being_taken_over(levels: int, bottom: Any) -> None:
    """Two writers of the same path, each as deep as is read of a live object; and what was cut off of it."""
    writers = [entry(name, {"f:spec": nested(levels, bottom), "f:metadata": {}}) for name in ("a", "b")]
    own = entry(MANAGER, {"f:spec": nested(levels, bottom)}, "Apply")
    result = taken_over(*writers, own)
    assert list(result) == [("a", "Update", ""), ("b", "Update", ""), (MANAGER, "Apply", "")]
    taken = result[MANAGER, "Apply", ""]["fieldsV1"]["f:spec"]
    assert levels_of(taken) == min(levels, DEEPEST - 1), "below that it is owned as a whole"
    assert json.loads(json.dumps(list(result.values()))) == list(result.values())
