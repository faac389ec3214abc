# SPDX-License-Identifier: Apache-2.0
"""The Events of a life: each change is told once, and nothing is told that did not change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from eservice_operator.api.contested import Standing
from eservice_operator.api.reasons import ConditionType, Phase
from eservice_operator.api.registration import EServiceRegistrationStatus
from eservice_operator.api.template import EServiceTemplateStatus, HeldSet
from eservice_operator.core.notes import WARNING, registration_notes, template_notes
from eservice_operator.core.policy import GatewayRef
from eservice_operator.core.transitions import notes
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, NAME, NAMESPACE, SECOND, TEMPLATE, at, image

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
    assert told(cluster) == ["Installed", "VerificationWanted", "Published", "Paused", "Published"]
    assert cluster.told[2].text == "public at https://address.latvija.example/"
    assert cluster.told[4].text == "public again at https://address.latvija.example/"


def test_an_unpublication_is_announced_and_told(public: PureCluster) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    public.settle(at("2027-02-01"))
    assert told(public) == ["UnpublishScheduled", "MigrationDue"]
    assert "2027-06-01" in public.told[0].text
    assert public.told[1].text == "to be migrated by 2028-06-01, that day included (R7)"
    public.forget()
    public.advance(at("2027-02-01"), at("2027-06-02"))
    warnings = ["UnpublishWarning"] * 3
    assert told(public) == [*warnings, "Unpublished", "TemplateOverdue"]
    assert all(note.type == WARNING for note in public.told)


def overdue(cluster: PureCluster) -> None:
    """Public up to the last day before R8 takes it off."""
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    cluster.settle(worlds.NOW)
    cluster.advance(at("2027-02-01"), at("2027-05-31"))
    cluster.forget()


def test_an_ingress_that_is_not_ours_keeps_an_unpublication_from_being_told_as_final(
    cluster: PureCluster,
) -> None:
    cluster.policy = worlds.BY_INGRESS
    overdue(cluster)
    theirs = worlds.claim(worlds.HOST, f"Ingress {NAMESPACE}/{NAME}", Standing.BESIDE)
    for contenders, wanted in (((theirs,), "Unpublishing"), ((), "Unpublished"), ((theirs,), None)):
        cluster.contenders = contenders
        cluster.settle(at("2027-06-02"))
        ends = [reason for reason in told(cluster) if reason in {"Unpublishing", "Unpublished"}]
        assert ends == ([wanted] if wanted else [])
        cluster.forget()


def test_what_left_while_its_gateway_was_gone_is_told_by_its_own_reason(cluster: PureCluster) -> None:
    """That the gateway is gone takes nothing off; R8 does, and the history has both."""
    overdue(cluster)
    cluster.missing_gateways = frozenset({worlds.POLICY.gateway})
    cluster.settle(at("2027-05-31"))
    cluster.settle(at("2027-05-31") + SECOND)
    cluster.settle(at("2027-06-02"))
    cluster.settle(at("2027-06-03"))
    assert told(cluster) == ["GatewayNotFound", "Unpublished", "TemplateOverdue"]
    assert [(one.phase, one.reason) for one in cluster.status.history[-2:]] == [
        (Phase.INSTALLING, "GatewayNotFound"),
        (Phase.UNPUBLISHED, "TemplateOverdue"),
    ]
    cluster.forget()
    cluster.missing_gateways = frozenset()
    cluster.put(worlds.deferral("2027-07-31"))
    cluster.settle(at("2027-06-03") + SECOND)
    assert "Republished" in told(cluster)


def test_so_it_is_where_its_spec_cannot_be_read(cluster: PureCluster) -> None:
    overdue(cluster)
    cluster.missing_gateways = frozenset({worlds.POLICY.gateway})
    cluster.edit_service(workload={"port": 99_999})
    cluster.settle(at("2027-05-31"))
    assert (cluster.phase(), told(cluster)[0]) == (Phase.INVALID, "GatewayNotFound")
    cluster.forget()
    cluster.settle(at("2027-06-02"))
    cluster.settle(at("2027-06-03"))
    assert told(cluster) == ["Unpublished", "TemplateOverdue"]


def test_a_move_to_another_gateway_is_neither_an_unpublication_nor_a_failure(public: PureCluster) -> None:
    public.gateway_answers = False
    public.policy = replace(public.policy, gateway=GatewayRef("gateway-system", "next"))
    public.settle(LATER)
    assert public.reason(ConditionType.PUBLISHED) == ("False", "AwaitingGateway")
    assert (public.phase(), told(public)) == (Phase.INSTALLING, [])
    public.settle(LATER + timedelta(minutes=1))
    assert told(public) == ["GatewayNotAnswering"]
    public.edit_service(publication={"paused": {"reason": "maintenance"}})
    public.settle(LATER + timedelta(minutes=2))
    assert (public.phase(), told(public)) == (Phase.PAUSED, ["GatewayNotAnswering", "Paused"])


def test_a_first_publication_that_is_refused_has_lost_nothing(cluster: PureCluster) -> None:
    """Gateways may refuse for a moment what they have not seen all of yet."""
    cluster.gateway_refuses = "BackendNotFound"
    cluster.settle(worlds.NOW)
    assert cluster.reason(ConditionType.PUBLISHED) == ("False", "RouteRefused")
    assert "RouteRefused" not in told(cluster)


def test_off_by_r8_after_a_pause_is_told_once(cluster: PureCluster) -> None:
    """As the notice is, which goes out also where a pause had taken it off before."""
    overdue(cluster)
    paused = {"paused": {"reason": "maintenance"}}
    for publication in (paused, {"paused": None}, paused, {"paused": None}):
        cluster.edit_service(publication=publication)
        cluster.settle(at("2027-06-02"))
    assert [reason for reason in told(cluster) if reason != "TemplateOverdue"] == ["Paused", "Unpublished"]


def test_a_day_that_moves_and_one_that_is_off_are_told(public: PureCluster) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    public.settle(at("2027-05-20"))
    public.forget()
    public.put(worlds.deferral("2027-07-31"))
    public.settle(at("2027-05-21"))
    assert [(note.reason, note.text[:41]) for note in public.told] == [
        ("UnpublishMoved", "leaves the public route on 2027-08-01 unl")
    ]
    public.forget()
    revoked = {"at": "2027-05-22", "reason": "the service ends in autumn"}
    name = public.decisions[0].metadata.name
    public.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    public.settle(at("2027-05-22"))
    assert [note.text for note in public.told] == [f"does not leave the public route on 2027-08-01 ({name})"]


def test_a_renewal_after_r8_is_told_as_coming_back(public: PureCluster) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    public.advance(at("2027-05-30"), at("2027-06-02"))
    public.forget()
    public.put(worlds.deferral("2027-07-31"))
    public.settle(at("2027-06-03"))
    assert "Republished" in told(public)
    assert "Published" not in told(public)


def test_what_is_late_is_told_once(cluster: PureCluster) -> None:
    holder = {"namespace": "ur-production", "name": "population-register"}
    cluster.edit_service(uses=[{"name": "persons", "webService": holder}])
    cluster.settle(at("2026-10-13"))
    cluster.forget()
    cluster.edit_service(productionRequest={"requestedAt": "2026-10-06", "requestedBy": "A. Bērziņa"})
    cluster.advance(at("2026-10-13"), at("2026-11-30"))
    assert told(cluster)[:2] == ["InstallationDue", "InstallationOverdue"]
    cluster.edit_service(workload={"replicas": 3})
    cluster.settle(at("2026-12-01"))
    assert told(cluster).count("InstallationOverdue") == 1


def test_the_ladder_of_a_policy_that_only_warns(public: PureCluster) -> None:
    lifecycle = {"enforcement": "Warn", "warnBefore": ["P1M", "P7D"]}
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION), lifecycle=lifecycle))
    public.advance(at("2027-02-01"), at("2027-06-02"))
    assert told(public) == [
        "MigrationDue",
        "OverdueExpected",
        "OverdueExpected",
        "OverdueExpected",
        "TemplateOverdue",
    ]
    assert public.told[1].text.startswith("overdue from 2027-06-01 on")


def test_the_duty_to_migrate_is_late_once(public: PureCluster) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION), lifecycle={"maximumLag": "P9Y"}))
    public.advance(at("2027-06-02"), at("2028-08-01"))
    assert told(public) == ["MigrationDue", "MigrationOverdue"]
    public.edit_service(workload={"replicas": 3})
    public.settle(at("2028-08-02"))
    assert told(public) == ["MigrationDue", "MigrationOverdue"]


def test_a_duty_that_is_late_from_its_first_day_is_told_as_late_only(public: PureCluster) -> None:
    lifecycle = {"maximumLag": "P9Y", "migrateWithin": "P1D"}
    public.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION), lifecycle=lifecycle))
    public.settle(at("2027-06-10"))
    assert told(public) == ["MigrationOverdue"]


def test_registrations_and_templates_tell_their_one_thing() -> None:
    number = EServiceRegistrationStatus(identifier="EP-000007")
    assert [note.reason for note in registration_notes(EServiceRegistrationStatus(), number)] == [
        "IdentifierAssigned"
    ]
    assert registration_notes(number, number) == ()
    held = HeldSet(
        token="abc",  # noqa: S106 - of a held set
        since=LATER,
        count=7,
    )
    braked = EServiceTemplateStatus(held=(held,))
    (note,) = template_notes(EServiceTemplateStatus(), braked)
    assert (note.type, note.reason) == (WARNING, "BrakeEngaged")
    assert "7 unpublications" in note.text
    assert template_notes(braked, braked) == ()


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
