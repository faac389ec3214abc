# SPDX-License-Identifier: Apache-2.0
"""Whom an edited template concerns: who is not woken would have found nothing to do up to its next look."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.store import Change, Store, key_of
from eservice_operator.core.actions import Manifest, Outcome
from eservice_operator.core.decide import decide
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.report import report
from eservice_operator.runtime.triggers import triggers_for
from tests.core.strategies_worlds import (
    day_texts,
    good_clusters,
    instants,
    lifecycles,
    templates,
    versions,
    without_none,
)
from tests.support import worlds
from tests.support.pure_cluster import PureCluster

SERVICE = ObjectKey("EService", worlds.NAMESPACE, worlds.NAME)
TEMPLATE = ObjectKey("EServiceTemplate", "", worlds.TEMPLATE)
FAR = timedelta(days=3_000)
"""From any of these days to long after the last of them."""
keys_for = triggers_for((worlds.POLICY.gateway,))


def woken(before: Manifest, after: Manifest, *others: Manifest) -> set[ObjectKey]:
    """Whom the change wakes in a cluster with these objects."""
    store = Store(INDEXES)
    for body in others:
        store.upsert(body | {"metadata": {"resourceVersion": "1", **body["metadata"]}})
    return set(keys_for(Change(key_of(after), before, after), store))


def spec(template: Manifest, **changed: Any) -> Manifest:
    return template | {"spec": template["spec"] | changed}


MINOR = worlds.version("3.1.0", "2026-02-01")
OLD, USED = worlds.VERSIONS
MOVED = {"url": "https://docs.example/moved", "published": "2024-03-01"}


@pytest.mark.parametrize(
    "changed",
    [
        {"versions": [OLD, USED, MINOR]},  # without an instruction, and not far away
        {"versions": [OLD, USED, worlds.version("3.0.1-rc.1", "2030-01-01", "2030-01-01")]},
        {"versions": [OLD | {"migrationInstruction": MOVED}, USED]},
        {"versions": [OLD | {"withdrawn": {"at": "2026-10-01", "reason": "a hole"}}, USED]},
        {"owner": {"name": "Agency", "email": "another@agency.example"}},
    ],
)
def test_what_changes_nothing_for_an_e_service_does_not_wake_it(changed: Manifest) -> None:
    assert woken(worlds.template(), spec(worlds.template(), **changed), worlds.eservice()) == {TEMPLATE}


@pytest.mark.parametrize(
    "changed",
    [
        {"versions": [OLD, USED, worlds.version("3.1.0", "2026-02-01", "2026-03-01")]},  # migrate
        {"versions": [OLD, USED, worlds.version("4.0.0", "2027-05-01")]},  # at risk
        {"versions": [OLD, USED | {"withdrawn": {"at": "2026-10-01", "reason": "a hole"}}]},
        {"versions": [OLD, USED | {"migrationInstruction": MOVED}]},
        {"lifecycle": {"enforcement": "Warn"}},
        {"lifecycle": {"noticePeriod": "P60D"}},
        {"versions": [OLD]},
        {"versions": "nonsense"},
    ],
)
def test_what_can_change_something_for_an_e_service_wakes_it(changed: Manifest) -> None:
    edited, service = spec(worlds.template(), **changed), worlds.eservice()
    assert woken(worlds.template(), edited, service) == {TEMPLATE, SERVICE}
    assert woken(edited, worlds.template(), service) == {TEMPLATE, SERVICE}


def test_the_reason_of_a_recall_is_told_to_who_is_on_it() -> None:
    before, after = (worlds.template(worlds.recalled("2026-10-01", reason=why)) for why in ("a hole", "two"))
    assert woken(before, after, worlds.eservice()) == {TEMPLATE, SERVICE}


def test_a_publication_date_that_took_effect_counts_for_who_is_on_the_version() -> None:
    recorded = {"version": "3.0.0", "stage": "Current", "publishedAt": "2025-12-01"}
    after = worlds.template(status={"observedGeneration": 1, "versions": [recorded]})
    assert woken(worlds.template(), after, worlds.eservice()) == {TEMPLATE, SERVICE}


RECALLED = worlds.template((OLD | {"withdrawn": {"at": "2026-10-01", "reason": "a hole"}}, USED))
NAMED = {"name": worlds.TEMPLATE, "version": "2.0.0"}
RELEASE = {"name": "0000000000", "image": worlds.image("b"), "template": NAMED}


@pytest.mark.parametrize(
    "status",
    [
        {"release": {"public": RELEASE}},
        {"release": {"candidate": RELEASE}},
        {"template": NAMED},
        {"lastDecision": {"name": "a-decision", "template": NAMED}},
    ],
)
def test_also_a_version_that_its_status_names_counts(status: Manifest) -> None:
    service = worlds.eservice(status=status)
    assert woken(worlds.template(), RECALLED, service) == {TEMPLATE, SERVICE}
    elsewhere = {"name": "viss-2030", "version": "2.0.0"}
    other = worlds.eservice(status={"template": elsewhere, "release": {"public": None, "candidate": None}})
    assert woken(worlds.template(), RECALLED, other) == {TEMPLATE}


def test_also_a_version_of_a_remembered_release_counts() -> None:
    owner = {"uid": worlds.eservice()["metadata"]["uid"], "kind": "EService", "apiVersion": "eservice.dev/v1"}
    metadata = {"name": "old", "namespace": worlds.NAMESPACE, "uid": "old", "ownerReferences": [owner]}
    old = {"kind": "ControllerRevision", "metadata": metadata, "data": {"template": NAMED}}
    assert woken(worlds.template(), RECALLED, worlds.eservice(), old) == {TEMPLATE, SERVICE}


def test_an_open_decision_counts_others_and_a_closed_one_does_not() -> None:
    after = spec(worlds.template(), versions=[OLD, USED, MINOR])
    opened = worlds.decision(status={"observedGeneration": 1, "state": "Scheduled"})
    assert woken(worlds.template(), after, worlds.eservice(), opened) == {TEMPLATE, SERVICE}
    closed = worlds.decision(status={"observedGeneration": 1, "state": "Closed"})
    assert woken(worlds.template(), after, worlds.eservice(), closed) == {TEMPLATE}


# edits as people make them: most leave most e-services alone


@st.composite
def edited(draw: st.DrawFn, template: Manifest) -> Manifest:
    listed: list[Manifest] = copy.deepcopy(template["spec"]["versions"])
    match draw(st.integers(0, 5)):
        case 0:
            field, value = draw(lifecycles.flatmap(lambda one: st.sampled_from(sorted(one.items()))))
            return spec(template, lifecycle=template["spec"]["lifecycle"] | {field: value})
        case 1:
            return spec(draw(templates(template["metadata"]["name"])), owner=template["spec"]["owner"])
        case 2:
            one = draw(st.sampled_from(listed))
            one["withdrawn"] = without_none({"at": draw(day_texts), "reason": "a hole"})
        case 3:
            one = draw(st.sampled_from(listed))
            published = {"url": "https://docs.example/1", "published": draw(day_texts)}
            one["migrationInstruction"] = published
        case _:
            listed.append(draw(versions) | {"version": draw(st.sampled_from(["2.2.0", "3.1.0", "4.0.0"]))})
    return spec(template, versions=listed)


def quiet(cluster: PureCluster, at: datetime) -> bool:
    """Whether a look would find nothing to do and nothing to say."""
    decision = decide(cluster.world(), at, cluster.policy)
    return not decision.actions and report(decision, Outcome(())) == cluster.status


def instants_before(following: datetime | None, now: datetime) -> Iterator[datetime]:
    """The starts of days and some seconds until an e-service looks again by itself."""
    last = now + FAR if following is None else following - timedelta(seconds=1)
    yield now
    midnight = datetime.combine(now.date(), datetime.min.time(), worlds.RIGA).astimezone(now.tzinfo)
    yield from (at for day in range(1, 75) for at in (midnight + timedelta(days=day),) if now < at < last)
    yield last


@given(good_clusters(), instants(), st.data())
def test_who_is_not_woken_had_nothing_to_do_until_its_next_look(
    cluster: PureCluster, now: datetime, data: st.DataObject
) -> None:
    decision = cluster.settle(now)
    assume(decision is not None and quiet(cluster, now))
    assert decision is not None
    place = ("EServiceTemplate", "", cluster.service.spec.template.name)
    before = copy.deepcopy(cluster.objects[place])
    after = data.draw(edited(before))
    after["metadata"] = before["metadata"] | {"generation": 2}
    after["status"] = before["status"]
    assume(after != before)
    if key_of(cluster.objects[cluster.service_place]) in woken(before, after, *cluster.objects.values()):
        event("woken")
        return
    event("not woken")
    cluster.objects[place] = after
    for at in instants_before(decision.next_at, now):
        assert quiet(cluster, at), f"there is something to do at {at}"
