# SPDX-License-Identifier: Apache-2.0
"""What happened to one e-service, and what is dated to come, as one list in the order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Body, Dossier
from eservice_operator.cli.plain import part

NOTICE: Final = "Notice"
GRAVEST_FIRST: Final = ("Failed", "Retrying", "Sending", "Superseded", "Sent")
FEW: Final = 3
"""Recipients that are named where all is well."""
TOLD_ELSEWHERE: Final = frozenset({"MigrationDue", "InstallationOverdue"})
"""Next actions that a date of the status tells already."""


class Entry(NamedTuple):
    """Something that happened, or will."""

    at: str
    """An instant (RFC 3339) or a day, as it was recorded."""
    what: str
    """One word, such as Published or UnpublishScheduled."""
    text: str
    """What happened, for people."""
    source: str
    """The object that says so: ``Kind name``."""
    rule: str = ""

    @property
    def is_notice(self) -> bool:
        """Whether it is about whom the operator told."""
        return self.what.startswith(NOTICE)

    def document(self) -> dict[str, str]:
        """As JSON."""
        return {field: value for field, value in self._asdict().items() if value}


def past(dossier: Dossier, days: Days, *, grouped: bool = False) -> list[Entry]:
    """Everything that is recorded, the oldest first; ``grouped`` has one entry for what several were told."""
    told = grouped_notices if grouped else each_notice
    entries = [
        *_phases(dossier.service),
        *told(dossier.service, "EService"),
        *(entry for one in dossier.acts for entry in _act(one)),
        *(entry for one in dossier.verifications for entry in _verification(one)),
        *(entry for one in dossier.deferrals for entry in _deferral(one)),
        *(entry for one in dossier.decisions for entry in _decision(one)),
    ]
    if dossier.registration is not None:
        entries += told(dossier.registration, "EServiceRegistration")
    for one in dossier.decisions:
        entries += told(one, "UnpublishDecision")
    happened = [entry for entry in entries if _when(entry, days) <= days.now.isoformat()]
    return sorted(happened, key=lambda entry: (_when(entry, days), _rank(entry), entry.source))


def _rank(entry: Entry) -> int:
    """Within one second: what people wrote, what was decided, what came of it, who was told."""
    if entry.is_notice:
        return 3
    kind = entry.source.partition(" ")[0]
    return {"EService": 2, "UnpublishDecision": 1}.get(kind, 0)


def _when(entry: Entry, days: Days) -> str:
    """Sort key: instants in UTC, a day as its beginning."""
    at = days.instant(entry.at)
    if at is not None:
        return at.astimezone(days.now.tzinfo).isoformat()
    day = days.day(entry.at)
    return "" if day is None else day.isoformat()


def _named(obj: Body, kind: str) -> str:
    return f"{kind} {part(obj, 'metadata', 'name')}"


def _phases(service: Body) -> Iterator[Entry]:
    for change in part(service, "status", "history") or ():
        reason = str(change.get("reason", ""))
        text = f"phase {change.get('phase')}" + (f" ({reason})" if reason != change.get("phase") else "")
        yield Entry(str(change.get("at")), str(change.get("phase")), text, _named(service, "EService"))


def each_notice(obj: Body, kind: str) -> Iterator[Entry]:
    """An entry for each recipient."""
    for notice in part(obj, "status", "notices") or ():
        error = f": {notice['error']}" if notice.get("error") else ""
        text = (
            f"notice {notice.get('kind')} by {notice.get('channel')} to {notice.get('recipient')}"
            f" is {notice.get('state')}{_about(notice)}{error}"
        )
        yield Entry(str(notice.get("at")), f"{NOTICE}{notice.get('state')}", text, _named(obj, kind))


def grouped_notices(obj: Body, kind: str) -> Iterator[Entry]:
    """An entry for each kind of notice that was entered at one instant, with what became of it for each."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for notice in part(obj, "status", "notices") or ():
        key = tuple(str(notice.get(field)) for field in ("kind", "entered", "due"))
        groups.setdefault(key, []).append(notice)
    for group in groups.values():
        states = Counter(str(notice.get("state")) for notice in group)
        gravest = next((state for state in GRAVEST_FIRST if state in states), next(iter(states)))
        told = ", ".join(f"{state} to {_recipients(group, state)}" for state in states)
        text = f"notice {group[0].get('kind')}{_about(group[0])}: {told}"
        at = max(str(notice.get("at")) for notice in group)
        yield Entry(at, f"{NOTICE}{gravest}", text, _named(obj, kind))


def _recipients(group: Iterable[Mapping[str, Any]], state: str) -> str:
    """Who they are, with the error of each; of many that have none only how many."""
    found = [
        f"{one.get('recipient')}" + (f" ({one['error']})" if one.get("error") else "")
        for one in group
        if str(one.get("state")) == state
    ]
    return f"{len(found)} recipients" if state == "Sent" and len(found) > FEW else ", ".join(found)


def _about(notice: Mapping[str, Any]) -> str:
    return f", about {notice['due']}" if notice.get("due") else ""


def _act(act: Body) -> Iterator[Entry]:
    spec, source = part(act, "spec") or {}, _named(act, "AcceptanceAct")
    signed = ", ".join(
        f"{one.get('name')} ({one.get('organisation')})" for one in spec.get("signatories") or ()
    )
    text = f"acceptance act for {release_text(spec)} signed by {signed}"
    yield Entry(str(spec.get("signedAt")), "Accepted", text, source, "R2")
    yield from _revoked(spec, source, "acceptance act revoked", "R2")


def _verification(verification: Body) -> Iterator[Entry]:
    spec, source = part(verification, "spec") or {}, _named(verification, "ProductionVerification")
    notes = f": {spec['notes']}" if spec.get("notes") else ""
    text = f"verification of {release_text(spec)} by {spec.get('verifiedBy')}: {spec.get('outcome')}{notes}"
    yield Entry(str(spec.get("verifiedAt")), f"Verification{spec.get('outcome')}", text, source, "R6")


def _deferral(deferral: Body) -> Iterator[Entry]:
    spec, source = part(deferral, "spec") or {}, _named(deferral, "UnpublishDeferral")
    ticket = f" ({spec['ticket']})" if spec.get("ticket") else ""
    text = (
        f"unpublication deferred until {spec.get('until')}, approved by {spec.get('approvedBy')}{ticket}:"
        f" {spec.get('reason')}"
    )
    yield Entry(str(part(deferral, "metadata", "creationTimestamp")), "Deferred", text, source, "R8")
    yield from _revoked(spec, source, "deferral revoked", "R8")


def _revoked(spec: Mapping[str, Any], source: str, what: str, rule: str) -> Iterator[Entry]:
    revoked = spec.get("revoked")
    if revoked:
        yield Entry(str(revoked.get("at")), "Revoked", f"{what}: {revoked.get('reason')}", source, rule)


def _decision(decision: Body) -> Iterator[Entry]:
    spec, status = part(decision, "spec") or {}, part(decision, "status") or {}
    source = _named(decision, "UnpublishDecision")
    template = part(spec, "release", "template") or {}
    text = (
        f"unpublication of {template.get('name')} {template.get('version')} decided, overdue since"
        f" {spec.get('overdueSince')}"
    )
    replaced = part(spec, "replaces", "name")
    text += f", in the place of {replaced}" if replaced else ""
    text += ", which was deleted" if part(spec, "replaces", "overdueSince") else ""
    yield Entry(str(spec.get("decidedAt")), "UnpublishDecided", text, source, "R8")
    yield from _ground(status.get("ground"), str(template.get("version")), source)
    steps = (
        ("informedAt", "Informed", "a channel accepted a notice of it to the institution"),
        ("heldSince", "Held", f"held by the brake with the token {status.get('holdToken')}"),
        ("releasedAt", "BrakeReleased", "the Agency released the held set"),
        ("effectiveSince", "Unpublished", "took effect: off the public route"),
        ("closedAt", "DecisionClosed", str(status.get("message") or status.get("reason"))),
    )
    for name, what, said in steps:
        if status.get(name):
            yield Entry(str(status[name]), what, said, source, "R8")
    if not status.get("closedAt"):
        yield from _revoked(spec, source, "decision revoked by the Agency", "R8")


def _ground(ground: Mapping[str, Any] | None, used: str, source: str) -> Iterator[Entry]:
    """That another ground was recorded later than the decision."""
    if not ground:
        return
    cause = ground.get("causedBy")
    why = (
        f"{used} lags behind {cause} by more than {ground.get('maximumLag')}"
        if cause
        else f"{used} is recalled"
    )
    text = f"goes on for another reason: {why}, overdue since {ground.get('overdueSince')}"
    yield Entry(str(ground.get("since")), "GroundRecorded", text, source, "R8")


def release_text(spec: Mapping[str, Any]) -> str:
    """A release in few words: the template version, and enough of the digest to tell it apart."""
    template, image = spec.get("template") or {}, str(spec.get("image") or "")
    repository, at, digest = image.partition("@")
    short = f"{repository}{at}{digest[: len('sha256:') + 12]}"
    return f"{template.get('name')} {template.get('version')}, {short}"


def _told_elsewhere(following: Mapping[str, Any], template: Mapping[str, Any], days: Days) -> bool:
    """Whether a date of the status tells it: for what is held, that of the unpublication has passed."""
    if following.get("action") == "Unpublish":
        return days.day(following.get("at")) == days.day(template.get("unpublishAt"))
    return following.get("action") in TOLD_ELSEWHERE


def ahead(dossier: Dossier, days: Days) -> list[Entry]:
    """What is dated to come, the soonest first."""
    status = part(dossier.service, "status") or {}
    source = _named(dossier.service, "EService")
    template, installation = status.get("template") or {}, status.get("installation") or {}
    dated = [
        ("MigrateBy", template.get("migrateBy"), "last day for migrating to a higher version", "R7"),
        ("Overdue", template.get("overdueSince"), "first day on which the lag exceeds the maximum", "R8"),
        ("Unpublish", template.get("unpublishAt"), "first day without the public route", "R8"),
        (
            "InstallBy",
            None if installation.get("installedAt") else installation.get("dueBy"),
            "last of the ten working days for installing",
            "R5",
        ),
    ]
    entries = [Entry(str(at), what, text, source, rule) for what, at, text, rule in dated if at]
    following = status.get("next")
    if following and not _told_elsewhere(following, template, days):
        entries.append(Entry(str(following["at"]), str(following["action"]), str(following["why"]), source))
    coming = [entry for entry in entries if (day := days.day(entry.at)) is not None and day >= days.today]
    return sorted(coming, key=lambda entry: _when(entry, days))
