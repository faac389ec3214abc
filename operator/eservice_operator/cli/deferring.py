# SPDX-License-Identifier: Apache-2.0
"""What comes of a deferral, by the operator's own decision with it and without it."""

from __future__ import annotations

from datetime import date
from typing import Any

from eservice_operator.api.decisions import UnpublishDecisionStatus
from eservice_operator.cli.dated import Days, on_day
from eservice_operator.cli.world import Live
from eservice_operator.cli.writing import written
from eservice_operator.core.decide import decide
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.promised import decision_to_come_back_to
from eservice_operator.core.unpublication import governing_decision, judge
from eservice_operator.core.world import World


def outlook(world: Live, place: tuple[str, str], made: dict[str, Any], until: date) -> list[str]:
    """What comes of the deferral, for the person: decided with it and without it."""
    if world.essential:
        return [one.text for one in world.essential] + ["so the resulting day cannot be computed here"]
    before, _ = _judged(world, place)
    added = made["metadata"] | {
        "uid": made["metadata"]["name"],
        "resourceVersion": "1",
        "creationTimestamp": written(world.now),
    }
    world.store.upsert(made | {"metadata": added})
    after, public = _judged(world, place)
    days = Days(world.now, world.policy.zone)
    if after is None:
        return ["no unpublication is decided about it: the deferral waits for one"]
    if after.deferred_until is None:
        return [f"it changes nothing: off the public route {on_day(after.effective_at, days)} as before"]
    was = "" if before is None else f", instead of {on_day(before.effective_at, days)}"
    until_then = f"{'' if public else 'not public now; may be '}public until {after.deferred_until}"
    lines = [f"{until_then}, off the public route {on_day(after.effective_at, days)}{was}"]
    if after.deferred_until < until:
        lines.append(f"the template's maximumDeferral makes it shorter: {after.deferred_until}, not {until}")
    elif after.deferred_until > until:
        lines.append(f"a deferral until {after.deferred_until} is there already, and the latest day counts")
    return lines


def _judged(world: Live, place: tuple[str, str]) -> tuple[UnpublishDecisionStatus | None, bool]:
    """What the open decision would be now, also about what was created again, and whether it is public."""
    seen = world.observer.eservice(ObjectKey("EService", *place))
    if not isinstance(seen, World):
        return None, False
    facts = decide(seen, world.now, world.policy).facts
    decision = governing_decision(facts) or decision_to_come_back_to(facts, facts.wanted.template)
    public = facts.public_name is not None
    return (None if decision is None else judge(facts, decision)), public
