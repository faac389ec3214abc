# SPDX-License-Identifier: Apache-2.0
"""What the driver that is set up cannot do, and what was put right of its route, said in the status."""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api.eservice import MOST_REMOVED
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.actions import Outcome, Update
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.driver import Shown
from eservice_operator.core.facts import Facts


def limits(facts: Facts) -> Iterator[Verdict]:
    """What is asked and not done, and that the hosts are not its own alone; nothing where all is well."""
    lacking = ", ".join(facts.driver.lacks(facts.wanted))
    if lacking:
        text = f"an {facts.driver.kind} cannot do it: {lacking}"
        yield c.false(ConditionType.ROUTE_SUPPORTED, Reason.NOT_WITH_INGRESS, text)
    if facts.route is not None and not facts.driver.exclusive:
        text = "whoever may write an Ingress anywhere in the cluster can take its hosts, or paths under them"
        yield c.false(ConditionType.HOST_PROTECTED, Reason.INGRESS_TRUST, text)


def not_in_place(shown: Shown | None) -> Iterator[Verdict]:
    """That the public route cannot move; nothing where it is where it is to be."""
    if shown is not None and shown.cannot_move:
        text = f"the public route cannot move: {shown.cannot_move}"
        yield c.false(ConditionType.ROUTE_IN_PLACE, Reason.GATEWAY_NOT_FOUND, text)


def removed_annotations(facts: Facts, outcome: Outcome) -> tuple[str, ...]:
    """The annotations of others that were taken off the route since it is there; the first ones stay."""
    if facts.route is None:
        return ()
    known = facts.world.service.status.removed_annotations
    dropped = (name for one in outcome.done if isinstance(one, Update) for name in one.drop)
    return tuple(dict.fromkeys((*known, *dropped)))[:MOST_REMOVED]
