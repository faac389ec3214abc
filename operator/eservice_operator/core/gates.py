# SPDX-License-Identifier: Apache-2.0
"""The gates between a spec and the public, and what those that are not passed hold back."""

from __future__ import annotations

from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.core.checklist import BEFORE_PRODUCTION, IN_PRODUCTION
from eservice_operator.core.facts import Facts
from eservice_operator.core.limit_gate import template_within_limit
from eservice_operator.core.signed import Subject
from eservice_operator.core.unmet import Blocks, Check, Unmet

GATES: tuple[Check, ...] = BEFORE_PRODUCTION
GATES_IN_PRODUCTION: tuple[Check, ...] = (*IN_PRODUCTION, template_within_limit)
MENDED_BY_SPEC = frozenset(
    {
        (Gate.REGISTERED, Reason.ALREADY_TAKEN),
        (Gate.TEMPLATE_SUPPORTED, Reason.TEMPLATE_VERSION_UNKNOWN),
        (Gate.TEMPLATE_SUPPORTED, Reason.TEMPLATE_VERSION_WITHDRAWN),
        (Gate.TEMPLATE_SUPPORTED, Reason.TEMPLATE_VERSION_PRERELEASE),
        (Gate.TEMPLATE_SUPPORTED, Reason.TEMPLATE_OVERDUE),
    }
)
"""What nobody's act brings about: the spec has to name something else."""


def check_all(facts: Facts, subject: Subject) -> tuple[Unmet, ...]:
    """Every gate that the release does not pass, in order; empty when the public may see it."""
    checks = GATES_IN_PRODUCTION if facts.production else GATES
    return tuple(unmet for check in checks if (unmet := check(facts, subject)) is not None)


def blocks_install(gates: tuple[Unmet, ...]) -> bool:
    """Whether a gate before the installation is unmet."""
    return any(unmet.blocks is Blocks.INSTALL for unmet in gates)


def blocks_publish(gates: tuple[Unmet, ...]) -> bool:
    """Whether a gate before the publication is unmet."""
    return any(unmet.blocks is Blocks.PUBLISH for unmet in gates)


def refused(facts: Facts, gates: tuple[Unmet, ...]) -> Unmet | None:
    """The gate that only another spec can pass; what is public already is owed a renewal, not refused."""
    if facts.public_name == facts.wanted.name:
        return None
    return next((unmet for unmet in gates if (unmet.gate, unmet.reason) in MENDED_BY_SPEC), None)
