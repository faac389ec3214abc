# SPDX-License-Identifier: Apache-2.0
"""What a clock that is not trusted does and does not do; and days that clocks find hard.

The e-service is public on 3.0.0. Version 4.0.0, published on 2027-06-01, makes it overdue from that day on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.notices import Channel
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.actions import SetStatus
from eservice_operator.core.braking import decide_template
from eservice_operator.core.counting import PublicService
from eservice_operator.core.fleet import Fleet
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import TemplateWorld
from tests.support import worlds
from tests.support.postal import postal
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import DAY, SECOND, at, image

KNOWN = at("2027-02-01")
DUE = at("2027-06-01", "00:00")
LATE = at("2027-06-20")
FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
YEARS = timedelta(days=3 * 365)


@pytest.fixture
def scheduled(public: PureCluster) -> PureCluster:
    """4.0.0 is announced, and the decision is made."""
    public.put(worlds.template(FOUR))
    public.settle(KNOWN)
    assert state(public) == (DecisionState.SCHEDULED, Reason.SCHEDULED)
    return public


@pytest.fixture
def unpublished(scheduled: PureCluster) -> PureCluster:
    scheduled.settle(LATE)
    assert state(scheduled) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)
    return scheduled


def trust(cluster: PureCluster, *, clock: bool) -> None:
    cluster.policy = replace(cluster.policy, clock_trusted=clock)


def state(cluster: PureCluster) -> tuple[DecisionState, str | None]:
    (decision,) = cluster.decisions
    return decision.status.state, decision.status.reason


def test_a_due_decision_is_held_while_the_clock_is_not_trusted_and_takes_effect_after(
    scheduled: PureCluster,
) -> None:
    trust(scheduled, clock=False)
    scheduled.settle(LATE)
    assert state(scheduled) == (DecisionState.HELD, Reason.CLOCK_SKEW)
    assert "clock" in (scheduled.decisions[0].status.message or "")
    assert scheduled.routed()
    assert scheduled.phase() is Phase.PUBLISHED
    trust(scheduled, clock=True)
    scheduled.settle(LATE + SECOND)
    assert state(scheduled) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)
    assert not scheduled.routed()
    assert [note.reason for note in scheduled.told].count("Unpublished") == 1


@pytest.mark.parametrize("step", [YEARS, -YEARS])
def test_no_decision_is_dated_by_a_clock_that_is_not_trusted(public: PureCluster, step: timedelta) -> None:
    public.put(worlds.template(FOUR, lifecycle={"noticePeriod": "P30D"}))
    trust(public, clock=False)
    public.settle(LATE + step)
    assert not public.decisions
    assert public.routed()
    trust(public, clock=True)
    public.settle(LATE)
    (decision,) = public.decisions
    assert decision.spec.decided_at == LATE
    assert decision.status.effective_at == at("2027-07-21", "00:00"), "all of its thirty days"


def test_what_is_unpublished_stays_so_however_far_the_clock_is_set_back(unpublished: PureCluster) -> None:
    since = unpublished.decisions[0].status.effective_since
    for trusted in (False, True):
        trust(unpublished, clock=trusted)
        unpublished.settle(DUE - 10 * SECOND)
        unpublished.settle(KNOWN)
        assert state(unpublished) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)
        assert unpublished.decisions[0].status.effective_since == since
        assert not unpublished.routed()


def test_a_deferral_that_has_ended_does_not_begin_again_with_a_clock_set_back(scheduled: PureCluster) -> None:
    scheduled.put(worlds.deferral("2027-08-31"))
    scheduled.settle(LATE)
    assert scheduled.routed()
    scheduled.settle(at("2027-09-02"))
    assert not scheduled.routed()
    trust(scheduled, clock=False)
    scheduled.settle(LATE)
    assert not scheduled.routed()
    trust(scheduled, clock=True)
    scheduled.settle(at("2027-09-03"))
    assert state(scheduled) == (DecisionState.EFFECTIVE, Reason.EFFECTIVE)


def test_a_renewal_does_not_wait_for_the_clock(unpublished: PureCluster) -> None:
    trust(unpublished, clock=False)
    release = {"image": image("d"), "template": {"version": "4.0.0"}}
    unpublished.edit_service(release={"image": image("d")}, template={"version": "4.0.0"})
    passed = {"verifiedAt": "2027-06-21T07:00:00Z"}
    created = {"creationTimestamp": "2027-06-21T07:00:00Z"}
    unpublished.put(
        worlds.act("act-d", spec=release),
        worlds.verification("passed-d", metadata=created, spec=release | passed),
    )
    unpublished.settle(at("2027-06-22"))
    assert unpublished.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)
    assert state(unpublished) == (DecisionState.CLOSED, Reason.RENEWED)


def notices(cluster: PureCluster) -> list[str]:
    """The kinds of all notices that were entered anywhere."""
    entered = [notice for decision in cluster.decisions for notice in decision.status.notices]
    return [notice.kind.value for notice in (*entered, *cluster.status.notices)]


@pytest.fixture
def told(scheduled: PureCluster) -> PureCluster:
    """The institution can be told, and is told first of its migration and then of the decision."""
    scheduled.policy = replace(scheduled.policy, channels=((Channel.EMAIL, ""),))
    scheduled.settle(KNOWN + DAY)
    assert "UnpublishScheduled" in notices(scheduled)
    return scheduled


def test_a_clock_that_is_not_trusted_warns_nobody_and_the_ladder_goes_on_after_it(told: PureCluster) -> None:
    before, warned = notices(told), told.decisions[0].status.warned_at
    trust(told, clock=False)
    told.settle(KNOWN + YEARS)
    assert notices(told) == before
    assert told.decisions[0].status.warned_at == warned
    trust(told, clock=True)
    told.settle(at("2027-05-10"))
    assert set(Counter(notices(told)) - Counter(before)) == {"UnpublishWarning"}


def test_under_warn_too_it_warns_nobody(told: PureCluster) -> None:
    told.remove(("UnpublishDecision", "", told.decisions[0].metadata.name))
    told.edit(("EServiceTemplate", "", worlds.TEMPLATE), spec={"lifecycle": {"enforcement": "Warn"}})
    told.settle(KNOWN + 2 * DAY)
    before, warned = notices(told), told.status.template.warned_at
    assert warned is not None
    trust(told, clock=False)
    told.settle(KNOWN + YEARS)
    assert notices(told) == before
    assert told.status.template.warned_at == warned
    trust(told, clock=True)
    told.settle(at("2027-05-10"))
    assert "OverdueExpected" in notices(told)[len(before) :]


@pytest.mark.parametrize("trusted", [False, True])
def test_no_set_is_frozen_by_a_clock_that_is_not_trusted(trusted: bool) -> None:
    """It shows a day on which ten would take effect at once; only the Agency could dissolve their set."""
    names = [f"e{number}" for number in range(10)]
    decisions = [
        worlds.decision(
            metadata={"name": f"{name}-production-001", "uid": name},
            spec={"registration": name, "eService": {"name": name}},
            status={"observedGeneration": 1, "state": "Scheduled", "effectiveAt": "2026-10-31T22:00:00Z"},
        )
        for name in names
    ]
    fleet = Fleet(
        tuple(PublicService(name, "2.0.0", published=True) for name in names),
        tuple(map(UnpublishDecision.model_validate, decisions)),
    )
    lifecycle = {"brake": {"percent": 10, "atLeast": 5}}
    template = EServiceTemplate.model_validate(worlds.template(lifecycle=lifecycle))
    world = TemplateWorld(template, catalogue_of(template), fleet=fleet)
    found = decide_template(world, at("2026-11-01"), replace(worlds.POLICY, clock_trusted=trusted))
    frozen = [one for one in found.actions if isinstance(one, SetStatus) and "holdToken" in one.status]
    assert len(frozen) == (10 if trusted else 0)


@pytest.mark.parametrize(
    "published, instant",
    [
        ("2027-03-28", "2027-03-27T22:00:00+00:00"),  # the clocks go forward at 03:00 of this day
        ("2027-03-29", "2027-03-28T21:00:00+00:00"),
        ("2027-10-31", "2027-10-30T21:00:00+00:00"),  # and back at 04:00 of this one
        ("2027-11-01", "2027-10-31T22:00:00+00:00"),
        ("2028-02-29", "2028-02-28T22:00:00+00:00"),  # a leap day
    ],
)
def test_an_unpublication_comes_with_the_local_day_whatever_that_day_is(
    public: PureCluster, published: str, instant: str
) -> None:
    four = worlds.NEXT_VERSION | {
        "migrationInstruction": {"url": "https://d.example", "published": published}
    }
    public.put(worlds.template((*worlds.VERSIONS, four)))
    public.settle(KNOWN)
    (decision,) = public.decisions
    due = decision.spec.effective_at
    assert due.isoformat() == instant
    outcome = public.settle(due - SECOND)
    assert outcome is not None
    assert public.routed()
    assert outcome.next_at == due
    public.settle(due)
    assert not public.routed()


def test_being_down_over_the_instant_unpublishes_once(scheduled: PureCluster) -> None:
    scheduled.forget()
    scheduled.settle(LATE + 100 * DAY)
    scheduled.settle(LATE + 101 * DAY)
    assert not scheduled.routed()
    assert [note.reason for note in scheduled.told].count("Unpublished") == 1
    (decision,) = scheduled.decisions
    assert decision.status.effective_at == DUE
    assert decision.status.effective_since == LATE + 100 * DAY


# what became late meanwhile is told, by mail and by an Event, when the clock is trusted again

OLD_ENOUGH = worlds.version("4.0.0", "2026-10-01", "2026-11-01")
WARNING = {"enforcement": "Warn", "migrateWithin": "P1M", "maximumLag": "P5Y"}


def test_a_migration_that_became_overdue_under_a_wrong_clock_is_told_later() -> None:
    cluster = postal()
    cluster.put(worlds.template((*worlds.VERSIONS, OLD_ENOUGH), lifecycle=WARNING))
    cluster.settle(at("2026-11-02"))
    assert str(cluster.status.template.migrate_by) == "2026-12-01"
    cluster.forget()
    trust(cluster, clock=False)
    cluster.settle(at("2026-12-02"))
    assert cluster.reason(ConditionType.TEMPLATE_CURRENT) == ("True", Reason.TEMPLATE_CURRENT)
    assert (cluster.told_of(), cluster.told) == ([], [])
    trust(cluster, clock=True)
    cluster.settle(at("2026-12-03"))
    assert cluster.reason(ConditionType.TEMPLATE_CURRENT) == ("False", Reason.MIGRATION_DUE)
    assert cluster.told_of() == ["MigrationOverdue"]
    assert [note.reason for note in cluster.told] == ["MigrationOverdue"]


def test_a_duty_to_migrate_that_began_under_a_wrong_clock_is_told_later() -> None:
    cluster = postal()
    trust(cluster, clock=False)
    cluster.put(worlds.template((*worlds.VERSIONS, OLD_ENOUGH), lifecycle=WARNING))
    cluster.settle(at("2026-11-02"))
    assert cluster.status.template.migrate_by is None
    assert "MigrationDue" not in cluster.told_of()
    cluster.forget()
    trust(cluster, clock=True)
    cluster.settle(at("2026-11-03"))
    assert cluster.told_of().count("MigrationDue") == 1
    assert [note.reason for note in cluster.told].count("MigrationDue") == 1


def test_an_installation_that_became_overdue_under_a_wrong_clock_is_told_later() -> None:
    cluster = postal()
    release = {"image": image("f")}
    cluster.broken.add(image("f"))
    cluster.put(worlds.act("act-f", spec=release))
    cluster.edit_service(release=release)
    cluster.settle(worlds.NOW)
    due = cluster.status.installation.due_by
    assert due is not None
    cluster.forget()
    trust(cluster, clock=False)
    cluster.settle(at(str(due + DAY)))
    assert cluster.status.installation.overdue_since is None
    assert "InstallationOverdue" not in cluster.told_of() + [note.reason for note in cluster.told]
    trust(cluster, clock=True)
    cluster.settle(at(str(due + 2 * DAY)))
    assert cluster.told_of().count("InstallationOverdue") == 1
    assert [note.reason for note in cluster.told].count("InstallationOverdue") == 1
