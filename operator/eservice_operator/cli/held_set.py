# SPDX-License-Identifier: Apache-2.0
"""R8: the sets that the brake holds, and what their release comes to for each e-service in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.api.parse import parse
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body
from eservice_operator.cli.fates import ALWAYS_TOLD, WORDS, Fate, Fates, Member
from eservice_operator.cli.plain import part
from eservice_operator.core.held import is_held
from eservice_operator.core.recorded import recorded_ground

RECALL: Final = "a recall"
"""What made a release overdue that no other version did."""


@dataclass(frozen=True)
class HeldSet:
    """A set of decisions under one token."""

    token: str
    since: str
    count: int
    members: tuple[Member, ...]
    """None of them where decisions may not be listed."""
    names: tuple[str, ...] = ()
    """Names of decisions, where nothing but the template's status tells of them."""

    def counted(self) -> str:
        """``57 now, 2 later, 1 not public``; empty where its members may not be read."""
        if not self.members:
            return ""
        counts = Counter(member.fate for member in self.members)
        return ", ".join(
            f"{counts[fate]} {WORDS[fate]}" for fate in Fate if counts[fate] or fate in ALWAYS_TOLD
        )

    def having(self, fate: Fate) -> int:
        """How many of its members have that fate."""
        return sum(member.fate is fate for member in self.members)

    @property
    def causes(self) -> str:
        """``4.0.0 (6), their own recall (1)``: what made its members overdue; empty where none are known."""
        counts = Counter(recorded_ground(member.decision).caused_by or RECALL for member in self.members)
        return ", ".join(f"{cause} ({count})" for cause, count in sorted(counts.items()))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        counts = Counter(member.fate for member in self.members)
        return {
            "token": self.token,
            "since": self.since,
            "count": self.count,
            "onRelease": {fate.value[0].lower() + fate.value[1:]: counts[fate] for fate in Fate}
            if self.members
            else None,
            "members": [_document(member) for member in self.members],
            "decisions": [member.decision.metadata.name for member in self.members] or list(self.names),
        }


def _document(member: Member) -> dict[str, Any]:
    spec, status, ground = member.decision.spec, member.decision.status, recorded_ground(member.decision)
    written = status.model_dump(mode="json", by_alias=True)
    found = {
        "namespace": spec.e_service.namespace,
        "name": spec.e_service.name,
        "version": spec.release.template.version,
        "decision": member.decision.metadata.name,
        "overdueSince": str(ground.overdue_since),
        "causedBy": ground.caused_by,
        "heldSince": written["heldSince"],
        "onRelease": member.fate.value,
        "at": written["effectiveAt"] if member.at is not None else None,
        "why": member.why,
    }
    return {field: value for field, value in found.items() if value is not None}


def held_sets(
    template: Body, decisions: Iterable[Body] | None, services: Sequence[Body] | None, days: Days
) -> tuple[HeldSet, ...]:
    """The sets of a template that are not let go, the oldest first.

    ``decisions`` and ``services`` are None where they may not be listed; then the template's status alone
    says which sets there are, or nothing is known of who is public. Where decisions can be read they are
    the truth: the status follows them.
    """
    listed = {str(one.get("token")): one for one in part(template, "status", "held") or ()}
    if decisions is None:
        found = [
            HeldSet(
                token,
                str(one.get("since")),
                int(one.get("count") or 0),
                (),
                tuple(one.get("decisions") or ()),
            )
            for token, one in listed.items()
        ]
        return tuple(sorted(found, key=lambda one: (one.since, one.token)))
    fates = Fates(template, services, days)
    members: dict[str, list[Member]] = {}
    for decision in _held(decisions, str(part(template, "metadata", "name"))):
        members.setdefault(str(decision.status.hold_token), []).append(fates.of(decision))
    sets = []
    for token, those in members.items():
        first = min(one.decision.status.held_since or one.decision.spec.decided_at for one in those)
        since = str(part(listed.get(token, {}), "since") or first.isoformat().replace("+00:00", "Z"))
        sets.append(HeldSet(token, since, len(those), tuple(sorted(those, key=_rank))))
    return tuple(sorted(sets, key=lambda one: (one.since, one.token)))


def _held(decisions: Iterable[Body], template: str) -> Iterable[UnpublishDecision]:
    for body in decisions:
        named = part(body, "spec", "release", "template", "name")
        if named != template or not part(body, "status", "holdToken"):
            continue
        read = parse(UnpublishDecision.__name__, body)
        if isinstance(read, UnpublishDecision) and is_held(read):
            yield read


def _rank(member: Member) -> tuple[int, str, str, str]:
    place = member.decision.spec.e_service
    at = "" if member.at is None else member.at.isoformat()
    return list(Fate).index(member.fate), at, place.namespace, place.name
