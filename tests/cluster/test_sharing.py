# SPDX-License-Identifier: Apache-2.0
"""What is shared is equal to what was given, to the type, and is really the same."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.names import OWNER_UID_LABEL
from eservice_operator.cluster import sharing
from eservice_operator.cluster.sharing import Sharing
from tests.support.objects import deployment

values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-1, 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=2), inner, max_size=10),
    max_leaves=10,
)
objects = st.dictionaries(st.text(max_size=2), values, max_size=4)


def as_text(value: Any) -> str:
    """JSON tells true from 1, and keeps the order of maps."""
    return json.dumps(value)


@given(st.lists(objects, max_size=4))
def test_an_object_stays_what_it_is(given_objects: list[dict[str, Any]]) -> None:
    pool = Sharing()
    before = copy.deepcopy(given_objects)
    shared = [pool.share(obj) for obj in given_objects]
    again = [pool.share(obj) for obj in given_objects]
    assert as_text(shared) == as_text(again) == as_text(given_objects) == as_text(before)


def test_alike_parts_are_one() -> None:
    pool = Sharing()
    one = pool.share(json.loads(json.dumps(deployment("a", "one", terminationGracePeriodSeconds=7))))
    two = pool.share(json.loads(json.dumps(deployment("b", "two", terminationGracePeriodSeconds=7))))
    assert one != two
    assert one["spec"]["template"]["spec"] is two["spec"]["template"]["spec"]
    assert one["metadata"]["labels"] is two["metadata"]["labels"]
    assert one["spec"]["selector"] is not two["spec"]["selector"]


@pytest.mark.parametrize(
    "one,two", [(True, 1), (False, 0), (1.0, 1), (-0.0, 0.0), ([], {}), ("1", 1), (None, "None")]
)
def test_values_that_only_look_alike_are_not_one(one: Any, two: Any) -> None:
    pool = Sharing()
    assert as_text(pool.share({"a": {"b": one}})) == as_text({"a": {"b": one}})
    assert as_text(pool.share({"a": {"b": two}})) == as_text({"a": {"b": two}})
    assert as_text(pool.share({"a": [one]})) == as_text({"a": [one]})
    assert as_text(pool.share({"a": [two]})) == as_text({"a": [two]})


def test_a_map_is_not_a_list_of_its_parts() -> None:
    pool = Sharing()
    alike: list[Any] = [{"a": "b"}, ["a", "b"], {"a": None}, ["a", None], {}, [], [[]], [{}]]
    for value in alike:
        assert as_text(pool.share({"x": value})) == as_text({"x": value})


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "CAPACITY", 10)
    pool = Sharing()
    for number in range(100):
        shared = pool.share({"a": {"b": {"c": number}}})
        assert shared == {"a": {"b": {"c": number}}}
        assert len(pool._parts) <= 10


def test_children_of_one_owner_have_the_same_marks_however_much_comes_between() -> None:
    pool = Sharing()

    def child(name: str, owner: str) -> dict[str, Any]:
        references = [{"kind": "EService", "name": owner, "uid": owner, "controller": True}]
        metadata = {
            "name": name,
            "uid": name,
            "labels": {OWNER_UID_LABEL: owner},
            "ownerReferences": references,
        }
        return json.loads(json.dumps({"kind": "Service", "metadata": metadata}))  # type: ignore[no-any-return]

    one = pool.share(child("one", "owner"))
    pool._parts.clear()
    two, foreign = pool.share(child("two", "owner")), pool.share(child("three", "another"))
    assert as_text(two) == as_text(child("two", "owner"))
    assert as_text(foreign) == as_text(child("three", "another"))
    for mark in ("labels", "ownerReferences"):
        assert one["metadata"][mark] is two["metadata"][mark]


def test_the_marks_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "OWNERS", 10)
    pool = Sharing()
    for number in range(100):
        pool.share({"metadata": {"labels": {OWNER_UID_LABEL: str(number)}}})
        assert len(pool._marks["labels"]) <= 10
