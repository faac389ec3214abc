# SPDX-License-Identifier: Apache-2.0
"""The Events of a life: each change is told once, and nothing is told that did not change."""

from __future__ import annotations

from eservice_operator.core.transitions import WARNING, notes
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, NAME, NAMESPACE, TEMPLATE, at, image

LATER = at("2026-10-20")
AT_TEMPLATE = ("EServiceTemplate", "", TEMPLATE)
AT_REGISTRATION = ("EServiceRegistration", "", NAME)


def told(cluster: PureCluster) -> list[str]:
    return [note.reason for note in cluster.told]


def test_the_same_status_tells_nothing(public: PureCluster) -> None:
    assert notes(public.status, public.status) == ()


def test_a_life_is_told_in_its_order(cluster: PureCluster) -> None:
    cluster.remove(("ProductionVerification", NAMESPACE, "verified-1"))
    cluster.settle(at("2026-10-06"))
    cluster.put(worlds.verification())
    cluster.settle(at("2026-10-13"))
    cluster.edit(AT_REGISTRATION, spec={"suspended": {"reason": "an incident"}})
    cluster.settle(LATER)
    cluster.edit(AT_REGISTRATION, spec={"suspended": None})
    cluster.settle(LATER)
    assert told(cluster) == ["Installed", "Published", "Paused", "Published"]
    assert cluster.told[1].text == "public at https://address.latvija.example/"
    assert cluster.told[3].text == "public again at https://address.latvija.example/"


def test_an_unpublication_is_announced_and_told(public: PureCluster) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    public.settle(at("2027-02-01"))
    assert told(public) == ["UnpublishScheduled"]
    assert "2027-06-01" in public.told[0].text
    public.advance(at("2027-02-01"), at("2027-06-02"))
    assert told(public)[1:] == ["Unpublished", "TemplateOverdue"]
    assert all(note.type == WARNING for note in public.told)


def test_a_failed_verification_is_told_once(public: PureCluster) -> None:
    failed = {"outcome": "Failed", "verifiedAt": "2026-10-19T07:00:00Z"}
    public.put(worlds.verification("w", metadata={"creationTimestamp": "2026-10-19T08:00:00Z"}, spec=failed))
    public.advance(LATER, LATER + 5 * DAY)
    assert told(public) == ["VerificationFailed"]


def test_lost_ground_is_told_for_the_same_spec_only(public: PureCluster) -> None:
    public.remove(AT_REGISTRATION)
    public.remove(AT_TEMPLATE)
    public.settle(LATER)
    assert sorted(told(public)) == ["RegistrationNotFound", "TemplateUnknown"]
    public.put(worlds.registration(), worlds.template())
    public.settle(LATER)
    public.forget()
    public.edit_service(release={"image": image("b")})
    public.settle(LATER)
    assert told(public) == [], "a new release that has no act yet has lost nothing"


def test_a_stall_is_told_with_its_reason(public: PureCluster) -> None:
    public.edit_service(template={"version": "9.9.9"})
    public.settle(LATER)
    public.edit_service(workload={"replicas": 3})
    public.settle(LATER)
    assert told(public) == ["TemplateVersionUnknown"]
