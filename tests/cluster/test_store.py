# SPDX-License-Identifier: Apache-2.0
"""The store says what the newest of its sources said, in whatever order they spoke."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.cluster.nesting import DEEPEST
from eservice_operator.cluster.store import BURIED, Store
from eservice_operator.core.keys import ObjectKey
from tests.support.deep import nest


def thing(name: str, version: int, uid: str = "", namespace: str = "ns", **labels: str) -> dict[str, Any]:
    return {
        "kind": "Thing",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-{name}",
            "resourceVersion": str(version),
            "labels": labels,
        },
    }


def key(name: str, namespace: str = "ns") -> ObjectKey:
    return ObjectKey("Thing", namespace, name)


@pytest.fixture
def store() -> Store:
    return Store({("Thing", "owner"): lambda obj: obj["metadata"]["labels"].values()})


def test_a_newer_version_replaces_an_older_one_and_never_the_reverse(store: Store) -> None:
    first, second = thing("a", 9), thing("a", 10)
    change = store.upsert(second)
    assert change == (key("a"), None, second)
    assert store.upsert(first) is None, "versions are numbers, not text"
    assert store.upsert(second) is None, "the same version is no news"
    assert store.get("Thing", "ns", "a") == second
    third = thing("a", 100)
    assert store.upsert(third) == (key("a"), second, third)


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.get("Thing", "ns", "a") is None
    assert store.all("Thing") == []
    assert store.by_index("Thing", "owner", "x") == []
    assert not store.synced("Thing")


def test_an_undeclared_index_is_a_mistake_that_is_heard(store: Store) -> None:
    with pytest.raises(KeyError):
        store.by_index("Thing", "ownr", "x")


def test_the_index_follows_the_object(store: Store) -> None:
    store.upsert(thing("b", 1, owner="x"))
    store.upsert(thing("a", 2, owner="x", second="y"))
    assert [obj["metadata"]["name"] for obj in store.by_index("Thing", "owner", "x")] == ["a", "b"]
    store.upsert(thing("a", 3, owner="z"))
    assert [obj["metadata"]["name"] for obj in store.by_index("Thing", "owner", "x")] == ["b"]
    assert store.by_index("Thing", "owner", "y") == []
    assert store.by_index("Thing", "owner", "z") == [thing("a", 3, owner="z")]
    store.delete(thing("a", 4, owner="whatever"))
    assert store.by_index("Thing", "owner", "z") == []


def test_a_late_answer_does_not_bring_back_what_was_deleted(store: Store) -> None:
    store.upsert(thing("a", 1))
    change = store.delete(thing("a", 5))
    assert change == (key("a"), thing("a", 1), None)
    assert store.upsert(thing("a", 4)) is None, "the reply to a patch that was sent before"
    assert store.delete(thing("a", 5)) is None
    assert store.all("Thing") == []


def test_an_object_that_left_the_selection_may_come_back(store: Store) -> None:
    """A watch with a label selector says DELETED when the label goes, and ADDED when it is back: same uid."""
    store.upsert(thing("a", 1))
    store.delete(thing("a", 5))
    assert store.upsert(thing("a", 6)) is not None
    assert store.delete(thing("a", 5)) is None


def test_a_recreated_object_takes_the_place_of_the_old_one(store: Store) -> None:
    store.upsert(thing("a", 1, uid="old"))
    new = thing("a", 9, uid="new")
    assert store.upsert(new) == (key("a"), thing("a", 1, uid="old"), new)
    assert store.delete(thing("a", 8, uid="old")) is None, "the old one's deletion, heard late"
    assert store.get("Thing", "ns", "a") == new


def test_the_deletion_of_an_object_we_never_saw_ends_its_predecessor(store: Store) -> None:
    store.upsert(thing("a", 1, uid="old"))
    assert store.delete(thing("a", 9, uid="newer")) is not None
    assert store.get("Thing", "ns", "a") is None


def test_a_list_replaces_what_is_older_than_itself(store: Store) -> None:
    for obj in (thing("kept", 1), thing("changed", 2), thing("vanished", 3), thing("written-since", 21)):
        store.upsert(obj)
    changes = store.replace("Thing", [thing("kept", 1), thing("changed", 7), thing("new", 8)], "20")
    assert {(change.key.name, change.before is None, change.after is None) for change in changes} == {
        ("changed", False, False),
        ("new", True, False),
        ("vanished", False, True),
    }
    names = {obj["metadata"]["name"] for obj in store.all("Thing")}
    assert names == {"kept", "changed", "new", "written-since"}


def test_a_list_that_is_older_than_a_deletion_does_not_undo_it(store: Store) -> None:
    store.upsert(thing("a", 1))
    store.delete(thing("a", 30))
    assert store.replace("Thing", [thing("a", 1)], "20") == []
    assert store.all("Thing") == []


@pytest.mark.parametrize("again", ["20", "25"])
def test_what_a_list_left_out_by_mistake_is_there_again_with_the_next(store: Store, again: str) -> None:
    """Also when nobody has written to it since: no uid comes back, so the first list was wrong."""
    store.upsert(thing("a", 1))
    assert [change.after for change in store.replace("Thing", [], "20")] == [None]
    assert store.upsert(thing("a", 1)) is None, "any other answer may be a late one"
    assert [change.after for change in store.replace("Thing", [thing("a", 1)], again)] == [thing("a", 1)]


def test_who_sees_what_a_list_has_left_out_has_it_listed_again(store: Store) -> None:
    """A live answer, or an event: the list was wrong, or they are late. What was deleted raises no doubt."""
    doubts: list[str] = []
    store.on_left_out_seen(doubts.append)
    for name in ("a", "b"):
        store.upsert(thing(name, 1))
    store.replace("Thing", [], "20")
    store.delete(thing("b", 1))
    assert store.upsert(thing("b", 1)) is None
    assert doubts == []
    assert store.upsert(thing("a", 1)) is None
    assert doubts == ["Thing"]
    store.replace("Thing", [thing("a", 1)], "21")
    assert doubts == ["Thing"], "a list is no doubt"


def test_what_is_known_to_be_gone_stays_so_whatever_a_list_says_that_was_on_its_way(store: Store) -> None:
    """It may be as of a moment between the last version and the deletion."""
    store.upsert(thing("a", 10))
    store.delete(thing("a", 10))
    assert store.replace("Thing", [thing("a", 10)], "15") == []
    store.upsert(thing("b", 1))
    store.replace("Thing", [], "20")
    store.delete(thing("b", 1))
    assert store.replace("Thing", [thing("b", 1)], "25") == [], "a list had left it out before"


def test_a_list_of_one_namespace_says_nothing_about_another(store: Store) -> None:
    store.upsert(thing("a", 1, uid="1", namespace="one"))
    store.upsert(thing("a", 2, uid="2", namespace="two"))
    changes = store.replace("Thing", [], "9", "one")
    assert [change.key for change in changes] == [key("a", "one")]
    assert store.get("Thing", "two", "a") is not None


def test_a_recreated_object_in_a_list(store: Store) -> None:
    store.upsert(thing("a", 1, uid="old"))
    changes = store.replace("Thing", [thing("a", 8, uid="new")], "20")
    assert [(change.before is None, change.after is None) for change in changes] == [(False, False)]
    current = store.get("Thing", "ns", "a")
    assert current is not None
    assert current["metadata"]["uid"] == "new"


def test_only_so_many_of_the_dead_are_remembered(store: Store) -> None:
    for number in range(BURIED + 10):
        store.delete(thing("a", number + 1, uid=str(number)))
    assert len(store._shelf("Thing").buried) == BURIED


def test_synced_is_said_by_who_listed(store: Store) -> None:
    store.replace("Thing", [], "1", "one")
    assert not store.synced("Thing")
    store.mark_synced("Thing")
    assert store.synced("Thing")


events = st.lists(
    st.tuples(st.sampled_from(["upsert", "delete"]), st.sampled_from("ab"), st.integers(1, 9)),
    unique_by=lambda event: (event[1], event[2]),
    max_size=12,
)


@given(events, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(history: list[tuple[str, str, int]], random: Any) -> None:
    """One version of one object is one fact: the store ends with the newest, however they are shuffled."""
    newest: dict[str, tuple[int, str]] = {}
    for what, name, version in history:
        newest[name] = max(newest.get(name, (0, "")), (version, what))
    expected = {name: version for name, (version, what) in newest.items() if what == "upsert"}
    random.shuffle(history)
    store = Store()
    for what, name, version in history:
        (store.upsert if what == "upsert" else store.delete)(thing(name, version))
    found = {obj["metadata"]["name"]: int(obj["metadata"]["resourceVersion"]) for obj in store.all("Thing")}
    assert found == expected


def test_what_was_made_small_before_is_kept_as_it_is(store: Store) -> None:
    small = store.shared(thing("a", 1, owner="x"))
    assert small == thing("a", 1, owner="x")
    store.replace("Thing", [small], "1")
    assert store.get("Thing", "ns", "a") is small


def test_what_is_gone_by_now_is_not_counted_as_too_deep(store: Store) -> None:
    deep = thing("a", 1) | {"spec": json.loads(nest(DEEPEST + 1))}
    store.delete(thing("a", 2))
    small = store.shared(deep)
    assert store.too_deep == {key("a")}
    assert store.upsert(small) is None
    assert store.too_deep == set()


def test_a_version_that_is_here_is_known_and_a_later_one_is_not(store: Store) -> None:
    assert not store.knows("Thing", thing("a", 1))
    store.upsert(thing("a", 2))
    assert [store.knows("Thing", thing("a", version)) for version in (1, 2, 3, 10)] == [
        True,
        True,
        False,
        False,
    ]
