# SPDX-License-Identifier: Apache-2.0
"""What the rules say of the e-services in files, as if the releases that they name were public.

The same decisions as the operator's, over a store that holds the files: a scene that is lived through from
the day asked about to the end of the span. The brake is left out, since a folder is no fleet, and so is
everything that only a cluster knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from eservice_operator.api.eservice import EService
from eservice_operator.api.gates import GateOwner
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cli.check_assuming import as_running
from eservice_operator.cli.check_reading import Document
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import day_after_end, local_day, start_of_day
from eservice_operator.core.facts import Facts
from eservice_operator.core.gates import check_all
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.lag import Lag
from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import release_name
from eservice_operator.core.signed import Subject
from eservice_operator.core.simulated_cluster import Scene
from eservice_operator.core.simulation import Simulation
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.unpublication import governing_decision, is_open
from eservice_operator.core.versions import current
from eservice_operator.core.world import TemplateWorld, World

NO_BRAKE: Final = 100_000
OF_THE_SPEC: Final = frozenset({Gate.DELIVERY_COMPLETE, Gate.CATALOGUED})
"""Gates that the institution passes in the spec itself."""
NEVER_LIVE: Final = frozenset({Reason.TEMPLATE_VERSION_WITHDRAWN, Reason.TEMPLATE_VERSION_PRERELEASE})


class Severity(StrEnum):
    """How grave a finding is."""

    ERROR = "error"
    UNPUBLISH = "unpublish"
    DUTY = "duty"
    WARNING = "warning"
    """Allowed, and probably not meant; with ``--strict`` it fails."""
    NOTE = "note"


class Judged(NamedTuple):
    """What is to be said of one e-service."""

    severity: Severity
    path: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class Span:
    """The days that are asked about."""

    first: date
    last: date


def as_public(document: Document, number: int, namespace: str) -> Manifest:
    """The document as the store takes it; an EService as if the release that it names were public."""
    body = dict(document.body)
    metadata = dict(body["metadata"])
    kind = BY_KIND[body["kind"]]
    if kind.namespaced:
        metadata.setdefault("namespace", namespace)
    else:
        metadata.pop("namespace", None)
    body["metadata"] = metadata | {
        "uid": f"document-{number}",
        "resourceVersion": str(number),
        "generation": 1,
    }
    if kind.model is EService:
        service = EService.model_validate(body | {"status": {}})
        spec = service.spec
        public = {
            "name": release_name(spec.release.image, spec.template),
            "image": spec.release.image,
            "template": {"name": spec.template.name, "version": spec.template.version},
        }
        body["status"] = {"observedGeneration": 1, "release": {"public": public}}
    return body


class Court:
    """The e-services of a store, judged for a span of days."""

    def __init__(self, store: Store, policy: Policy, span: Span) -> None:
        self.span, self.policy = span, policy
        observer = Observer(store, policy)
        found = [observer.eservice(key_of(body)) for body in store.all(EService.__name__)]
        templates = [observer.template(key_of(body)) for body in store.all(EServiceTemplate.__name__)]
        self._worlds = {_key(world): as_running(world) for world in found if isinstance(world, World)}
        scene = Scene(
            tuple(self._worlds.values()),
            tuple(_unbraked(world) for world in templates if isinstance(world, TemplateWorld)),
        )
        start = start_of_day(span.first, policy.zone)
        self._end = day_after_end(span.last, policy.zone) - timedelta(seconds=1)
        self._simulation = Simulation(scene, start, policy)
        self._simulation.run(self._end)

    def judge(self, key: ObjectKey) -> Iterator[Judged]:
        """Everything to be said of one EService."""
        start = Facts(self._worlds[key], start_of_day(self.span.first, self.policy.zone), self.policy)
        template = start.wanted.template
        known = start.world.templates.get(template.name)
        if known is None:
            text = f"EServiceTemplate {template.name} is not among the files: give it with -f as well"
            yield Judged(Severity.ERROR, "spec.template.name", "R8", text)
            return
        lag = start.lag(template)
        if lag is None:
            text = f"EServiceTemplate {template.name} has no version {template.version}"
            yield Judged(Severity.ERROR, "spec.template.version", "R8", text)
            return
        end = Facts(self._simulation.cluster.world((key.namespace, key.name)), self._end, self.policy)
        yield from self._template(start, end, lag)
        yield from _gates(start)

    def _template(self, start: Facts, end: Facts, lag: Lag) -> Iterator[Judged]:
        """R7, R8: the gravest that can be said; in Test and Acceptance only a note."""
        path = "spec.template.version"
        found = self._overdue(end, lag) or self._duty(start, lag)
        if found is None:
            return
        severity, rule, text = found
        if not start.production:
            environment = start.spec.environment.value
            severity, text = Severity.NOTE, f"{text} (shown in {environment}, never enforced there)"
        yield Judged(severity, path, rule, text)

    def _overdue(self, end: Facts, lag: Lag) -> tuple[Severity, str, str] | None:
        if not lag.overdue(self.span.last):
            return None
        template = end.wanted.template
        text = f"{template.name} {template.version} is overdue {_since(lag, self.span)}: {_why(end, lag)}"
        decision = governing_decision(end)
        if not end.enforces(template, self.span.last):
            return Severity.DUTY, "R8", f"{text}; the policy of the template does not enforce"
        if decision is None and any(not is_open(one) and one.spec.revoked for one in end.decisions):
            return Severity.DUTY, "R8", f"{text}; the Agency took back the decision about it"
        if decision is not None and decision.status.reason == Reason.DEFERRED:
            return Severity.DUTY, "R8", f"{text}; deferred until {decision.status.deferred_until}"
        at = None if decision is None else decision.status.effective_at
        day = self.span.last if at is None else local_day(at, self.policy.zone)
        return Severity.UNPUBLISH, "R8", f"{text}; leaves the public route on {day}{_target(end)}"

    def _duty(self, start: Facts, lag: Lag) -> tuple[Severity, str, str] | None:
        template = start.wanted.template
        used = start.version(template)
        known = start.world.templates[template.name]
        runs = used is not None and any(
            one.precedence > used.precedence
            and not one.is_prerelease
            and one.withdrawn_at is None
            and one.published is not None
            and one.published <= self.span.last
            for one in known.catalogue.versions
        )
        if runs and lag.migrate_by is not None:
            verb = (
                "should have been migrated by"
                if lag.migration_due(self.span.last)
                else "is to be migrated by"
            )
            text = f"{template.name} {template.version} {verb} {lag.migrate_by}{_target(start)}"
            return Severity.DUTY, "R7", text
        if lag.at_risk is not None:
            text = (
                f"{template.version} becomes overdue once {lag.at_risk.text} gets its migration instruction"
            )
            return Severity.NOTE, "R8", text
        return None


def _since(lag: Lag, span: Span) -> str:
    since = lag.overdue_since
    return f"since {since}" if since is None or since <= span.first else f"from {since}"


def _why(facts: Facts, lag: Lag) -> str:
    template = facts.wanted.template
    known = facts.world.templates[template.name]
    cause = known.cause_of(template.version, lag)
    maximum = known.template.spec.lifecycle.maximum_lag
    return "it was withdrawn" if cause is None else f"it lags behind {cause} by more than {maximum}"


def _target(facts: Facts) -> str:
    """Where to go: the version that is current then."""
    newest = current(facts.world.templates[facts.wanted.template.name].catalogue, facts.today)
    return "" if newest is None else f": renew on {newest.text}"


def _gates(facts: Facts) -> Iterator[Judged]:
    """What the spec itself lacks; a version that goes live nowhere is a duty of its own."""
    for unmet in check_all(facts, Subject(facts.wanted, wanted=True)):
        if unmet.reason in NEVER_LIVE:
            yield Judged(Severity.DUTY, "spec.template.version", unmet.rule, unmet.message)
        elif unmet.gate in OF_THE_SPEC and unmet.owner is GateOwner.INSTITUTION:
            yield Judged(Severity.NOTE, "spec", unmet.rule, unmet.message)


def _unbraked(world: TemplateWorld) -> TemplateWorld:
    """The template without its brake: these files are not its fleet."""
    lifecycle = world.template.spec.lifecycle
    brake = lifecycle.brake.model_copy(update={"at_least": NO_BRAKE})
    spec = world.template.spec.model_copy(update={"lifecycle": lifecycle.model_copy(update={"brake": brake})})
    template = world.template.model_copy(update={"spec": spec})
    return TemplateWorld(template, catalogue_of(template))


def _key(world: World) -> ObjectKey:
    metadata = world.service.metadata
    return ObjectKey(EService.__name__, metadata.namespace, metadata.name)
