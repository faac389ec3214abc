# SPDX-License-Identifier: Apache-2.0
"""Every dated fact wakes its e-service, and messages fit however much there is to say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.conditions import merge
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAME, NAMESPACE, NOW, at

LIMIT = 4096
MIDNIGHT = "00:00"


def next_at(cluster: PureCluster, now: datetime = NOW) -> datetime | None:
    decision = cluster.settle(now)
    assert decision is not None
    return decision.next_at


def test_a_verification_dated_for_later_wakes_at_its_instant(public: PureCluster) -> None:
    later = {"verifiedAt": "2026-10-20T08:00:00Z", "outcome": "Failed"}
    public.put(
        worlds.verification("later", metadata={"creationTimestamp": "2026-10-13T08:00:00Z"}, spec=later)
    )
    assert next_at(public) == at("2026-10-20", "11:00")


def test_a_draft_that_will_be_released_wakes_on_that_day(public: PureCluster) -> None:
    public.put(worlds.template((*worlds.VERSIONS, worlds.version("4.0.0", "2027-05-01"))))
    assert next_at(public) == at("2027-05-01", MIDNIGHT)
    assert public.reason(ConditionType.TEMPLATE_CURRENT) == ("True", Reason.TEMPLATE_CURRENT)
    public.settle(at("2027-05-01", MIDNIGHT))
    assert public.reason(ConditionType.TEMPLATE_CURRENT) == ("True", Reason.TEMPLATE_AT_RISK)


@pytest.mark.parametrize(
    "policy,reason",
    [
        ({"maximumLag": "P20D", "migrateWithin": "P12M"}, Reason.TEMPLATE_OVERDUE),
        ({"maximumLag": "P18M", "migrateWithin": "P20D"}, Reason.MIGRATION_DUE),
    ],
)
def test_a_limit_that_is_no_day_of_the_template_wakes_on_its_own(
    public: PureCluster, policy: dict[str, str], reason: Reason
) -> None:
    """Under Warn, where no decision names the day."""
    lifecycle: dict[str, Any] = policy | {
        "lagMeasure": "SinceSuperseded",
        "enforcement": "Warn",
        "warnBefore": [],
    }
    four = worlds.version("4.0.0", "2026-10-01", "2026-10-10")
    public.put(worlds.template((*worlds.VERSIONS, four), lifecycle=lifecycle))
    limit = at("2026-10-31", MIDNIGHT)
    assert next_at(public) == limit
    public.settle(limit - worlds.SECOND)
    assert public.reason(ConditionType.TEMPLATE_CURRENT) == ("True", Reason.TEMPLATE_CURRENT)
    public.settle(limit)
    assert public.reason(ConditionType.TEMPLATE_CURRENT) == ("False", reason)


def test_an_installation_that_is_due_wakes_after_its_last_day(cluster: PureCluster) -> None:
    cluster.broken.add(worlds.image("a"))
    assert next_at(cluster) == at("2026-10-20", MIDNIGHT)
    assert cluster.status.next is not None
    assert cluster.status.next.action == "InstallationOverdue"


@pytest.mark.parametrize("what", ["uses", "notes"])
def test_messages_fit(cluster: PureCluster, what: str) -> None:
    if what == "uses":
        holder = {"namespace": "n" * 63, "name": "w" * 63}
        cluster.edit_service(
            uses=[{"name": f"u{n}", "webService": holder, "contractVersion": "v" * 32} for n in range(64)]
        )
    else:
        cluster.remove(("ProductionVerification", NAMESPACE, "verified-1"))
        cluster.put(worlds.verification(spec={"outcome": "Failed", "notes": "x" * LIMIT}))
    cluster.settle(NOW)
    (message,) = [
        entry.message for entry in cluster.status.gates if entry.gate.value in ("AccessGranted", "Verified")
    ]
    assert len(message) <= LIMIT
    assert message.endswith(("…", " more"))
    assert cluster.service.metadata.name == NAME


def test_reconciling_and_stalled_are_there_only_while_true() -> None:
    verdicts = (
        c.true(ConditionType.READY, Reason.SUCCEEDED),
        c.false(ConditionType.RECONCILING, Reason.SUCCEEDED),
        c.false(ConditionType.STALLED, Reason.SUCCEEDED),
    )
    assert [condition.type for condition in merge((), verdicts, 1, NOW)] == ["Ready"]
