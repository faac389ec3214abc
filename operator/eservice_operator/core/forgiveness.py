# SPDX-License-Identifier: Apache-2.0
"""R8: what the Agency has taken back is not decided again for the same cause."""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.core.facts import Facts
from eservice_operator.core.lag import Lag
from eservice_operator.core.recorded import recorded_ground
from eservice_operator.core.releases import same_template


def forgiving(facts: Facts, template: TemplateRef, lag: Lag) -> Iterator[UnpublishDecision]:
    """The decisions about a template version that the Agency has revoked, made for the cause of today."""
    caused_by = cause_of(facts, template, lag)
    for decision in facts.decisions:
        if decision.spec.revoked is None or not same_template(decision.spec.release.template, template):
            continue
        if recorded_ground(decision).caused_by == caused_by:
            yield decision


def cause_of(facts: Facts, template: TemplateRef, lag: Lag) -> str | None:
    """The version that makes a release overdue; none when it is its own recall."""
    known = facts.world.templates.get(template.name)
    return None if known is None else known.cause_of(template.version, lag)
