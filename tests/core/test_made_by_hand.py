# SPDX-License-Identifier: Apache-2.0
"""What an institution may write in its own namespace is no word of the operator's: nothing comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.core.actions import Manifest
from eservice_operator.core.releases import snapshot_of
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
