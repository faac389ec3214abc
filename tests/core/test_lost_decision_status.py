# SPDX-License-Identifier: Apache-2.0
"""R8: an UnpublishDecision without its status, as after a restore, goes on from what its route records.

Its spec alone reads as a decision that is due long since, whatever became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.api.notices import Channel
from eservice_operator.api.reasons import Reason
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.core.actions import Create, Update
from eservice_operator.core.dates import instant
from eservice_operator.core.faces import Face, face_of
from eservice_operator.core.unjudged import as_recorded
from eservice_operator.core.world import Observed
from tests.core.test_unpublication import DUE, FOUR, KNOWN, LATE, defer, renew, set_policy
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import DAY, NAME, NAMESPACE, NOTICED, NOW, TEMPLATE, at

Change = Callable[[PureCluster], None]
UNSEEN = {"observedGeneration": -1}
"""A status that nobody has written."""
HOUR = timedelta(hours=1)
KEPT = {
    "state",
    "reason",
    "effective_at",
    "undeferred_at",
    "deferred_until",
    "deferral",
    "effective_since",
    "hold_token",
    "held_since",
}
CHANNELS = ((Channel.EMAIL, ""),)
MORE_THAN_THE_BRAKE_LETS_PASS = [f"e{number}" for number in range(7)]


def lose(cluster: PureCluster) -> None:
    """Take the status off every decision and off the e-service."""
    for (kind, _, _), body in cluster.objects.items():
        if kind in ("UnpublishDecision", "EService"):
            body["status"] = dict(UNSEEN)
    cluster.forget()


def led_home(cluster: PureCluster) -> bool:
    """Whether the public route led to the e-service in any version of it that was written."""
    return any(
        isinstance(one, Create | Update)
        and one.manifest["kind"] == "HTTPRoute"
        and face_of(Observed(one.manifest)) is Face.LIVE
        for one in cluster.log
    )


def remembered(cluster: PureCluster) -> list[dict[str, Any]]:
    """What has to be the same of each decision."""
    return [one.status.model_dump(include=KEPT) for one in cluster.decisions]


@pytest.fixture
def noticed(cluster: PureCluster) -> PureCluster:
    """Public on 3.0.0, where there is a notice page and a channel, and too old from 2027-06-01."""
    cluster.policy = replace(NOTICED, channels=CHANNELS)
    cluster.put(worlds.template(FOUR, lifecycle={"holdUninformed": "P3D"}))
    cluster.settle(NOW)
    cluster.settle(KNOWN)
    return cluster


def scheduled(_: PureCluster) -> datetime:
    return KNOWN


def just_in_effect(cluster: PureCluster) -> datetime:
    """Who would not have been informed could be waited for by now, for two more days."""
    cluster.one("UnpublishDecision")["status"]["informedAt"] = instant(KNOWN)
    cluster.advance(KNOWN, DUE + DAY)
    assert cluster.face() is Face.NOTICE
    return DUE + DAY


def long_in_effect(cluster: PureCluster) -> datetime:
    cluster.advance(KNOWN, LATE)
    assert cluster.face() is Face.NOTICE
    return LATE


def deferred(cluster: PureCluster) -> datetime:
    defer(cluster, "2027-07-15")
    cluster.advance(KNOWN, LATE)
    assert cluster.routed()
    return LATE


def brought_back_by_a_deferral(cluster: PureCluster) -> datetime:
    long_in_effect(cluster)
    defer(cluster, "2027-07-15")
    cluster.settle(LATE)
    assert cluster.routed()
    return LATE


def lapsed(cluster: PureCluster) -> datetime:
    """Its day passed while the policy did not enforce."""
    set_policy(cluster, enforcement="Warn")
    cluster.advance(KNOWN, LATE)
    assert cluster.routed()
    return LATE


def announced_anew(cluster: PureCluster) -> datetime:
    """There is a ground for it again, and a notice period: its instant is later than its spec says."""
    lapsed(cluster)
    set_policy(cluster, enforcement="Enforce", noticePeriod="P60D")
    cluster.settle(LATE)
    (decision,) = cluster.decisions
    assert decision.status.effective_at is not None
    assert decision.status.effective_at > LATE
    return LATE


LIVES = (
    scheduled,
    just_in_effect,
    long_in_effect,
    deferred,
    brought_back_by_a_deferral,
    lapsed,
    announced_anew,
)


@pytest.mark.parametrize("life", LIVES)
def test_it_goes_on_as_it_was(noticed: PureCluster, life: Callable[[PureCluster], datetime]) -> None:
    now, before, face = life(noticed), remembered(noticed), noticed.face()
    lose(noticed)
    noticed.settle(now)
    assert remembered(noticed) == before
    assert noticed.face() is face
    assert face is Face.LIVE or not led_home(noticed)


def test_what_was_renewed_stays_so(noticed: PureCluster) -> None:
    long_in_effect(noticed)
    renew(noticed, "2027-06-21")
    assert noticed.routed()
    lose(noticed)
    noticed.settle(at("2027-06-23"))
    assert noticed.routed()
    assert [one["reason"] for one in remembered(noticed)] == [Reason.RENEWED]


def fleet() -> PureFleet:
    """E-services that went off on the same day, when the Agency let them."""
    found = PureFleet(policy=NOTICED)
    found.templates[TEMPLATE] = worlds.template(FOUR)
    for name in MORE_THAN_THE_BRAKE_LETS_PASS:
        found.join(name)
    found.settle(NOW)
    found.advance(KNOWN, DUE)
    assert sorted(found.held()) == MORE_THAN_THE_BRAKE_LETS_PASS
    return found


def test_the_brake_does_not_bring_back_what_went_off() -> None:
    found = fleet()
    (token,) = found.tokens()
    found.release(token)
    found.advance(DUE, LATE)
    assert sorted(found.gone()) == MORE_THAN_THE_BRAKE_LETS_PASS
    for cluster in found.members.values():
        lose(cluster)
    found.frozen.clear()
    found.settle(LATE)
    assert sorted(found.gone()) == MORE_THAN_THE_BRAKE_LETS_PASS
    assert not found.frozen, "nothing is about to happen"
    for cluster in found.members.values():
        assert cluster.face() is Face.NOTICE
        assert not led_home(cluster)


@pytest.mark.parametrize("with_children", [True, False])
def test_restored_with_other_uids_they_stay_off(with_children: bool) -> None:
    """The route is that of an earlier e-service then, which goes; the rest is collected, or of nobody."""
    found = fleet()
    (token,) = found.tokens()
    found.release(token)
    found.advance(DUE, LATE)
    for cluster in found.members.values():
        restore(cluster, with_children=with_children)
    found.advance(LATE, LATE + 3 * DAY)
    assert sorted(found.gone()) == MORE_THAN_THE_BRAKE_LETS_PASS
    assert not any(map(led_home, found.members.values()))


def restore(cluster: PureCluster, *, with_children: bool) -> None:
    """Everything is made anew from a backup."""
    lose(cluster)
    metadata = cluster.objects[cluster.service_place]["metadata"]
    old, metadata["uid"] = metadata["uid"], f"{metadata['uid']}-again"
    for place, body in list(cluster.objects.items()):
        owners = body["metadata"].get("ownerReferences") or ()
        if not with_children and any(owner["uid"] == old for owner in owners):
            del cluster.objects[place]


def test_what_the_brake_holds_stays_held_by_the_same_token() -> None:
    found = fleet()
    tokens = found.tokens()
    before = {name: remembered(cluster) for name, cluster in found.members.items()}
    for cluster in found.members.values():
        lose(cluster)
    found.settle(DUE + 2 * DAY)
    assert found.tokens() == tokens
    assert {name: remembered(cluster) for name, cluster in found.members.items()} == before
    assert sorted(found.served()) == MORE_THAN_THE_BRAKE_LETS_PASS


def renewed(cluster: PureCluster, name: str, now: datetime) -> None:
    """The e-service of that name goes to 4.0.0, which is accepted and verified."""
    release = {"image": worlds.image("d"), "template": {"version": "4.0.0"}}
    cluster.edit_service(release={"image": worlds.image("d")}, template={"version": "4.0.0"})
    cluster.put(worlds.act("act-d", spec={"eService": {"name": f"{NAME}-{name}"}} | release))
    cluster.settle(now)
    made = {"creationTimestamp": instant(now + HOUR)}
    spec = {"eService": f"{NAME}-{name}", "verifiedAt": instant(now + HOUR)} | release
    cluster.put(worlds.verification("passed-d", metadata=made, spec=spec))
    cluster.advance(now + HOUR, now + DAY)
    assert cluster.routed()


def test_what_ended_is_not_counted_as_due() -> None:
    """All were renewed but one, whose deferral ends the day after: that goes off, as it would have."""
    found = fleet()
    *others, last = MORE_THAN_THE_BRAKE_LETS_PASS
    (token,) = found.tokens()
    found.release(token)
    place = {"namespace": NAMESPACE, "name": f"{NAME}-{last}"}
    found.members[last].put(worlds.deferral("2027-06-23", spec={"eService": place}))
    found.advance(DUE, LATE)
    assert sorted(found.gone()) == others
    for name in others:
        renewed(found.members[name], name, LATE)
    over = at("2027-06-24", "00:00")
    found.advance(LATE + DAY, over - timedelta(seconds=1))
    assert found.gone() == []
    for cluster in found.members.values():
        lose(cluster)
    found.members[last].settle(over)
    assert found.gone() == [last], "before anybody has looked at the others"
    assert not found.decide_template(TEMPLATE, over).actions, "nothing else is about to happen"
    found.settle(over)
    assert sorted(found.served()) == others


RECORDED = RememberedDecision.model_validate(
    {
        "name": f"{NAME}-production-007",
        "template": {"name": TEMPLATE, "version": "2.0.0"},
        "effectiveAt": "2026-10-31T22:00:00Z",
        "effectiveSince": "2026-10-31T22:00:00Z",
    }
)
ENDED = RECORDED.model_copy(update={"effective_at": None, "effective_since": None})


@pytest.mark.parametrize(
    "number, recorded, status, state",
    [
        (7, None, {}, "Scheduled"),
        (7, RECORDED, {}, "Effective"),
        (7, RECORDED, {"observedGeneration": 1, "state": "Held", "reason": "Brake"}, "Held"),
        (7, RECORDED, {"holdToken": "0123456789"}, "Effective"),
        (7, ENDED, {}, "Closed"),
        (6, RECORDED, {}, "Closed"),
        (6, ENDED, {}, "Closed"),
        (6, RECORDED, {"observedGeneration": 1}, "Scheduled"),
        (8, RECORDED, {}, "Scheduled"),
        (8, ENDED, {}, "Scheduled"),
        (6, RECORDED.model_copy(update={"name": "other-production-007"}), {}, "Scheduled"),
    ],
)
def test_only_what_nobody_has_judged_is_taken_from_the_record(
    number: int, recorded: RememberedDecision | None, status: dict[str, Any], state: str
) -> None:
    decision = UnpublishDecision.model_validate(worlds.decision(number, status=status))
    assert as_recorded(decision, recorded).status.state == state


@pytest.mark.parametrize(
    "revoked, reason",
    [(None, Reason.RENEWED), ({"at": "2026-11-20", "reason": "an error"}, Reason.REVOKED)],
)
def test_what_ended_says_why(revoked: dict[str, str] | None, reason: Reason) -> None:
    spec = {} if revoked is None else {"revoked": revoked}
    decision = UnpublishDecision.model_validate(worlds.decision(7, spec=spec))
    assert as_recorded(decision, ENDED).status.reason == reason
