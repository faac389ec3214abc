# SPDX-License-Identifier: Apache-2.0
"""Why an e-service is where it is, who owes what, and what to run: the page of ``explain``."""

from __future__ import annotations

from typing import Final

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.gates import UnmetGate
from eservice_operator.api.reasons import ConditionType, Gate
from eservice_operator.cli.advising import Advice
from eservice_operator.cli.clock import now
from eservice_operator.cli.dated import held_set, on_day
from eservice_operator.cli.dossier import Body, place_of
from eservice_operator.cli.explained_uses import show_explained
from eservice_operator.cli.findings import Findings, find_out
from eservice_operator.cli.holding import meaning, to_do, to_run
from eservice_operator.cli.output import as_yaml, show
from eservice_operator.cli.page import Page
from eservice_operator.cli.policy import Setup
from eservice_operator.cli.session import Session
from eservice_operator.cli.styles import BAD, FAINT, GOOD, WAITING, phase_style
from eservice_operator.cli.world import live
from eservice_operator.core.conditions import find
from eservice_operator.core.recorded import ground_as_judged, recorded_ground

COMMAND: Final = "$ "


def explain(session: Session, body: Body, setup: Setup) -> None:
    """Find out about an EService, and print it."""
    namespace, _ = place_of(body)
    findings = find_out(body, live(session.kubectl, setup, now(), namespace))
    if session.machine:
        show(session, findings.document())
        return
    page(session, findings).print()


def page(session: Session, findings: Findings) -> Page:
    """The whole page."""
    sheet = Page(session)
    _state(sheet, findings)
    _gates(sheet, findings)
    show_explained(sheet, findings.explained, findings.service.spec.uses, findings.days)
    _behind(sheet, findings)
    _decision(sheet, findings)
    _revoked(sheet, findings)
    _next(sheet, findings)
    return sheet


def _state(sheet: Page, findings: Findings) -> None:
    metadata, status = findings.service.metadata, findings.status
    phase = "Unseen" if status.phase is None else status.phase.value
    sheet.heading(f"{metadata.namespace}/{metadata.name}")
    for note in findings.notes:
        sheet.paragraph(f"! {note}", style=WAITING)
    sheet.labelled("Phase", phase, phase_style(phase))
    published = find(status.conditions, ConditionType.PUBLISHED)
    if published is None:
        return
    public = published.status is ConditionStatus.TRUE
    told = f"yes: {status.public_url}" if public else f"no: {published.reason}"
    sheet.labelled("Public", told, GOOD if public else BAD)
    if not public:
        sheet.labelled("", published.message)
    sheet.labelled("Preview", findings.preview)


def _gates(sheet: Page, findings: Findings) -> None:
    gates = findings.gates()
    template = findings.service.spec.template
    sheet.heading(
        f"Every gate of {template.name} {template.version} is passed"
        if not gates and findings.status.phase is not None
        else f"Not passed: {len(gates)} of the gates of {template.name} {template.version}"
    )
    for gate, says, advised in gates:
        _gate(sheet, findings, gate, says, advised)


def _gate(sheet: Page, findings: Findings, gate: UnmetGate, says: str, advised: Advice) -> None:
    sheet.line("")
    sheet.line(f"  ✗ {gate.gate} ({gate.reason})", BAD)
    sheet.labelled("Missing", gate.message)
    sheet.labelled(
        "Owed by", f"{gate.owner}, before it is {'installed' if gate.blocks == 'Install' else 'public'}"
    )
    sheet.labelled("Since", on_day(gate.since, findings.days))
    sheet.labelled(f"Rule {gate.rule}", f"“{says}”", FAINT)
    sheet.labelled("To do", advised.do)
    sheet.verbatim([COMMAND + run for run in advised.run])
    if advised.write:
        sheet.line(f"    write into {advised.into}:" if advised.into else "    write:", FAINT)
        sheet.verbatim(as_yaml(advised.write).splitlines(), indent=" " * 6)


def _decision(sheet: Page, findings: Findings) -> None:
    lag = findings.status.template
    if findings.decision is None:
        if lag.decision is not None:
            sheet.heading(f"UnpublishDecision {lag.decision}")
            sheet.labelled("Unpublish at", on_day(lag.unpublish_at, findings.days))
            sheet.labelled("", "its record was not read")
        return
    decision, judged = findings.decision
    ground = ground_as_judged(decision, judged)
    reason = "" if judged.reason in {None, judged.state.value} else f" ({judged.reason})"
    sheet.heading(f"UnpublishDecision {decision.metadata.name}: {judged.state.value}{reason}")
    sheet.labelled("Means", meaning(judged, findings.days, findings.prospect))
    sheet.labelled("Overdue since", str(ground.overdue_since))
    promised = findings.days.local(decision.spec.effective_at)
    sheet.labelled("Promised", f"{promised}: it never moves earlier, whatever is edited")
    sheet.labelled("Held set", held_set(judged.hold_token, judged.released_at, findings.days))
    sheet.labelled("To do", to_do(judged))
    sheet.verbatim([COMMAND + run for run in to_run(decision, judged)])


def _behind(sheet: Page, findings: Findings) -> None:
    """R7, R8: what the lag of the public release comes to, also where nothing is decided about it."""
    behind = findings.behind
    if behind is None or not behind.says:
        return
    now = f"; {behind.current} is current" if behind.current else ""
    sheet.heading(f"In public use: {behind.release}{now}")
    for said in behind.says:
        sheet.labelled(f"Rule {said.rule}", said.text)
    if Gate.TEMPLATE_WITHIN_LIMIT not in {gate.gate for gate in findings.status.gates}:  # which says so too
        sheet.labelled("To do", behind.to_do)


def _revoked(sheet: Page, findings: Findings) -> None:
    """A decision that was taken back: why nothing is decided though the release is overdue."""
    taken = findings.revoked
    if taken is None or taken.spec.revoked is None:
        return
    sheet.heading(f"UnpublishDecision {taken.metadata.name}: Closed (Revoked)")
    sheet.labelled("Revoked", f"by the Agency on {taken.spec.revoked.at}: {taken.spec.revoked.reason}")
    cause = recorded_ground(taken).caused_by
    because = "its recall" if cause is None else cause
    sheet.labelled("Means", f"it is not decided so again because of {because}; because of another it can be")


def _next(sheet: Page, findings: Findings) -> None:
    following = findings.status.next
    sheet.heading("Next by itself")
    if following is None:
        sheet.paragraph("nothing that is dated")
        return
    sheet.paragraph(f"{on_day(following.at, findings.days)}: {following.action}. {following.why}")
