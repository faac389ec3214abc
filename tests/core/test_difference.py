# SPDX-License-Identifier: Apache-2.0
"""The write that is not needed is not sent; the one that is needed names its reason."""

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.core.difference import first_difference, quantity

DESIRED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "pmlp",
        "labels": {"app": "web"},
        "ownerReferences": [{"uid": "u1", "kind": "EService", "name": "web", "controller": True}],
        "finalizers": ["eservice.dev/route"],
    },
    "spec": {
        "replicas": 2,
        "paused": False,
        "strategy": {},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "a",
                        "args": ["--x", "1"],
                        "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}},
                    }
                ]
            }
        },
    },
}

OBSERVED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "pmlp",
        "uid": "d1",
        "resourceVersion": "12",
        "labels": {"app": "web", "somebody": "else"},
        "annotations": {"deployment.kubernetes.io/revision": "1"},
        "ownerReferences": [
            {"uid": "u0", "kind": "Other", "name": "x"},
            {"uid": "u1", "kind": "EService", "name": "web", "controller": True, "blockOwnerDeletion": True},
        ],
        "finalizers": ["other/one", "eservice.dev/route"],
    },
    "spec": {
        "replicas": 2,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate"},
        "template": {
            "metadata": {"creationTimestamp": None},
            "spec": {
                "dnsPolicy": "ClusterFirst",
                "containers": [
                    {
                        "name": "web",
                        "image": "a",
                        "args": ["--x", "1"],
                        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
                        "imagePullPolicy": "IfNotPresent",
                    }
                ],
            },
        },
    },
    "status": {"replicas": 2},
}


def edited(base: dict[str, Any], *path: Any, value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(base)
    place: Any = copied
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copied


CONTAINER = ("spec", "template", "spec", "containers", 0)


def test_defaults_and_what_others_added_are_no_difference() -> None:
    assert first_difference(DESIRED, OBSERVED) is None


@pytest.mark.parametrize(
    "path,value,sentence",
    [
        ((*CONTAINER, "image"), "b", 'spec.template.spec.containers[0].image: have "b", want "a"'),
        (("spec", "replicas"), 0, "spec.replicas: have 0, want 2"),
        (("spec", "paused"), True, "spec.paused: have true, want false"),
        (("metadata", "labels", "app"), "x", 'metadata.labels.app: have "x", want "web"'),
        (("metadata", "labels"), {}, 'metadata.labels.app: have nothing, want "web"'),
        (("metadata", "finalizers"), [], 'metadata.finalizers: have nothing, want "eservice.dev/route"'),
        (
            ("metadata", "ownerReferences", 1, "controller"),
            False,
            "metadata.ownerReferences.controller: have false, want true",
        ),
        (
            (*CONTAINER, "args"),
            ["--x", "1", "--y"],
            'spec.template.spec.containers[0].args: have ["--x", "1", "--y"], want ["--x", "1"]',
        ),
        (
            (*CONTAINER, "resources", "requests", "cpu"),
            "501m",
            'spec.template.spec.containers[0].resources.requests.cpu: have "501m", want "0.5"',
        ),
        (
            ("spec", "template", "spec", "containers"),
            [],
            (
                "spec.template.spec.containers: have [], want "
                '[{"name": "web", "image": "a", "args": ["--x", "1"], "resources": {"requests": …'
            ),
        ),
        (
            ("spec", "template"),
            None,
            (
                "spec.template.spec.containers: have nothing, want "
                '[{"name": "web", "image": "a", "args": ["--x", "1"], "resources": {"requests": …'
            ),
        ),
    ],
)
def test_the_difference_is_named(path: tuple[Any, ...], value: Any, sentence: str) -> None:
    assert first_difference(DESIRED, edited(OBSERVED, *path, value=value)) == sentence


def test_an_owner_that_is_gone_is_a_difference() -> None:
    orphan = edited(OBSERVED, "metadata", "ownerReferences", value=[{"uid": "u0"}])
    assert first_difference(DESIRED, orphan) == 'metadata.ownerReferences.uid: have nothing, want "u1"'


@pytest.mark.parametrize("empty", [None, "", [], {}, False, 0])
def test_empty_is_the_same_as_missing(empty: Any) -> None:
    assert first_difference({"spec": {"x": empty}}, {"spec": {}}) is None
    assert first_difference({"spec": {"x": empty}}, {}) is None
    assert first_difference({"spec": {"x": empty}}, {"spec": {"x": None}}) is None


def test_zero_is_not_a_default_that_was_filled_in() -> None:
    assert first_difference({"spec": {"weight": 0}}, {"spec": {"weight": 1}}) == "spec.weight: have 1, want 0"
    assert first_difference({"spec": {"weight": 1}}, {"spec": {"weight": 0}}) == "spec.weight: have 0, want 1"


@pytest.mark.parametrize(
    "want,have",
    [([], ["a"]), ("", "a"), (False, True), (None, 1), ("1", 1), ({"a": 1}, ["a"])],
)
def test_what_is_there_is_not_missing(want: Any, have: Any) -> None:
    assert first_difference({"spec": {"x": want}}, {"spec": {"x": have}}) is not None


def test_status_and_names_are_not_compared() -> None:
    desired = {"apiVersion": "a/v2", "kind": "A", "metadata": {"name": "x", "uid": "1"}, "status": {"a": 1}}
    assert first_difference(desired, {"metadata": {"name": "y"}}) is None


def test_everything_else_at_the_top_is() -> None:
    assert first_difference({"data": {"a": "1"}, "revision": 1}, {"data": {"a": "1"}, "revision": 2}) == (
        "revision: have 2, want 1"
    )


@pytest.mark.parametrize(
    "desired,observed,where",
    [
        ({"data": {"key": "hunter2"}}, {"data": {"key": "hunter3"}}, "data.key: differs"),
        (
            {"spec": {"env": [{"name": "A", "value": "hunter2"}]}},
            {"spec": {"env": [{"name": "A", "value": ""}]}},
            "spec.env[0].value: differs",
        ),
    ],
)
def test_what_may_be_secret_is_not_shown(desired: Any, observed: Any, where: str) -> None:
    assert first_difference(desired, observed) == where


@pytest.mark.parametrize(
    "one,other",
    [
        ("0.5", "500m"),
        ("1Gi", "1024Mi"),
        ("1", 1),
        (2, "2000m"),
        ("1e3", "1k"),
        ("1E", "1000P"),
        ("1.5Gi", "1536Mi"),
        ("100u", "0.1m"),
        ("+1", "1"),
    ],
)
def test_quantities_compare_by_value(one: Any, other: Any) -> None:
    for place in ("requests", "limits"):
        desired = {"resources": {place: {"x": one}}}
        assert first_difference(desired, {"resources": {place: {"x": other}}}) is None
    for name in ("sizeLimit", "divisor", "averageValue"):
        assert first_difference({name: one}, {name: other}) is None
    assert first_difference({"image": one}, {"image": other}) is not None


@pytest.mark.parametrize("text", ["", "abc", "1X", "1.2.3", "--1", "1 Gi", "NaN", None, True, [], {}])
def test_what_is_no_quantity_is_compared_as_it_is(text: Any) -> None:
    assert quantity(text) is None
    assert first_difference({"sizeLimit": text}, {"sizeLimit": text}) is None
    assert first_difference({"sizeLimit": "1"}, {"sizeLimit": text}) is not None


def test_int_or_string_is_left_alone() -> None:
    assert first_difference({"spec": {"maxUnavailable": "1"}}, {"spec": {"maxUnavailable": 1}}) is not None


@given(st.decimals(min_value=0, max_value=10**6, places=3), st.sampled_from(["Ki", "Mi", "Gi", "k", "M", ""]))
def test_a_quantity_is_what_its_milli_form_is(amount: Decimal, suffix: str) -> None:
    value = quantity(f"{amount}{suffix}")
    assert value is not None
    assert quantity(f"{value * 1000:f}m") == value


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
manifests = st.fixed_dictionaries(
    {"spec": st.dictionaries(st.text(min_size=1, max_size=3), documents, max_size=4)},
    optional={
        "metadata": st.fixed_dictionaries(
            {}, optional={"labels": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)}
        ),
        "data": documents,
    },
)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    elif path:
        yield path
    for key, child in children:
        yield from leaves(child, (*path, key))


def with_defaults(value: Any, draw: Any) -> Any:
    """What a server may make of it: empty things left out of maps, other fields added to them."""
    if isinstance(value, list):
        return [with_defaults(item, draw) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: with_defaults(item, draw) for key, item in value.items()}
    for key, item in value.items():
        if not item and draw(st.booleans()):
            del kept[key]
    added = draw(st.dictionaries(st.text(min_size=4, max_size=5), scalars, max_size=2))
    return added | kept


@given(manifests)
def test_an_object_does_not_differ_from_itself(manifest: dict[str, Any]) -> None:
    assert first_difference(manifest, copy.deepcopy(manifest)) is None


@given(manifests, st.data())
def test_what_a_server_adds_is_no_difference(manifest: dict[str, Any], data: st.DataObject) -> None:
    observed = {key: with_defaults(value, data.draw) for key, value in manifest.items()}
    assert first_difference(manifest, observed) is None


@given(manifests.filter(lambda manifest: any(leaves(manifest))), st.data())
def test_every_changed_leaf_is_found(manifest: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(leaves(manifest))))
    observed = edited(manifest, *path, value="changed")
    sentence = first_difference(manifest, observed)
    assert sentence is not None
    assert sentence.startswith(str(path[0]))


@given(manifests, st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_observation_gets_an_answer(manifest: dict[str, Any], spec: Any) -> None:
    first_difference(manifest, {"spec": spec})
