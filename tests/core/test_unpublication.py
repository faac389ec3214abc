# SPDX-License-Identifier: Apache-2.0
"""R8 as a life: scheduled, in effect at its instant, deferred, revoked, renewed, held.

The e-service is public on 3.0.0. Version 4.0.0, published on 2027-06-01, makes it overdue from the first
instant of that day in Riga.
"""

from __future__ import annotations

from typing import Any

import pytest

from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.reasons import ConditionType, Gate, Phase, Reason
from eservice_operator.core.actions import Delete, SetStatus
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, NAME, NAMESPACE, SECOND, TEMPLATE, at, image

KNOWN = at("2027-02-01")
"""When 4.0.0 and its dates become known."""
DUE = at("2027-06-01", "00:00")
"""The first instant on which the e-service is overdue."""
LATE = at("2027-06-20")
FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
AT_TEMPLATE = ("EServiceTemplate", "", TEMPLATE)
FIRST = f"{NAME}-production-001"
AT_DECISION = ("UnpublishDecision", "", FIRST)


@pytest.fixture
def scheduled(public: PureCluster) -> PureCluster:
    """4.0.0 is announced, and the decision is made."""
    public.put(worlds.template(FOUR))
    public.settle(KNOWN)
    return public


@pytest.fixture
def unpublished(scheduled: PureCluster) -> PureCluster:
    """The decision has taken effect."""
    scheduled.advance(KNOWN, LATE)
    assert not scheduled.routed()
    return scheduled


def state(cluster: PureCluster) -> tuple[DecisionState, str | None]:
    (decision,) = cluster.decisions
    return decision.status.state, decision.status.reason


def set_policy(cluster: PureCluster, **lifecycle: Any) -> None:
    cluster.edit(AT_TEMPLATE, spec={"lifecycle": lifecycle})


def defer(cluster: PureCluster, until: str, name: str = "deferral-1") -> None:
    cluster.put(worlds.deferral(until, name))


def renew(cluster: PureCluster, now: str) -> None:
    """The institution moves to 4.0.0, with everything that belongs to it, and verifies it."""
    release = {"image": image("d"), "template": {"version": "4.0.0"}}
    cluster.edit_service(release={"image": image("d")}, template={"version": "4.0.0"})
    cluster.put(worlds.act("act-d", spec=release))
    cluster.settle(at(now))
    verified = {"verifiedAt": f"{now}T07:00:00Z"}
    created = {"creationTimestamp": f"{now}T07:00:00Z"}
    cluster.put(worlds.verification("passed-d", metadata=created, spec=release | verified))
    cluster.advance(at(now), at(now) + DAY)


# scheduled


def test_a_decision_is_made_as_soon_as_its_day_is_known(scheduled: PureCluster) -> None:
    (decision,) = scheduled.decisions
    assert decision.metadata.name == FIRST
    assert decision.spec.effective_at == DUE
    assert str(decision.spec.overdue_since) == "2027-06-01"
    assert decision.spec.release.template.version == "3.0.0"
    assert decision.spec.caused_by == "4.0.0"
    assert decision.spec.current_version == "3.0.0"
    assert state(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    assert scheduled.routed()
    status = scheduled.status
    assert scheduled.phase() is Phase.PUBLISHED
    assert str(status.template.unpublish_at) == "2027-06-01"
    assert status.template.decision == FIRST
    assert status.next is not None
    assert (status.next.action, status.next.at) == ("Unpublish", DUE)
    assert "UnpublishScheduled" in [note.reason for note in scheduled.told]


def test_it_takes_effect_exactly_at_its_instant(scheduled: PureCluster) -> None:
    decision = scheduled.settle(DUE - SECOND)
    assert scheduled.routed()
    assert scheduled.phase() is Phase.PUBLISHED
    assert decision is not None
    assert decision.next_at == DUE
    scheduled.forget()

    scheduled.settle(DUE)
    assert state(scheduled) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)
    assert scheduled.decisions[0].status.effective_since == DUE
    assert not scheduled.routed()
    assert scheduled.phase() is Phase.UNPUBLISHED
    assert scheduled.reason(ConditionType.PUBLISHED) == ("False", Reason.TEMPLATE_OVERDUE)
    assert scheduled.reason(ConditionType.READY) == ("True", Reason.TEMPLATE_OVERDUE), "lawfully so"
    assert scheduled.gates() == [Gate.TEMPLATE_WITHIN_LIMIT]
    assert "Unpublished" in [note.reason for note in scheduled.told]


def test_only_the_route_is_taken_and_the_record_comes_first(scheduled: PureCluster) -> None:
    kept = {place for place in scheduled.objects if place[0] != "HTTPRoute"}
    scheduled.forget()
    scheduled.settle(DUE)
    record, removal = scheduled.log
    assert isinstance(record, SetStatus)
    assert isinstance(removal, Delete)
    assert removal.ref.kind == "HTTPRoute"
    assert set(scheduled.objects) == kept
    assert scheduled.replicas() == {"a": 2}


def test_an_overdue_release_that_goes_public_under_warn_is_unpublished_once_it_is_enforced(
    cluster: PureCluster,
) -> None:
    cluster.put(worlds.template(lifecycle={"enforcement": "Warn"}))
    two = {"template": {"version": "2.0.0"}}
    cluster.edit_service(**two)
    cluster.put(worlds.act(spec=two), worlds.verification(spec=two))
    cluster.settle(worlds.NOW)
    assert cluster.phase() is Phase.PUBLISHED
    assert cluster.reason(ConditionType.TEMPLATE_CURRENT) == ("False", Reason.TEMPLATE_OVERDUE)
    assert not cluster.decisions
    assert cluster.status.template.unpublish_at is None

    set_policy(cluster, enforcement="Enforce", enforceFrom="2026-12-01", noticePeriod="P7D")
    cluster.settle(at("2026-11-01"))
    assert str(cluster.status.template.unpublish_at) == "2026-12-01"
    cluster.advance(at("2026-11-01"), at("2026-12-01"))
    assert not cluster.routed()


def test_the_notice_period_counts_from_the_decision(cluster: PureCluster) -> None:
    two = {"template": {"version": "2.0.0"}}
    cluster.put(worlds.template(lifecycle={"enforcement": "Observe"}))
    cluster.edit_service(**two)
    cluster.put(worlds.act(spec=two), worlds.verification(spec=two))
    cluster.settle(worlds.NOW)
    set_policy(cluster, enforcement="Enforce", noticePeriod="P7D")
    cluster.settle(at("2026-11-01"))
    assert cluster.routed()
    assert cluster.decisions[0].spec.effective_at == at("2026-11-09", "00:00"), "seven whole days"


# deferred


def test_a_deferral_is_honoured_until_its_day_that_day_included(scheduled: PureCluster) -> None:
    defer(scheduled, "2027-07-31")
    end = at("2027-08-01", "00:00")
    scheduled.advance(KNOWN, end - SECOND)
    assert scheduled.routed()
    assert state(scheduled) == (DecisionState.SCHEDULED, Reason.DEFERRED)
    assert str(scheduled.status.template.unpublish_at) == "2027-08-01"
    scheduled.settle(end)
    assert not scheduled.routed()


def test_a_deferral_is_capped_from_the_undeferred_day(scheduled: PureCluster) -> None:
    defer(scheduled, "2029-01-01")
    scheduled.settle(KNOWN)
    assert scheduled.decisions[0].status.effective_at == at("2027-12-02", "00:00"), "six months, and that day"


def test_the_latest_deferral_wins(scheduled: PureCluster) -> None:
    defer(scheduled, "2027-08-31", "deferral-2")
    defer(scheduled, "2027-07-31", "deferral-1")
    scheduled.settle(KNOWN)
    assert str(scheduled.status.template.unpublish_at) == "2027-09-01"


def test_a_deferral_that_ends_before_the_promise_changes_nothing(scheduled: PureCluster) -> None:
    defer(scheduled, "2027-05-31")
    scheduled.settle(KNOWN)
    assert state(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    assert scheduled.decisions[0].status.effective_at == DUE


def test_a_revoked_deferral_ends_on_its_day_and_leaves_time_for_the_last_warning(
    scheduled: PureCluster,
) -> None:
    defer(scheduled, "2027-07-31")
    scheduled.settle(DUE)
    revoked = {"at": "2027-06-15", "reason": "the renewal was given up"}
    scheduled.edit(("UnpublishDeferral", "", "deferral-1"), spec={"revoked": revoked})
    scheduled.advance(DUE, at("2027-06-14"))
    assert scheduled.routed()
    scheduled.advance(at("2027-06-14"), at("2027-06-15"))
    assert state(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    scheduled.advance(at("2027-06-15"), at("2027-06-22", "23:59"))
    assert scheduled.routed(), "the shortest step of warnBefore is a week"
    scheduled.advance(at("2027-06-22", "23:59"), at("2027-06-23", "00:00"))
    assert not scheduled.routed()


def test_a_deferral_that_is_deleted_leaves_time_for_the_last_warning(scheduled: PureCluster) -> None:
    defer(scheduled, "2027-07-31")
    scheduled.settle(LATE)
    scheduled.remove(("UnpublishDeferral", "", "deferral-1"))
    scheduled.settle(LATE)
    assert scheduled.routed()
    assert state(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    scheduled.advance(LATE, LATE + 9 * DAY)
    assert not scheduled.routed()


def test_nobody_who_gives_no_warning_gives_time_after_a_deferral(scheduled: PureCluster) -> None:
    defer(scheduled, "2027-07-31")
    scheduled.settle(LATE)
    set_policy(scheduled, warnBefore=[])
    scheduled.remove(("UnpublishDeferral", "", "deferral-1"))
    scheduled.settle(LATE)
    assert not scheduled.routed()


def test_a_deferral_after_the_effect_brings_the_service_back(unpublished: PureCluster) -> None:
    defer(unpublished, "2027-07-31")
    unpublished.settle(LATE)
    assert unpublished.routed()
    assert unpublished.phase() is Phase.PUBLISHED
    assert state(unpublished) == (DecisionState.SCHEDULED, Reason.DEFERRED)
    unpublished.advance(LATE, at("2027-08-01"))
    assert not unpublished.routed()


def test_a_deferral_of_another_e_service_does_not_count(scheduled: PureCluster) -> None:
    other = {"eService": {"namespace": NAMESPACE, "name": "another"}}
    scheduled.put(worlds.deferral("2027-07-31", spec=other))
    scheduled.settle(DUE)
    assert not scheduled.routed()


# closed


def test_the_agency_revokes_a_decision_and_it_is_not_made_again(unpublished: PureCluster) -> None:
    revoked = {"at": "2027-06-20", "reason": "an emergency"}
    unpublished.edit(AT_DECISION, spec={"revoked": revoked})
    unpublished.settle(LATE)
    assert state(unpublished) == (DecisionState.CLOSED, Reason.REVOKED)
    assert unpublished.routed()
    unpublished.advance(LATE, at("2028-06-01"))
    assert len(unpublished.decisions) == 1
    assert unpublished.status.template.unpublish_at is None


def test_a_revocation_for_a_later_day_waits_for_it(scheduled: PureCluster) -> None:
    scheduled.edit(AT_DECISION, spec={"revoked": {"at": "2027-06-10", "reason": "an emergency"}})
    scheduled.advance(KNOWN, at("2027-06-09"))
    assert not scheduled.routed()
    scheduled.advance(at("2027-06-09"), at("2027-06-10"))
    assert scheduled.routed()


def test_renewal_before_the_day_closes_the_decision(scheduled: PureCluster) -> None:
    scheduled.put(worlds.template((*worlds.VERSIONS, worlds.version("4.0.0", "2027-05-01", "2027-05-05"))))
    renew(scheduled, "2027-05-10")
    assert state(scheduled) == (DecisionState.CLOSED, Reason.RENEWED)
    assert scheduled.status.template.unpublish_at is None
    scheduled.advance(at("2027-05-11"), LATE)
    assert scheduled.phase() is Phase.PUBLISHED
    assert len(scheduled.decisions) == 1


def test_renewal_after_the_effect_republishes_by_itself(unpublished: PureCluster) -> None:
    renew(unpublished, "2027-06-21")
    assert unpublished.routed()
    assert unpublished.phase() is Phase.PUBLISHED
    assert unpublished.public_letter() == "d"
    assert state(unpublished) == (DecisionState.CLOSED, Reason.RENEWED)
    assert unpublished.status.template.version == "4.0.0"


def test_a_renewal_that_is_not_public_yet_renews_nothing(unpublished: PureCluster) -> None:
    unpublished.edit_service(release={"image": image("d")}, template={"version": "4.0.0"})
    unpublished.settle(LATE)
    assert not unpublished.routed()
    assert unpublished.phase() is Phase.UNPUBLISHED
    assert state(unpublished)[0] is DecisionState.EFFECTIVE


def test_a_security_fix_of_an_unpublished_release_is_installed_and_stays_off_the_route(
    unpublished: PureCluster,
) -> None:
    unpublished.edit_service(release={"image": image("f")})
    release = {"image": image("f")}
    unpublished.put(worlds.act("act-f", spec=release), worlds.verification("passed-f", spec=release))
    unpublished.advance(LATE, LATE + DAY)
    assert unpublished.replicas() == {"a": 2, "f": 1}
    assert not unpublished.routed()


# what never unpublishes, and what never brings back


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"enforcement": "Warn"}, Reason.NOT_ENFORCED),
        ({"enforcement": "Observe"}, Reason.NOT_ENFORCED),
        ({"maximumLag": "P24M"}, Reason.NO_LONGER_OVERDUE),
    ],
)
def test_a_policy_changed_before_the_effect_holds_it(
    scheduled: PureCluster, change: dict[str, str], reason: Reason
) -> None:
    set_policy(scheduled, **change)
    scheduled.advance(KNOWN, LATE)
    assert state(scheduled) == (DecisionState.HELD, reason)
    assert scheduled.routed()


@pytest.mark.parametrize("change", [{"enforcement": "Warn"}, {"maximumLag": "P99M"}])
def test_a_policy_changed_after_the_effect_brings_nobody_back(
    unpublished: PureCluster, change: dict[str, str]
) -> None:
    set_policy(unpublished, **change)
    unpublished.advance(LATE, LATE + 30 * DAY)
    assert state(unpublished)[0] is DecisionState.EFFECTIVE
    assert not unpublished.routed()


def test_a_later_day_of_enforcement_moves_a_decision_to_it(scheduled: PureCluster) -> None:
    set_policy(scheduled, enforceFrom="2027-07-01")
    scheduled.advance(KNOWN, at("2027-06-30"))
    assert scheduled.routed()
    assert state(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    assert str(scheduled.status.template.unpublish_at) == "2027-07-01"
    scheduled.advance(at("2027-06-30"), at("2027-07-01"))
    assert not scheduled.routed()


def test_a_template_deleted_before_the_effect_holds_it(scheduled: PureCluster) -> None:
    scheduled.remove(AT_TEMPLATE)
    scheduled.advance(KNOWN, LATE)
    assert state(scheduled) == (DecisionState.HELD, Reason.TEMPLATE_UNKNOWN)
    assert scheduled.routed()
    assert scheduled.reason(ConditionType.TEMPLATE_CURRENT) == ("Unknown", Reason.TEMPLATE_UNKNOWN)
    assert scheduled.phase() is Phase.PUBLISHED


def test_a_template_deleted_after_the_effect_brings_nobody_back(unpublished: PureCluster) -> None:
    unpublished.remove(AT_TEMPLATE)
    unpublished.advance(LATE, LATE + 30 * DAY)
    assert not unpublished.routed()
    assert state(unpublished)[0] is DecisionState.EFFECTIVE


def test_a_template_deleted_after_a_capped_deferral_ended_brings_nobody_back(scheduled: PureCluster) -> None:
    defer(scheduled, "2029-01-01")
    scheduled.advance(KNOWN, at("2027-12-31"))
    assert not scheduled.routed()
    scheduled.remove(AT_TEMPLATE)
    scheduled.settle(at("2027-12-31"))
    assert not scheduled.routed(), "the cap went with the template, what was honoured is remembered"


@pytest.mark.parametrize("versions", [(), worlds.VERSIONS[:1]])
def test_an_unknown_version_never_unpublishes(public: PureCluster, versions: tuple[Any, ...]) -> None:
    public.put(worlds.template(versions))
    public.advance(KNOWN, LATE)
    assert public.routed()
    assert not public.decisions
    assert public.reason(ConditionType.TEMPLATE_CURRENT) == ("Unknown", Reason.TEMPLATE_VERSION_UNKNOWN)
    assert public.phase() is Phase.PUBLISHED


# the promise


@pytest.mark.parametrize(
    "lifecycle",
    [{"maximumLag": "P1M"}, {"migrateWithin": "P1D"}, {"enforceFrom": "2027-01-01"}],
)
def test_a_promise_never_moves_earlier_when_the_policy_is_tightened(
    scheduled: PureCluster, lifecycle: dict[str, str]
) -> None:
    set_policy(scheduled, **lifecycle)
    scheduled.advance(KNOWN, DUE - SECOND)
    assert scheduled.routed()
    assert str(scheduled.status.template.unpublish_at) == "2027-06-01"
    scheduled.settle(DUE)
    assert not scheduled.routed()


def test_a_promise_never_moves_earlier_when_dates_are_edited(scheduled: PureCluster) -> None:
    earlier = worlds.version("4.0.0", "2027-05-01", "2027-05-01")
    scheduled.put(worlds.template((*worlds.VERSIONS, earlier)))
    scheduled.advance(KNOWN, DUE - SECOND)
    assert scheduled.routed()
    assert scheduled.reason(ConditionType.TEMPLATE_CURRENT) == ("False", Reason.TEMPLATE_OVERDUE)
    scheduled.settle(DUE)
    assert not scheduled.routed()


def test_a_deferral_once_honoured_is_not_shortened_by_a_lower_cap(scheduled: PureCluster) -> None:
    defer(scheduled, "2027-09-30")
    scheduled.settle(KNOWN)
    set_policy(scheduled, maximumDeferral="P1M")
    scheduled.advance(KNOWN, at("2027-09-30"))
    assert scheduled.routed()
    scheduled.advance(at("2027-09-30"), at("2027-10-01"))
    assert not scheduled.routed()


# withdrawals


def test_a_recalled_version_is_decided_upon_with_its_replace_by_day(public: PureCluster) -> None:
    recalled = worlds.version("3.0.0", "2025-10-01", "2025-11-01", at="2026-12-01", replaceBy="2027-01-15")
    public.put(worlds.template((worlds.VERSIONS[0], recalled)))
    public.settle(at("2026-12-01"))
    (decision,) = public.decisions
    assert decision.spec.caused_by is None
    assert decision.spec.effective_at == at("2027-01-16", "00:00")
    assert public.reason(ConditionType.STALLED) is None, "what is public is owed a renewal"
    public.advance(at("2026-12-01"), at("2027-01-16"))
    assert not public.routed()


# who may judge


def test_a_re_created_e_service_finds_its_decision(unpublished: PureCluster) -> None:
    unpublished.remove(unpublished.service_place)
    unpublished.settle(LATE)
    assert not unpublished.of_kind("EService")
    unpublished.put(worlds.eservice(metadata={"uid": "another-uid"}))
    unpublished.advance(LATE, LATE + 30 * DAY)
    assert not unpublished.routed()
    assert Gate.TEMPLATE_WITHIN_LIMIT in unpublished.gates()
    assert unpublished.reason(ConditionType.STALLED) == ("True", Reason.TEMPLATE_OVERDUE)
    assert state(unpublished)[0] is DecisionState.EFFECTIVE


def test_an_impostor_in_another_namespace_has_no_say(scheduled: PureCluster) -> None:
    defer(scheduled, "2027-07-31")
    scheduled.settle(LATE)
    before = scheduled.decisions
    impostor = PureCluster()
    impostor.objects |= {
        place: body
        for place, body in scheduled.objects.items()
        if place[0].startswith(("EServiceR", "EServiceT"))
    }
    impostor.objects |= {
        place: body for place, body in scheduled.objects.items() if place[0] == "UnpublishDecision"
    }
    impostor.put(worlds.eservice(metadata={"namespace": "somebody-else"}))
    impostor.settle(LATE)
    assert not impostor.log
    assert impostor.decisions == before
    assert impostor.gates()[0] == Gate.REGISTERED


def test_a_junior_rival_has_no_say(scheduled: PureCluster) -> None:
    world = scheduled.world()
    junior = PureCluster()
    junior.objects |= {
        place: body
        for place, body in scheduled.objects.items()
        if place[0] in ("EServiceRegistration", "EServiceTemplate", "UnpublishDecision")
    }
    junior.senior = worlds.eservice()
    junior.put(worlds.eservice(metadata={"name": "rival", "uid": "rival"}))
    junior.settle(LATE)
    assert not junior.log
    assert junior.decisions == world.decisions
    assert junior.reason(ConditionType.STALLED) == ("True", Reason.ALREADY_TAKEN)


def test_one_that_another_stands_before_has_no_say_about_its_own_decision_either(
    scheduled: PureCluster,
) -> None:
    scheduled.senior = worlds.eservice(metadata={"name": "first", "uid": "first"})
    scheduled.forget()
    scheduled.advance(KNOWN, LATE)
    assert not [action for action in scheduled.log if isinstance(action, SetStatus)]
    assert state(scheduled) == (DecisionState.SCHEDULED, Reason.SCHEDULED)


def test_numbers_of_decisions_go_on_after_one_was_deleted(unpublished: PureCluster) -> None:
    second = worlds.decision(7, status={"observedGeneration": 1, "state": "Closed", "reason": "Renewed"})
    unpublished.put(second)
    unpublished.remove(AT_DECISION)
    unpublished.settle(LATE)
    assert sorted(unpublished.of_kind("UnpublishDecision")) == [
        f"{NAME}-production-007",
        f"{NAME}-production-008",
    ]
