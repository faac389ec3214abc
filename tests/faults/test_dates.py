# SPDX-License-Identifier: Apache-2.0
"""Deadlines on the days that calendars and clocks find hard: not a second earlier, and not a second later.

Riga's clocks go forward on 2027-03-28 and back on 2027-10-31; 2028-02-29 is a leap day. Instants are in UTC.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.cluster.workdays import calendar_of
from eservice_operator.core.decide import Decision
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NOW, SECOND, image

WARN = {"enforcement": "Warn", "maximumLag": "P9Y", "warnBefore": []}
INSTANTS = {
    "2026-12-31": "2026-12-30T22:00:00Z",
    "2027-01-01": "2026-12-31T22:00:00Z",
    "2027-03-28": "2027-03-27T22:00:00Z",  # a day of 23 hours
    "2027-03-29": "2027-03-28T21:00:00Z",
    "2027-10-31": "2027-10-30T21:00:00Z",  # a day of 25 hours
    "2027-11-01": "2027-10-31T22:00:00Z",
    "2027-11-02": "2027-11-01T22:00:00Z",
    "2028-02-29": "2028-02-28T22:00:00Z",
    "2028-03-01": "2028-02-29T22:00:00Z",
    "2029-03-01": "2029-02-28T22:00:00Z",
    "2029-08-30": "2029-08-29T21:00:00Z",
}
"""When a local day begins."""


@pytest.fixture
def cluster() -> PureCluster:
    """An e-service that lacks nothing, and nothing is installed yet."""
    cluster = PureCluster()
    everything = (worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice())
    cluster.put(worlds.template(), *everything)
    cluster.policy = replace(cluster.policy, calendar=calendar_of("LV", range(2026, 2029)))
    return cluster


@pytest.fixture
def public(cluster: PureCluster) -> PureCluster:
    """The same e-service, public on 3.0.0 and at rest."""
    cluster.settle(NOW)
    return cluster


def begins(day: str) -> datetime:
    return datetime.fromisoformat(INSTANTS[day])


def settled(cluster: PureCluster, instant: datetime) -> Decision:
    decision = cluster.settle(instant)
    assert decision is not None
    return decision


@pytest.mark.parametrize(
    "published, off",
    [
        ("2025-06-29", "2026-12-30"),
        ("2025-06-30", "2026-12-31"),
        ("2025-09-27", "2027-03-28"),
        ("2025-09-28", "2027-03-29"),
        ("2026-04-30", "2027-10-31"),
        ("2026-05-01", "2027-11-02"),  # 31 April does not exist: nothing ends on 1 November
        ("2026-08-28", "2028-02-29"),
        ("2026-08-29", "2028-03-01"),
        ("2026-08-30", "2028-03-01"),  # clamped to the leap day
        ("2026-08-31", "2028-03-01"),
        ("2028-02-29", "2029-08-30"),
    ],
)
def test_eighteen_months_and_not_a_second_less(public: PureCluster, published: str, off: str) -> None:
    """R8 by the time since it was superseded: the day after the last day of the eighteen months."""
    later = worlds.version("4.0.0", "2025-06-01", published)
    public.put(worlds.template((*worlds.VERSIONS, later), lifecycle={"lagMeasure": "SinceSuperseded"}))
    leaves = datetime.fromisoformat("2026-12-29T22:00:00Z") if off == "2026-12-30" else begins(off)
    settled(public, NOW)
    (decision,) = public.decisions
    assert (str(decision.spec.overdue_since), decision.spec.effective_at) == (off, leaves)
    assert settled(public, leaves - SECOND).next_at == leaves
    assert public.routed()
    settled(public, leaves)
    assert not public.routed()


@pytest.mark.parametrize(
    "published, breached",
    [
        ("2025-12-31", "2027-01-01"),
        ("2026-03-27", "2027-03-28"),
        ("2026-03-28", "2027-03-29"),
        ("2026-10-30", "2027-10-31"),
        ("2026-10-31", "2027-11-01"),
        ("2027-02-28", "2028-02-29"),
        ("2028-02-29", "2029-03-01"),
    ],
)
def test_a_year_to_migrate_and_not_a_second_less(public: PureCluster, published: str, breached: str) -> None:
    """R7: the duty is breached from the day after its last day on; nothing is taken down for it."""
    later = worlds.version("4.0.0", "2025-11-15", published)
    public.put(worlds.template((*worlds.VERSIONS, later), lifecycle=WARN))
    turns = begins(breached)
    settled(public, NOW)
    assert settled(public, turns - SECOND).next_at == turns
    assert public.reason(ConditionType.TEMPLATE_CURRENT) != ("False", Reason.MIGRATION_DUE)
    settled(public, turns)
    assert public.reason(ConditionType.TEMPLATE_CURRENT) == ("False", Reason.MIGRATION_DUE)
    assert public.routed()


@pytest.mark.parametrize(
    "requested, overdue",
    [
        ("2027-03-15", "2027-03-31T21:00:00Z"),  # Good Friday, Easter Monday, and an hour that is left out
        ("2027-10-20", "2027-11-03T22:00:00Z"),  # an hour that comes twice
        ("2028-02-18", "2028-03-03T22:00:00Z"),  # the leap day is a working day
    ],
)
def test_ten_working_days_to_install_and_not_a_second_less(
    cluster: PureCluster, requested: str, overdue: str
) -> None:
    """R5: overdue from the day after the tenth."""
    request: dict[str, Any] = {"productionRequest": {"requestedAt": requested, "requestedBy": "A. Bērziņa"}}
    cluster.put(worlds.eservice(spec=request))
    cluster.broken.add(image("a"))
    turns = datetime.fromisoformat(overdue)
    settled(cluster, datetime.fromisoformat(f"{requested}T12:00:00Z"))
    assert settled(cluster, turns - SECOND).next_at == turns
    assert announced(cluster) == ("InstallationOverdue", turns)
    settled(cluster, turns)
    assert announced(cluster) != ("InstallationOverdue", turns)


def announced(cluster: PureCluster) -> tuple[str, datetime] | None:
    """What its status says happens next, and when."""
    following = cluster.status.next
    return None if following is None else (following.action, following.at)


@pytest.mark.parametrize("last", ["2027-03-28", "2027-10-31", "2028-02-29", "2026-12-31"])
def test_a_deferral_lasts_to_the_end_of_its_last_day(public: PureCluster, last: str) -> None:
    """However long that day is."""
    following = {"2027-03-28": "2027-03-29", "2027-10-31": "2027-11-01", "2028-02-29": "2028-03-01"}
    ends = begins(following.get(last, "2027-01-01"))
    month = {"2027-03-28": "2027-02", "2027-10-31": "2027-09", "2028-02-29": "2028-01"}.get(last, "2026-11")
    later = worlds.version("4.0.0", "2026-10-01", f"{month}-20")
    public.put(worlds.template((*worlds.VERSIONS, later), lifecycle={"maximumLag": "P6M", "warnBefore": []}))
    public.put(worlds.deferral(last))
    settled(public, NOW)
    settled(public, ends - SECOND)
    assert public.routed()
    settled(public, ends)
    assert not public.routed()
