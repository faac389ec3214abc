# SPDX-License-Identifier: Apache-2.0
"""What the driver that is set up cannot do, said in the status of each e-service that it concerns."""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.core import conditions as c
from eservice_operator.core.conditions import Verdict
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
