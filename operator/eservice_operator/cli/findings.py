# SPDX-License-Identifier: Apache-2.0
"""What is found out about one e-service: by deciding anew over the live cluster, or from its status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import click

from eservice_operator.api.decisions import UnpublishDecision, UnpublishDecisionStatus
from eservice_operator.api.eservice import EService, EServiceStatus
from eservice_operator.api.gates import UnmetGate
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.reasons import ConditionType
from eservice_operator.cli.advice import advice
from eservice_operator.cli.advising import UNKNOWN_VERSION, Advice, Case
from eservice_operator.cli.behind import Behind, behind_of, revoked_decision
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body, place_of
from eservice_operator.cli.explained_uses import ExplainedUse, as_judged, as_written
from eservice_operator.cli.holding import UNKNOWN, Prospect
from eservice_operator.cli.holding import document as decision_document
from eservice_operator.cli.rules import SAYS
from eservice_operator.cli.status import lagging
from eservice_operator.cli.world import Live
from eservice_operator.core.access.lacking import fallen_short
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import UseStanding, use_standing
from eservice_operator.core.actions import Outcome
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import decide
from eservice_operator.core.facts import Facts
from eservice_operator.core.holds import foreseen_hold, uninformed_until
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.report import report
from eservice_operator.core.unpublication import governing_decision, judge
from eservice_operator.core.versions import current
from eservice_operator.core.world import World


@dataclass(frozen=True)
class Findings:
    """One e-service: its state as far as it can be known, and how that is known."""

    service: EService
    status: EServiceStatus
    """As decided now, or as the operator wrote it."""
    decided: bool
    """Whether it was decided anew."""
    notes: tuple[str, ...]
    current: str
    """The current version of the template; a placeholder where it cannot be read."""
    decision: tuple[UnpublishDecision, UnpublishDecisionStatus] | None
    days: Days
    prospect: Prospect = UNKNOWN
    """What is known of what becomes of that decision."""
    behind: Behind | None = None
    """How the public release stands to its template; None where that is not known."""
    revoked: UnpublishDecision | None = None
    """The last decision about the public release that the Agency took back, where no other is open."""
    uses: tuple[UseStanding, ...] = ()
    """How each of its uses stands, of releases that run too; empty where that was not found out."""

    @property
    def explained(self) -> tuple[ExplainedUse, ...]:
        """How each of its uses stands: as judged now, or of those in the spec as the operator wrote it."""
        return tuple(as_judged(self.uses, self.status.uses) if self.decided else as_written(self.service))

    @property
    def missing(self) -> tuple[UseStanding, ...]:
        """What the spec asks for and is not granted, or granted and not open."""
        asked = [one for one in self.uses if one.use in self.service.spec.uses]
        return (*(one for one in asked if not one.allowed), *fallen_short(asked))

    def gates(self) -> list[tuple[UnmetGate, str, Advice]]:
        """Each unmet gate, what its rule says, and what to do."""
        today = str(self.days.today)
        return [
            (
                gate,
                SAYS.get(gate.rule, ""),
                advice(gate.gate, Case(self.service, gate.reason, today, self.current, self.missing)),
            )
            for gate in self.status.gates
        ]

    @property
    def preview(self) -> str:
        """Where the candidate can be looked at, or why not, as the operator last wrote it down."""
        status = self.service.status
        refused = find(status.conditions, ConditionType.PREVIEWED)
        return status.preview_url or ("" if refused is None else refused.message)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        namespace, name = self.service.metadata.namespace, self.service.metadata.name
        status = self.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        published: dict[str, Any] = next(
            (one for one in status["conditions"] if one["type"] == "Published"), {}
        )
        return {
            "namespace": namespace,
            "name": name,
            "phase": status.get("phase"),
            "previewURL": self.service.status.preview_url,
            "published": {field: published.get(field) for field in ("status", "reason", "message")},
            "decidedNow": self.decided,
            "notes": list(self.notes),
            "gates": [
                gate.model_dump(mode="json", by_alias=True) | {"ruleSays": says, "toDo": advised.document()}
                for gate, says, advised in self.gates()
            ],
            "decision": None
            if self.decision is None
            else decision_document(*self.decision, self.days, self.prospect),
            "uses": [one.document() for one in self.explained],
            "behind": None if self.behind is None else self.behind.document(),
            "revoked": None if self.revoked is None else _taken_back(self.revoked),
            "next": status.get("next"),
        }


def find_out(body: Body, world: Live) -> Findings:
    """Decide anew where everything that this depends on can be read, and else say what the status says.

    Raises:
        ClickException: the spec cannot be read.
    """
    key = ObjectKey("EService", *place_of(body))
    days = Days(world.now, world.policy.zone)
    notes = [stale] if (stale := lagging(body)) else []
    if world.essential:
        kinds = ", ".join(sorted({one.kind for one in world.essential}))
        notes.append(
            f"you may not list {kinds}, which a decision depends on: this is what the operator last wrote"
            " into the status, not decided anew"
        )
        return _as_written(body, days, notes)
    notes += [one.text for one in world.unread]
    seen = world.observer.eservice(key)
    if not isinstance(seen, World):
        return _as_written(body, days, notes)
    return _as_decided(seen, world, days, notes)


def _as_decided(seen: World, world: Live, days: Days, notes: list[str]) -> Findings:
    policy = replace(world.policy, clock_trusted=not world.clock_doubted)
    decision = decide(seen, world.now, policy)
    status = report(decision, Outcome(()))
    recorded = {gate.gate for gate in seen.service.status.gates}
    if recorded != {gate.gate for gate in status.gates} and seen.service.status.phase is not None:
        notes.append(
            "the operator has not written all of this into the status yet: wait a moment and look again"
        )
    governing = governing_decision(decision.facts)
    template = decision.facts.public_template or seen.service.spec.template
    known = seen.templates.get(template.name)
    newest = None if known is None else current(known.catalogue, decision.facts.today)
    judged = None if governing is None else judge(decision.facts, governing)
    return Findings(
        service=seen.service,
        status=status,
        decided=True,
        notes=tuple(notes),
        current=UNKNOWN_VERSION if newest is None else newest.text,
        decision=None if governing is None or judged is None else (governing, judged),
        days=days,
        prospect=UNKNOWN if governing is None else _prospect(decision.facts, governing),
        behind=behind_of(decision.facts, days),
        revoked=revoked_decision(decision.facts),
        uses=_uses(seen, Times.under(policy, world.now)),
    )


def _uses(seen: World, times: Times) -> tuple[UseStanding, ...]:
    access = seen.access
    return tuple(use_standing(case, access.consumer, times) for case in access.uses)


def _prospect(facts: Facts, governing: UnpublishDecision) -> Prospect:
    judged, foreseen = judge(facts, governing), foreseen_hold(facts, governing)
    at = judged.effective_at
    return Prospect(
        untold_until=None if at is None else uninformed_until(facts, governing, at),
        foreseen="" if foreseen is None else f"{foreseen.reason}, {foreseen.message}",
    )


def _taken_back(decision: UnpublishDecision) -> dict[str, Any]:
    spec = decision.spec.model_dump(mode="json", by_alias=True)
    return {"decision": decision.metadata.name, **spec["revoked"]}


def _as_written(body: Body, days: Days, notes: list[str]) -> Findings:
    service = parse("EService", body)
    if isinstance(service, InvalidObject):
        raise click.ClickException(f"the EService cannot be read, mend its spec: {service}")
    if not isinstance(service, EService):
        raise TypeError(f"an EService was read as {type(service).__name__}")
    return Findings(
        service=service,
        status=service.status,
        decided=False,
        notes=tuple(notes),
        current=UNKNOWN_VERSION,
        decision=None,
        days=days,
    )
