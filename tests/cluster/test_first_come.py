# SPDX-License-Identifier: Apache-2.0
"""One registration among many: judged as if all were looked at; and its changes wake whom they concern."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.base import Environment
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.registering import decide_registration
from eservice_operator.core.world import RegistrationWorld
from eservice_operator.runtime.triggers import triggers_for
from tests.support import worlds

KIND = "EServiceRegistration"
NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
NUMBERS = st.sampled_from([1, 2, 3, 4, 5, 999_998, 999_999])
keys_for = triggers_for((worlds.POLICY.gateway,))


@st.composite
def registrations(draw: st.DrawFn, name: str) -> Manifest:
    """One of some age that names namespaces, perhaps one for two environments; perhaps unreadable."""
    places = st.dictionaries(
        st.sampled_from([one.value for one in Environment]), st.sampled_from(["x", "y"]), max_size=2
    )
    spec: dict[str, Any] = {
        "namespaces": [{"environment": one, "name": place} for one, place in draw(places).items()],
        "suspended": draw(st.sampled_from([None, None, None, "nonsense"])),
    }
    if draw(st.booleans()):
        spec["identifier"] = f"EP-{draw(NUMBERS):06d}"
    born = f"2026-01-0{draw(st.integers(1, 4))}T08:00:00Z"
    return worlds.registration(
        metadata={"name": name, "uid": f"uid-{name}-{born}", "creationTimestamp": born}, spec=spec
    )


NUMBERED = st.dictionaries(NUMBERS, NAMES)


@st.composite
def registers(draw: st.DrawFn) -> Store:
    """Some registrations, and some numbers."""
    store = Store(INDEXES)
    for name in draw(st.sets(NAMES)):
        store.upsert(draw(registrations(name)))
    for number, holder in draw(NUMBERED).items():
        store.upsert(worlds.identifier(number, holder))
    return store


def everything(store: Store) -> dict[str, RegistrationWorld]:
    """Every readable registration beside all others, and with all numbers."""
    reading = Reading(store)
    all_of_them, numbers = reading.all(EServiceRegistration), reading.all(EServiceIdentifier)
    found = {}
    for one in all_of_them:
        world = Observer(store, worlds.POLICY).registration(ObjectKey(KIND, "", one.metadata.name))
        assert isinstance(world, RegistrationWorld)
        others = tuple(other for other in all_of_them if other != one)
        found[one.metadata.name] = replace(world, others=others, identifiers=numbers)
    return found


def decided(world: RegistrationWorld) -> Any:
    """What a decision says, without what it goes by."""
    decision = decide_registration(world)
    return replace(decision, world=replace(world, others=(), identifiers=()))


def a_registration(name: str, day: int, *places: str, **spec: Any) -> Manifest:
    """One of a day in January that names a namespace for these environments."""
    born = f"2026-01-{day:02d}T08:00:00Z"
    entries = [{"environment": one, "name": "x"} for one in places]
    metadata = {"name": name, "uid": f"uid-{name}", "creationTimestamp": born}
    return worlds.registration(metadata=metadata, spec={"namespaces": entries, **spec})


@pytest.mark.parametrize(
    "older, wakes",
    [
        (a_registration("older", 1, "Test"), False),
        (a_registration("older", 3, "Test"), True),
        (a_registration("older", 1, "Production"), True),
        (a_registration("older", 1, "Test", suspended="nonsense"), True),
    ],
)
def test_only_who_came_first_for_an_environment_wakes_the_others(older: Manifest, wakes: bool) -> None:
    """One that cannot be read says nothing of what a namespace is for."""
    store = Store(INDEXES)
    store.upsert(older)
    store.upsert(a_registration("youngest", 4, "Production"))
    change = store.upsert(a_registration("changed", 2, "Test"))
    assert change is not None
    assert (ObjectKey(KIND, "", "youngest") in set(keys_for(change, store))) == wakes


@pytest.mark.parametrize("asked, holder", [("EP-000001", "a"), ("EP-000003", "c"), ("EP-000002", None)])
def test_a_number_that_is_asked_for_is_looked_up(asked: str, holder: str | None) -> None:
    store = Store(INDEXES)
    for number, name in ((1, "a"), (3, "c")):
        store.upsert(worlds.identifier(number, name))
    store.upsert(a_registration("asking", 1, "Test", identifier=asked))
    world = Observer(store, worlds.POLICY).registration(ObjectKey(KIND, "", "asking"))
    assert isinstance(world, RegistrationWorld)
    assert decide_registration(world).taken_by == holder


@given(store=registers())
def test_who_came_first_and_the_highest_number_say_as_much_as_everything(store: Store) -> None:
    observer = Observer(store, worlds.POLICY)
    for name, whole in everything(store).items():
        world = observer.registration(ObjectKey(KIND, "", name))
        assert isinstance(world, RegistrationWorld)
        assert decided(world) == decided(whole)


def judged(store: Store) -> dict[str, tuple[Any, ...]]:
    """How the namespaces of each registration stand."""
    return {name: decide_registration(world).namespaces for name, world in everything(store).items()}


@given(store=registers(), data=st.data())
def test_whose_namespaces_stand_otherwise_after_a_change_is_woken(store: Store, data: st.DataObject) -> None:
    for turn in range(2, 5):
        before, name = judged(store), data.draw(NAMES)
        known = store.get(KIND, "", name)
        if known is not None and data.draw(st.booleans()):
            change = store.delete(known | {"metadata": known["metadata"] | {"resourceVersion": str(turn)}})
        else:
            made = data.draw(registrations(name))
            made["metadata"]["resourceVersion"] = str(turn)
            change = store.upsert(made)
        assert change is not None
        woken = {key.name for key in keys_for(change, store) if key.kind == KIND}
        after = judged(store)
        assert {one for one in before.keys() | after.keys() if before.get(one) != after.get(one)} <= woken
