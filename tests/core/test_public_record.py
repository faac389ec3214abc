# SPDX-License-Identifier: Apache-2.0
"""Which release is public: the route records it, and no word of the institution's is taken against that.

Whoever has ``*`` in the e-service's namespace writes the Service, a ControllerRevision and the status as one.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eservice_operator.api.names import PREVIOUS_RELEASE_ANNOTATION, PUBLIC_RELEASE_ANNOTATION, RELEASE_LABEL
from eservice_operator.core import releases
from eservice_operator.core.actions import Update
from eservice_operator.core.decide import decide
from eservice_operator.core.facts import Facts
from eservice_operator.core.public_record import PublicRecord, record_on
from eservice_operator.core.releases import Snapshot, snapshot_of
from eservice_operator.core.world import Observed
from tests.core.test_switching import LATER, name_candidate, sign, verify
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, NAME, NAMESPACE, SECOND, at, image, merged

Forge = Callable[[PureCluster, Snapshot], None]
SERVICE = "Service", NAMESPACE, NAME


def other(cluster: PureCluster, letter: str = "b", version: str = "3.0.0") -> Snapshot:
    """A release that the spec does not name, with all else as it is."""
    body = cluster.objects[cluster.service_place]
    spec = {"release": {"image": image(letter)}, "template": {"version": version}}
    return snapshot_of(cluster.service.model_validate(merged(body, {"spec": spec})))


def say_public(cluster: PureCluster, release: Snapshot) -> None:
    template = {"name": release.template.name, "version": release.template.version}
    live = cluster.objects[cluster.service_place]
    public = {"name": release.name, "image": release.image, "template": template}
    live["status"] = live["status"] | {"release": {"public": public}}


def remember(cluster: PureCluster, release: Snapshot, revision: int = 9) -> None:
    owner = cluster.service.metadata
    labels = {"app.kubernetes.io/managed-by": "eservice-operator", "eservice.dev/owner-uid": owner.uid}
    cluster.objects["ControllerRevision", owner.namespace, "forged"] = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "forged", "namespace": owner.namespace, "labels": labels, "uid": "forged"},
        "data": release.data(),
        "revision": revision,
    }


def lead(cluster: PureCluster, release: Snapshot) -> None:
    """The Service as the operator would write it: no field manager but its own."""
    service = cluster.objects[SERVICE]
    cluster.objects[SERVICE] = merged(service, {"spec": {"selector": {RELEASE_LABEL: release.name}}})


def lead_edited(cluster: PureCluster, release: Snapshot) -> None:
    cluster.vandalise(SERVICE, spec={"selector": {RELEASE_LABEL: release.name}})


def run_it(cluster: PureCluster, release: Snapshot) -> None:
    """A Deployment of the release, as if it had been installed."""
    deployment = next(iter(cluster.of_kind("Deployment").values()))
    name = f"{NAME}-{release.name}"
    forged = merged(deployment, {"metadata": {"name": name, "uid": "forged-deployment"}})
    cluster.objects["Deployment", NAMESPACE, name] = forged


ALL: tuple[Forge, ...] = (remember, lead, say_public, run_it)
WAYS: dict[str, tuple[Forge, ...]] = {
    "service": (lead,),
    "service and snapshot": (remember, lead),
    "service and status": (lead, say_public),
    "all by the name of the operator": ALL,
    "all by another name": (remember, lead_edited, say_public, run_it),
    "status alone": (say_public,),
}


def public_name(cluster: PureCluster) -> str | None:
    return Facts(cluster.world(), LATER, cluster.policy).public_name


@pytest.mark.parametrize("way", WAYS)
def test_a_release_that_was_not_accepted_cannot_be_made_public(public: PureCluster, way: str) -> None:
    before = {kind: public.of_kind(kind) for kind in ("Service", "HTTPRoute", "Deployment")}
    mine, theirs = snapshot_of(public.service), other(public)
    for forge in WAYS[way]:
        forge(public, theirs)
    assert public_name(public) == mine.name
    public.settle(LATER)
    assert public.public_letter() == "a"
    assert public.status.release.public is not None
    assert public.status.release.public.name == mine.name
    assert public.replicas() == {"a": 2}, "what was forged is removed"
    assert len(public.of_kind("ControllerRevision")) == 1
    after = {kind: public.of_kind(kind) for kind in before}
    assert after["HTTPRoute"] == before["HTTPRoute"], "the route was right all the time"


def accept(cluster: PureCluster) -> None:
    sign(cluster)


def accept_and_fail(cluster: PureCluster) -> None:
    sign(cluster)
    verify(cluster, outcome="Failed")


def accept_and_revoke(cluster: PureCluster) -> None:
    sign(cluster)
    verify(cluster)
    cluster.edit(("AcceptanceAct", "", "act-b"), spec={"revoked": {"at": "2026-10-19", "reason": "no"}})


def verify_alone(cluster: PureCluster) -> None:
    verify(cluster)


@pytest.mark.parametrize("lacking", [accept, accept_and_fail, accept_and_revoke, verify_alone])
def test_nor_can_one_that_lacks_anything_of_it(
    public: PureCluster, lacking: Callable[[PureCluster], None]
) -> None:
    lacking(public)
    for forge in ALL:
        forge(public, other(public))
    assert public_name(public) == snapshot_of(public.service).name
    public.settle(LATER)
    assert public.public_letter() == "a"


def test_nor_one_on_a_template_version_that_was_recalled(public: PureCluster) -> None:
    sign(public, version="2.0.0")
    verify(public, template={"version": "2.0.0"})
    before, used = worlds.VERSIONS
    recalled = before | {"withdrawn": {"at": "2026-10-01", "reason": "a hole", "replaceBy": "2027-01-01"}}
    public.put(worlds.template((recalled, used)))
    public.settle(LATER)
    for forge in ALL:
        forge(public, other(public, version="2.0.0"))
    assert public_name(public) == snapshot_of(public.service).name
    public.settle(LATER)
    assert public.public_letter() == "a"


def test_the_lag_is_that_of_the_recorded_release(public: PureCluster) -> None:
    """R8: neither forged objects nor a lost snapshot make a service younger."""
    younger = other(public, version="4.0.0")
    name_candidate(public, "b", "4.0.0")
    for place in [place for place in public.objects if place[0] == "ControllerRevision"]:
        del public.objects[place]
    mine = public.one("HTTPRoute")["metadata"]["annotations"][PUBLIC_RELEASE_ANNOTATION]
    say_public(public, younger)
    lead(public, younger)
    facts = Facts(public.world(), LATER, public.policy)
    assert facts.lost
    assert facts.public_template is not None
    assert mine.startswith(f"{facts.public_template.name} {facts.public_template.version} ")
    assert facts.public_template.version == "3.0.0"


def test_a_release_by_the_same_short_name_is_another_one(
    public: PureCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten digits can be hit by who tries long enough: then all other words agree."""
    monkeypatch.setattr(releases, "_name", lambda *_: "0123456789")
    public.settle(LATER)
    lead(public, snapshot_of(public.service))
    public.settle(LATER)
    theirs = other(public, version="4.0.0")
    assert theirs.name == snapshot_of(public.service).name
    for forge in (remember, say_public):
        forge(public, theirs)
    facts = Facts(public.world(), LATER, public.policy)
    assert facts.public is not None
    assert (facts.public.image, facts.public.template.version) == (image("a"), "3.0.0")
    assert facts.act(facts.public) is not None
    assert facts.act(theirs) is None, "nor has it the other's act"


def test_who_deletes_service_and_status_makes_nobody_forget(public: PureCluster) -> None:
    """Nor when what else is in the namespace goes: the route says what it was."""
    del public.objects[SERVICE]
    live = public.objects[public.service_place]
    live["status"] = {"observedGeneration": -1}
    public.edit_service(workload={"replicas": 3})
    public.settle(LATER)
    assert public.public_letter() == "a"
    assert public.routed()
    assert public.status.release.public is not None


def test_without_a_route_a_forged_release_renews_nothing(cluster: PureCluster) -> None:
    """R8: what is off, and has no route that records it, does not come back by the institution's word."""
    cluster.settle(worlds.NOW)
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    gone = at("2027-08-01")
    cluster.advance(worlds.NOW, gone)
    assert cluster.public_route() is None
    (decision,) = cluster.decisions
    assert decision.status.state.value == "Effective"
    for forge in ALL:
        forge(cluster, other(cluster, version="4.0.0"))
    cluster.settle(gone + DAY)
    (decision,) = cluster.decisions
    assert decision.status.state.value == "Effective", decision.status.message
    assert cluster.public_route() is None


def test_without_a_route_it_makes_nobody_forget_a_decision_that_was_deleted(cluster: PureCluster) -> None:
    """R8: the one in its place is about the same version, and goes on with its effect."""
    cluster.settle(worlds.NOW)
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    gone = at("2027-08-01")
    cluster.advance(worlds.NOW, gone)
    (first,) = cluster.decisions
    before = cluster.objects[cluster.service_place]["status"]["release"]
    cluster.remove(("UnpublishDecision", "", first.metadata.name))
    for forge in ALL:
        forge(cluster, other(cluster, version="4.0.0"))
    cluster.settle(gone + DAY)
    (second,) = cluster.decisions
    assert second.spec.replaces is not None
    assert second.spec.replaces.name == first.metadata.name
    assert second.spec.release.template == first.spec.release.template
    live = cluster.objects[cluster.service_place]
    live["status"] = live["status"] | {"release": before}
    cluster.remove(SERVICE)
    cluster.settle(gone + DAY + SECOND)
    (second,) = cluster.decisions
    assert second.status.state.value == "Effective", second.status.message
    assert cluster.public_route() is None


def test_what_was_switched_before_an_end_of_the_operator_is_recorded_after_it(public: PureCluster) -> None:
    """The Service and the route are two writes: killed between them, the switch counts."""
    stop_before_the_route(public)
    assert public.public_letter() == "b"
    switched = public.objects[SERVICE]["metadata"]["annotations"]
    public.settle(LATER + SECOND)
    assert public.public_letter() == "b"
    assert recorded(public).digest == image("b").partition("@")[2]
    assert public.writes()["Update Service"] == 1, "it is not switched twice"
    assert public.objects[SERVICE]["metadata"]["annotations"] == switched
    assert switched[PREVIOUS_RELEASE_ANNOTATION] == other(public, "a").name


def test_what_may_not_go_public_any_more_after_an_end_of_the_operator_goes_back(public: PureCluster) -> None:
    stop_before_the_route(public)
    public.edit(("AcceptanceAct", "", "act-b"), spec={"revoked": {"at": "2026-10-19", "reason": "no"}})
    public.settle(LATER + SECOND)
    assert public.public_letter() == "a"
    assert public.replicas()["a"] == 2
    assert public.routed()


def stop_before_the_route(cluster: PureCluster) -> None:
    """All gates of release b are passed; the operator ends right after the write of the Service."""
    name_candidate(cluster)
    sign(cluster)
    cluster.settle(LATER)
    verify(cluster)
    cluster.forget()
    for _ in range(8):
        decision = decide(cluster.world(), LATER, cluster.policy)
        for action in decision.actions:
            cluster.run((action,), LATER)
            if isinstance(action, Update) and action.manifest["kind"] == "Service":
                return
        cluster._controllers(LATER)
    raise AssertionError("the Service was not switched")


def recorded(cluster: PureCluster) -> PublicRecord:
    found = record_on(Observed(cluster.one("HTTPRoute")))
    assert found is not None
    return found


def test_a_switch_is_recorded_in_one_write_of_the_route(public: PureCluster) -> None:
    assert recorded(public).is_of(snapshot_of(public.service))
    name_candidate(public)
    sign(public)
    verify(public)
    public.settle(LATER)
    assert public.writes()["Update HTTPRoute"] == 1
    assert recorded(public).is_of(snapshot_of(public.service))
    assert recorded(public).digest.endswith("b")


def test_a_route_from_before_there_were_records_gets_one(public: PureCluster) -> None:
    annotations = public.one("HTTPRoute")["metadata"]["annotations"]
    before = annotations.pop(PUBLIC_RELEASE_ANNOTATION)
    public.settle(LATER)
    assert public.writes() == {"Update HTTPRoute": 1}
    assert public.one("HTTPRoute")["metadata"]["annotations"][PUBLIC_RELEASE_ANNOTATION] == before


@pytest.mark.parametrize(
    "text", ["", "x", "viss-2020 3.0.0", "viss-2020 three sha256:aa", "A_B 1.0.0 sha256:aa"]
)
def test_a_record_that_cannot_be_read_is_none(text: str) -> None:
    metadata = {"name": "a", "annotations": {PUBLIC_RELEASE_ANNOTATION: text}}
    assert record_on(Observed({"kind": "HTTPRoute", "metadata": metadata})) is None


def test_on_the_notice_page_the_record_holds_too(noticed: PureCluster) -> None:
    noticed.edit_service(publication={"paused": {"reason": "maintenance"}})
    noticed.settle(LATER)
    assert not noticed.routed()
    for forge in ALL:
        forge(noticed, other(noticed, version="4.0.0"))
    assert public_name(noticed) == snapshot_of(noticed.service).name


@pytest.fixture
def noticed() -> PureCluster:
    """A public e-service where there is a notice page."""
    cluster = PureCluster(policy=worlds.NOTICED)
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(worlds.NOW)
    cluster.forget()
    return cluster
