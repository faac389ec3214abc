# SPDX-License-Identifier: Apache-2.0
"""What an institution may write in its own namespace is no word of the operator's: nothing comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.core.actions import Manifest
from eservice_operator.core.facts import Facts
from eservice_operator.core.releases import snapshot_of
from eservice_operator.core.scheduling import decision_name
from tests.core import test_posting as posting
from tests.support import worlds
from tests.support.postal import PostalCluster, is_silent, postal
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, NOW

THIEF = "thief@evil.example"


def forged(recipient: str, **fields: Any) -> Manifest:
    """An entry of a ledger that is about to be handed over."""
    entry = {"id": "0" * 32, "kind": "Unpublished", "channel": "Email", "recipient": recipient}
    return (
        entry | {"state": "Sending", "entered": "2026-01-01T00:00:00Z", "at": "2026-01-01T00:00:00Z"} | fields
    )


def forge(cluster: PostalCluster, *entries: Manifest) -> None:
    """Write entries into the status of the EService beside those that are there."""
    live = cluster.objects[cluster.service_place]
    live["status"] = live["status"] | {"notices": [*live["status"].get("notices", ()), *entries]}


def test_nobody_is_told_who_is_not_registered() -> None:
    cluster = postal()
    forge(cluster, forged(THIEF))
    cluster.settle(NOW + DAY)
    assert THIEF not in {letter.recipient for letter in cluster.sent}
    (entry,) = [notice for notice in cluster.status.notices if notice.recipient == THIEF]
    assert (entry.state.value, entry.error) == ("Superseded", "its recipient is none of those who are told")


def test_without_its_registration_a_forged_entry_waits_for_ever() -> None:
    cluster = postal()
    cluster.remove(("EServiceRegistration", "", worlds.registration()["metadata"]["name"]))
    forge(cluster, forged(THIEF))
    cluster.settle(NOW + DAY)
    assert cluster.sent == []


def test_an_e_service_that_does_not_stand_for_its_registration_tells_its_contacts_nothing() -> None:
    cluster = postal()
    elsewhere = [{"environment": "Production", "name": "elsewhere"}]
    cluster.put(worlds.registration(spec={"namespaces": elsewhere}))
    forge(cluster, forged("a@pmlp.example"))
    cluster.settle(NOW + DAY)
    assert cluster.sent == []


def test_a_contact_that_was_taken_out_is_not_told_any_more() -> None:
    """What the channel has in its hands is waited for."""
    cluster = postal()
    cluster.channel = is_silent
    cluster.put(worlds.template(posting.FOUR))
    cluster.settle(posting.DECIDED)
    (mine,) = [one for one in cluster.status.notices if one.recipient == "a@pmlp.example"][:1]
    contacts = [{"name": "B", "email": "b@pmlp.example"}]
    cluster.put(worlds.registration(spec={"institution": {"contacts": contacts}}))
    cluster.settle(posting.DECIDED)
    assert state_of(cluster, mine.id) == "Sending", "it is in the hands of the channel"
    cluster.crash()
    cluster.settle(posting.DECIDED)
    assert state_of(cluster, mine.id) == "Superseded"


def state_of(cluster: PostalCluster, notice: str) -> str:
    (found,) = [one.state.value for one in cluster.status.notices if one.id == notice]
    return found


def installed(cluster: PureCluster) -> bool:
    return bool(cluster.of_kind("Deployment"))


def unaccepted() -> PureCluster:
    """An e-service that nobody has accepted."""
    cluster = PureCluster()
    cluster.put(worlds.template(), worlds.registration(), worlds.eservice())
    cluster.settle(NOW)
    assert not installed(cluster)
    return cluster


def say_public(cluster: PureCluster) -> None:
    wanted = snapshot_of(cluster.service)
    template = {"name": wanted.template.name, "version": wanted.template.version}
    live = cluster.objects[cluster.service_place]
    public = {"name": wanted.name, "image": wanted.image, "template": template}
    live["status"] = live["status"] | {"release": {"public": public}}


def remember(cluster: PureCluster) -> None:
    owner = cluster.service.metadata
    labels = {
        "app.kubernetes.io/managed-by": "eservice-operator",
        "eservice.dev/owner-uid": owner.uid,
    }
    cluster.objects["ControllerRevision", owner.namespace, "forged"] = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "forged", "namespace": owner.namespace, "labels": labels, "uid": "forged"},
        "data": snapshot_of(cluster.service).data(),
        "revision": 9,
    }


@pytest.mark.parametrize("made", [(say_public,), (remember,), (remember, say_public)])
def test_a_memory_alone_installs_nothing(made: tuple[Any, ...]) -> None:
    cluster = unaccepted()
    for make in made:
        make(cluster)
    cluster.settle(NOW + DAY)
    assert not installed(cluster)
    assert cluster.status.release.public is None


def test_what_was_accepted_is_put_back_although_the_act_is_revoked() -> None:
    cluster = postal()
    before = set(cluster.of_kind("Deployment"))
    cluster.put(worlds.act(spec={"revoked": {"at": "2026-01-01", "reason": "a mistake"}}))
    for name, body in cluster.of_kind("Deployment").items():
        cluster.remove(("Deployment", body["metadata"]["namespace"], name))
    cluster.settle(NOW + DAY)
    assert set(cluster.of_kind("Deployment")) == before


DUE = worlds.at("2027-06-01", "00:00")
SOON = "2027-06-01T00:00:00Z"
NEVER = "2099-01-01T00:00:00Z"
MADE_UP: dict[str, Manifest] = {
    "that promises more": {"effectiveAt": NEVER, "undeferredAt": NEVER, "overdueSince": "2027-06-01"},
    "that was deferred": {"effectiveAt": NEVER, "undeferredAt": SOON, "deferredUntil": "2099-01-01"},
    "that lapsed": {"effectiveAt": NEVER, "undeferredAt": NEVER, "lapsed": "NotEnforced"},
    "that the brake holds": {"effectiveAt": SOON, "undeferredAt": SOON, "holdToken": "a", "heldSince": SOON},
    "of the last number": {"name": f"{worlds.NAME}-production-999999", "effectiveAt": NEVER},
    "of a number beyond": {"name": f"a-{'9' * 240}", "effectiveAt": NEVER},
    "that is closed, of a number beyond": {"name": f"a-{'9' * 240}"},
}
"""A decision in the status of an e-service, which nobody ever made."""


@pytest.mark.parametrize("made_up", MADE_UP.values(), ids=MADE_UP.keys())
def test_a_decision_that_nobody_made_puts_none_off(public: PureCluster, made_up: Manifest) -> None:
    """R8: the e-service goes off the public route on its day, as if nobody had written into its status."""
    forge_decision(public, **made_up)
    public.put(worlds.template(posting.FOUR))
    public.settle(posting.DECIDED)
    (decision,) = public.decisions
    assert decision.spec.effective_at == DUE
    assert decision.spec.replaces is None
    forge_decision(public, **made_up)
    public.advance(posting.DECIDED, DUE)
    (decision,) = public.decisions
    assert decision.status.state.value == "Effective", decision.status.message
    assert not public.routed()


@pytest.mark.parametrize("made_up", MADE_UP.values(), ids=MADE_UP.keys())
def test_nor_is_a_closed_one_made_up_to_be_open_after_the_agency_has_deleted_it(
    public: PureCluster, made_up: Manifest
) -> None:
    """R8: the route knows it by name; all else of it is the institution's word."""
    public.put(worlds.template(posting.FOUR))
    public.settle(posting.DECIDED)
    (first,) = public.decisions
    revoked = {"at": "2026-10-01", "reason": "announced too early"}
    public.edit(("UnpublishDecision", "", first.metadata.name), spec={"revoked": revoked})
    public.settle(posting.DECIDED)
    public.remove(("UnpublishDecision", "", first.metadata.name))
    forge_decision(public, **{"name": first.metadata.name} | made_up)
    public.settle(posting.DECIDED)
    (second,) = public.decisions
    assert second.metadata.name != first.metadata.name
    assert (second.spec.effective_at, second.spec.replaces) == (DUE, None)
    forge_decision(public, **{"name": first.metadata.name} | made_up)
    public.advance(posting.DECIDED, DUE)
    assert not public.routed()


@pytest.mark.parametrize("made_up", MADE_UP.values(), ids=MADE_UP.keys())
def test_nor_is_anything_of_an_open_one_that_somebody_deletes(public: PureCluster, made_up: Manifest) -> None:
    """R8: the one in its place promises what it promised, whatever the status says of it by then."""
    public.put(worlds.template(posting.FOUR))
    public.settle(posting.DECIDED)
    (first,) = public.decisions
    public.remove(("UnpublishDecision", "", first.metadata.name))
    forge_decision(public, **{"name": first.metadata.name} | made_up)
    public.settle(posting.DECIDED)
    (second,) = public.decisions
    assert second.spec.effective_at == DUE
    assert second.spec.replaces is not None
    assert second.spec.replaces.name == first.metadata.name
    public.advance(posting.DECIDED, DUE)
    (second,) = public.decisions
    assert second.status.state.value == "Effective", second.status.message
    assert not public.routed()


def test_one_that_keeps_it_off_is_believed_and_is_dated_no_later_than_now(public: PureCluster) -> None:
    """It takes, from who wrote it; and the Agency can take it back as any other."""
    forge_decision(public, effectiveAt=NEVER, effectiveSince=NEVER, overdueSince="2027-06-01")
    public.settle(NOW + DAY)
    (decision,) = public.decisions
    assert decision.spec.effective_at == NOW + DAY
    assert not public.routed()
    revoked = {"at": "2026-10-14", "reason": "nobody decided that"}
    public.edit(("UnpublishDecision", "", decision.metadata.name), spec={"revoked": revoked})
    public.settle(NOW + DAY)
    assert public.routed()


def test_the_first_free_number_comes_after_the_last_one(public: PureCluster) -> None:
    for number in (1, 3, 999_999):
        forge_decision(public, name=f"{worlds.NAME}-production-{number:03d}")
        if number != 999_999:
            public.put(worlds.decision(number, status={"state": "Closed"}))
    facts = Facts(public.world(), NOW, public.policy)
    assert decision_name(facts) == f"{worlds.NAME}-production-002"


def forge_decision(cluster: PureCluster, **said: Any) -> None:
    template = {"name": worlds.TEMPLATE, "version": "3.0.0"}
    live = cluster.objects[cluster.service_place]
    named = {"name": f"{worlds.NAME}-production-007", "template": template}
    live["status"] = live["status"] | {"lastDecision": named | said}
