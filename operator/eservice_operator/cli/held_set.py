# SPDX-License-Identifier: Apache-2.0
"""R8: the sets that the brake holds, and what their release comes to for each e-service in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from eservice_operator.api.decisions import DecisionState, UnpublishDecision
from eservice_operator.api.parse import parse
from eservice_operator.api.reasons import Reason
from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body, place_of
from eservice_operator.cli.plain import condition, part
from eservice_operator.core.held import is_held


class Fate(StrEnum):
    """What the release of its set comes to for an e-service."""

    NOW = "Now"
    LATER = "Later"
    """It is deferred, or its instant has not come."""
    WAITS = "Waits"
    """Something beside the brake holds it."""
    NOT_PUBLIC = "NotPublic"
    """It is not published now: nothing changes for the public."""


WORDS: Final = {
    Fate.NOW: "now",
    Fate.LATER: "later",
    Fate.WAITS: "held for another reason",
    Fate.NOT_PUBLIC: "not public",
}
ALWAYS_TOLD: Final = (Fate.NOW, Fate.LATER, Fate.NOT_PUBLIC)


class Member(NamedTuple):
    """A decision that the brake holds."""

    decision: UnpublishDecision
    fate: Fate
    why: str
    """What delays it, or keeps it from the public."""
    at: datetime | None
    """The instant to come at which it takes effect once released; None at once, or where no day is known."""
    gone: bool
    """Whether no e-service is left that it is about, so that the operator notes no release of it."""


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
    spec, status = member.decision.spec, member.decision.status
    written = status.model_dump(mode="json", by_alias=True)
    found = {
        "namespace": spec.e_service.namespace,
        "name": spec.e_service.name,
        "version": spec.release.template.version,
        "decision": member.decision.metadata.name,
        "overdueSince": str(spec.overdue_since),
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
    known = None if services is None else _by_registration(services)
    members: dict[str, list[Member]] = {}
    for decision in _held(decisions, str(part(template, "metadata", "name"))):
        members.setdefault(str(decision.status.hold_token), []).append(_member(decision, known, days))
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


def _by_registration(services: Sequence[Body]) -> dict[tuple[str, str], list[Body]]:
    found: dict[tuple[str, str], list[Body]] = {}
    for service in services:
        standing = str(part(service, "spec", "registration")), str(part(service, "spec", "environment"))
        found.setdefault(standing, []).append(service)
    return found


def _rank(member: Member) -> tuple[int, str, str, str]:
    place = member.decision.spec.e_service
    at = "" if member.at is None else member.at.isoformat()
    return list(Fate).index(member.fate), at, place.namespace, place.name


def _member(
    decision: UnpublishDecision, services: Mapping[tuple[str, str], Sequence[Body]] | None, days: Days
) -> Member:
    spec, status = decision.spec, decision.status
    if services is not None:
        rivals = services.get((spec.registration, spec.environment.value), ())
        place = spec.e_service.namespace, spec.e_service.name
        service = next((one for one in rivals if place_of(one) == place), next(iter(rivals), None))
        if service is None:
            return Member(decision, Fate.NOT_PUBLIC, "the e-service is gone", None, gone=True)
        if condition(service, "Published").get("status") != "True":
            phase = str(part(service, "status", "phase") or "no phase yet")
            return Member(decision, Fate.NOT_PUBLIC, phase, None, gone=False)
    at = status.effective_at or spec.effective_at
    if at > days.now:
        text = "" if status.deferred_until is None else f"deferred until {status.deferred_until}"
        return Member(decision, Fate.LATER, text, at, gone=False)
    if status.state is DecisionState.HELD and status.reason != Reason.BRAKE:
        return Member(decision, Fate.WAITS, status.message or status.reason or "", None, gone=False)
    return Member(decision, Fate.NOW, "", None, gone=False)
