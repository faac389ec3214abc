# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice status``: one e-service on one screen, as the operator last wrote it down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from eservice_operator.cli.clock import now
from eservice_operator.cli.completion import eservice_names
from eservice_operator.cli.dated import Days, distance, held_set, on_day
from eservice_operator.cli.dossier import Body, Dossier, current_decision, gather
from eservice_operator.cli.naming import read_name
from eservice_operator.cli.output import show
from eservice_operator.cli.page import Page
from eservice_operator.cli.plain import condition, part
from eservice_operator.cli.policy import ZONE_OPTION
from eservice_operator.cli.rules import GATES, GATES_ELSEWHERE
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.styles import BAD, FAINT, GOOD, PLAIN, WAITING, phase_style, truth_style
from eservice_operator.cli.text import padded
from eservice_operator.cli.timeline import ahead, past, release_text
from eservice_operator.cli.used import show_uses, used_by

RECENT: Final = 6
GATE_WIDTH: Final = max(len(gate) for gate in GATES)


@click.command(cls=Command)
@click.argument("name", callback=read_name, shell_complete=eservice_names)
@ZONE_OPTION
@click.pass_obj
def command(session: Session, name: str, time_zone: ZoneInfo) -> None:
    """Everything about one e-service on one screen.

    It shows what the operator last wrote into the status; `explain` decides anew. With -o json or yaml the
    objects themselves: the EService and what speaks of it.
    """
    dossier = gather(session.kubectl, name, session.namespace)
    for note in dossier.notes:
        session.note(note)
    if session.machine:
        show(session, document(dossier))
        return
    page(session, dossier, Days(now(), time_zone)).print()


def document(dossier: Dossier) -> dict[str, Any]:
    """The objects that the page is made of, by what they are."""
    return {
        "eService": dossier.service,
        "registration": dossier.registration,
        "template": dossier.template,
        "decisions": list(dossier.decisions),
        "deferrals": list(dossier.deferrals),
        "acceptanceActs": list(dossier.acts),
        "verifications": list(dossier.verifications),
        "grants": list(dossier.grants),
        "agentAssignments": list(dossier.assignments),
        "notReadable": list(dossier.notes),
    }


def page(session: Session, dossier: Dossier, days: Days) -> Page:
    """The whole page."""
    sheet = Page(session)
    _identity(sheet, dossier)
    _releases(sheet, dossier.service, days)
    _gates(sheet, dossier.service, days)
    show_uses(sheet, used_by(dossier), days)
    _lag(sheet, dossier, days)
    _decision(sheet, dossier, days)
    _notices(sheet, dossier, days)
    _timeline(sheet, dossier, days)
    return sheet


def lagging(service: Body) -> str:
    """What to know of a status that does not speak of the spec as it is; empty when it does."""
    observed, generation = (
        part(service, "status", "observedGeneration"),
        part(service, "metadata", "generation"),
    )
    if not isinstance(observed, int) or observed < 0:
        return "no operator has looked at it yet: what follows is only what was asked for"
    if isinstance(generation, int) and observed < generation:
        return (
            f"the status speaks of generation {observed}, the spec is at {generation}: it may be out of date"
        )
    return ""


def _identity(sheet: Page, dossier: Dossier) -> None:
    service = dossier.service
    status, spec = part(service, "status") or {}, part(service, "spec") or {}
    namespace, name = dossier.place
    sheet.heading(f"{namespace}/{name}")
    if stale := lagging(service):
        sheet.paragraph(f"! {stale}", style=WAITING)
    phase, published = str(status.get("phase") or "Unseen"), condition(service, "Published")
    sheet.labelled("Phase", phase, phase_style(phase))
    told = " ".join(str(published.get(field) or "") for field in ("status", "reason")).strip()
    sheet.labelled("Published", told or "Unknown", truth_style(str(published.get("status"))))
    sheet.labelled("", published.get("message"))
    sheet.labelled("URL", status.get("publicURL"))
    for limit in ("RouteSupported", "HostProtected"):
        sheet.labelled("But", condition(service, limit).get("message"), WAITING)
    sheet.labelled("Preview", status.get("previewURL") or condition(service, "Previewed").get("message"))
    sheet.labelled("Environment", spec.get("environment"))
    title = part(dossier.registration or {}, "spec", "title") or {}
    identifier = " ".join(str(text) for text in (status.get("identifier"), title.get("lv")) if text)
    sheet.labelled("Identifier", identifier)
    sheet.labelled("Registration", spec.get("registration"))
    institution = part(dossier.registration or {}, "spec", "institution") or {}
    contacts = [str(one.get("email")) for one in institution.get("contacts") or () if one.get("email")]
    sheet.labelled("Institution", " ".join([str(institution.get("name") or ""), ", ".join(contacts)]).strip())


def _releases(sheet: Page, service: Body, days: Days) -> None:
    sheet.heading("Releases")
    public, candidate = (part(service, "status", "release", which) for which in ("public", "candidate"))
    sheet.labelled("Public", release_text(public) if public else "none yet")
    sheet.labelled("Candidate", release_text(candidate) if candidate else "")
    wanted = {
        "template": part(service, "spec", "template"),
        "image": part(service, "spec", "release", "image"),
    }
    text = release_text(wanted)
    if text not in {release_text(one) for one in (public, candidate) if one}:
        sheet.labelled("Asked for", text)
    installation = part(service, "status", "installation") or {}
    sheet.labelled("Installed", installation.get("installedAt") and days.local(installation["installedAt"]))
    if not installation.get("installedAt"):
        sheet.labelled("Install by", on_day(installation.get("dueBy"), days))


def _gates(sheet: Page, service: Body, days: Days) -> None:
    sheet.heading("Gates of the release that the spec names")
    unmet = {gate.get("gate"): gate for gate in part(service, "status", "gates") or ()}
    binding = GATES if part(service, "spec", "environment") == "Production" else GATES_ELSEWHERE
    seen = bool(part(service, "status", "phase"))
    for gate in [*binding, *(str(other) for other in unmet if other not in binding)]:
        missing = unmet.get(gate)
        if missing is None:
            sheet.line(f"  {'✓' if seen else '?'} {gate}", GOOD if seen else FAINT)
            continue
        owner, rule = missing.get("owner"), missing.get("rule")
        since = on_day(missing.get("since"), days)
        sheet.line(f"  ✗ {padded(gate, GATE_WIDTH)}  {owner}, {rule}, since {since}", BAD)
        sheet.paragraph(missing.get("message"), indent=" " * 4)


def _lag(sheet: Page, dossier: Dossier, days: Days) -> None:
    used = part(dossier.service, "status", "template") or part(dossier.service, "spec", "template") or {}
    sheet.heading("Template")
    sheet.labelled("In use", " ".join(str(used.get(field) or "") for field in ("name", "version")))
    current = part(dossier.template or {}, "status", "currentVersion")
    lifecycle = part(dossier.template or {}, "spec", "lifecycle") or {}
    sheet.labelled("Current", current)
    policy = [
        str(lifecycle[field]) for field in ("enforcement", "lagMeasure", "maximumLag") if field in lifecycle
    ]
    sheet.labelled("Policy", ", ".join(policy))
    sheet.labelled("Notice", _notice(lifecycle))
    sheet.labelled("Migrate by", on_day(used.get("migrateBy"), days))
    sheet.labelled("Overdue from", on_day(used.get("overdueSince"), days))
    held = f", held: {used['heldBy']}" if used.get("heldBy") else ""
    at = on_day(used.get("unpublishAt"), days)
    sheet.labelled("Unpublish at", at and f"{at}{held}", BAD)
    if current and current == used.get("version"):
        sheet.labelled("", "it is the current version: nothing is due")


def _notice(lifecycle: Mapping[str, Any]) -> str:
    """The least time between telling an institution and unpublishing, and what none of it means."""
    period = str(lifecycle.get("noticePeriod") or "")
    if (
        not period
        or lifecycle.get("enforcement") != "Enforce"
        or any(digit in period for digit in "123456789")
    ):
        return period
    return f"{period}: what becomes overdue is off as soon as it is told, unless something delays it"


def _decision(sheet: Page, dossier: Dossier, days: Days) -> None:
    decision = current_decision(dossier)
    if decision is None:
        return
    spec, status = part(decision, "spec") or {}, part(decision, "status") or {}
    sheet.heading("Decision under R8")
    sheet.labelled("Record", f"UnpublishDecision {part(decision, 'metadata', 'name')}")
    state = str(status.get("state") or "Scheduled")
    reason = str(status.get("reason") or state)
    sheet.labelled("State", state if reason == state else f"{state}: {reason}", _state_style(state))
    sheet.labelled("", status.get("message"))
    sheet.labelled("Promised", days.local(spec.get("effectiveAt")))
    if state != "Closed":
        sheet.labelled("Takes effect", days.local(status.get("effectiveAt") or spec.get("effectiveAt")))
    sheet.labelled("Deferred to", on_day(status.get("deferredUntil"), days))
    sheet.labelled("Held set", held_set(status.get("holdToken"), status.get("releasedAt"), days))
    sheet.labelled("Informed", status.get("informedAt") and days.local(status["informedAt"]))
    fairness = status.get("fairness") or {}
    sheet.labelled("Waits until", on_day(fairness.get("until"), days))
    if len(dossier.decisions) > 1:
        sheet.labelled("", f"{len(dossier.decisions)} decisions in all: see history")


def _state_style(state: str) -> Mapping[str, Any]:
    return {"Effective": BAD, "Closed": GOOD}.get(state, WAITING)


def _notices(sheet: Page, dossier: Dossier, days: Days) -> None:
    told = [
        notice
        for obj in (dossier.service, *dossier.decisions)
        for notice in part(obj, "status", "notices") or ()
    ]
    if not told:
        return
    sheet.heading("Notices")
    for notice in sorted(told, key=lambda one: str(one.get("at")))[-RECENT:]:
        text = f"{notice.get('kind')} by {notice.get('channel')} to {notice.get('recipient')}"
        state = notice.get("state")
        error = f": {notice['error']}" if notice.get("error") else ""
        style = {"Failed": BAD, "Sent": PLAIN}.get(str(state), WAITING)
        sheet.dated(days.local(notice.get("at")), f"{text}, {state}{error}", style)


def _timeline(sheet: Page, dossier: Dossier, days: Days) -> None:
    sheet.heading("What was, and what comes")
    happened = [entry for entry in past(dossier, days) if not entry.is_notice]
    if len(happened) > RECENT:
        namespace, name = dossier.place
        earlier = f"{len(happened) - RECENT} earlier: kubectl eservice history {name} -n {namespace}"
        sheet.line(f"  … {earlier}", FAINT)
    for entry in happened[-RECENT:]:
        sheet.dated(days.local(entry.at), entry.text)
    sheet.dated(days.local(days.now), "now", FAINT)
    for entry in ahead(dossier, days):
        day = days.day(entry.at)
        rule = f", {entry.rule}" if entry.rule else ""
        left = "" if day is None else f" ({distance(day, days)})"
        sheet.dated(days.local(entry.at), f"{entry.text}{rule}{left}")
