# SPDX-License-Identifier: Apache-2.0
"""The chapters: each does what a person would do, waits until it is seen, and shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tools.demo.calling import PARKING, asked, called
from tools.demo.checkpoint import HOLDER
from tools.demo.stage import PROJECT, ROUTES, NotSeen, Stage, condition, say

ZONE = ZoneInfo("Europe/Riga")

ADDRESS = ("pmlp-production", "address-declaration")
TAX = ("vid-production", "tax-calculator")
PRODUCTION = (ADDRESS, TAX, PARKING)
HOSTS = {ADDRESS: "address.latvija.example", TAX: "tax.latvija.example"}

DEFERRED_DAYS = 120


def phase(stage: Stage, service: tuple[str, str]) -> str:
    """The phase of an e-service."""
    namespace, name = service
    return str(stage.get("esvc", name, namespace).get("status", {}).get("phase", ""))


def published(stage: Stage, service: tuple[str, str]) -> bool:
    """Whether the gateway serves an e-service, as its status says."""
    namespace, name = service
    return condition(stage.get("esvc", name, namespace), "Published").get("status") == "True"


def has_route(stage: Stage, service: tuple[str, str]) -> bool:
    """Whether there is a public route."""
    return ".".join(service) in stage.names("httproute", ROUTES)


def expect(stage: Stage, service: tuple[str, str], wanted: str) -> None:
    """Wait until an e-service is in a phase."""
    stage.until(f"{service[1]} is {wanted}", lambda: phase(stage, service) == wanted)


def explain(stage: Stage, service: tuple[str, str]) -> None:
    """What is missing, who owes it, by which rule, and what to run."""
    namespace, name = service
    stage.show("eservice", "explain", name, "-n", namespace)


def registered(stage: Stage) -> None:
    """R1. The Agency registers, the institutions apply their e-services: what is missing, and who owes it."""
    for part in ("10-template", "15-namespaces", "16-web-services", "20-registrations", "30-eservices"):
        stage.show("apply", "-f", f"samples/{part}.yaml")
    for service in PRODUCTION:
        expect(stage, service, "Pending")
    stage.until(
        "Test is public without any act", lambda: published(stage, ("pmlp-test", "address-declaration"))
    )
    stage.show("get", "esvcr")
    stage.show("get", "esvc", "-A")
    explain(stage, ADDRESS)
    if any(has_route(stage, service) for service in PRODUCTION):
        raise NotSeen("no route before the gates are passed")


def accepted(stage: Stage) -> None:
    """R2 to R5. Acts are signed, registers granted by their holders: installed, and seen by nobody yet."""
    stage.show("apply", "-f", "samples/40-acts.yaml")
    waiting = {TAX[1]: "Waiting", PARKING[1]: "Waiting"}
    stage.until("the holder of the population register sees who asks", lambda: asked(stage) == waiting)
    stage.show("eservice", "requests", "-n", HOLDER)
    stage.show("apply", "-f", "samples/45-grants.yaml")
    for service in PRODUCTION:
        expect(stage, service, "AwaitingVerification")
    stage.show("get", "esvc,deployments", "-n", ADDRESS[0])
    explain(stage, ADDRESS)
    if any(has_route(stage, service) for service in PRODUCTION):
        raise NotSeen("no route before the verification")
    stage.show_answer(HOSTS[ADDRESS], 404)


def verified(stage: Stage) -> None:
    """R6. The institutions verified the installation: the gateway serves it to the public."""
    stage.show("apply", "-f", "samples/50-verifications.yaml")
    for service in PRODUCTION:
        expect(stage, service, "Published")
    stage.show("get", "esvc", "-A", "--field-selector", "spec.environment=Production")
    route = ".".join(ADDRESS)
    parents = '{range .status.parents[*].conditions[*]}{.type}={.status}{"\\n"}{end}'
    stage.show("get", "httproute", route, "-n", ROUTES, "-o", f"jsonpath={parents}")
    stage.show_answer(HOSTS[ADDRESS], 200)


def foreseen(stage: Stage) -> None:
    """R8, rehearsed. What would happen if the instruction for 3.1.0 were published today?"""
    what_if = ("--template", "viss-2020", "--version", "3.1.0", "--published", str(today()))
    stage.show("eservice", "forecast", "-A", "--until", "P6M", *what_if)


def braked(stage: Stage) -> None:
    """R8. It is published: two of three would go at once, which is too many. The brake holds both."""
    before = kept(stage)
    patch = fresh(stage, "demo/60-instruction.patch.yaml", publish)
    stage.show("patch", "esvct", "viss-2020", "--type=json", "--patch-file", patch)
    stage.until("the brake holds both", lambda: held(stage, ADDRESS) and held(stage, TAX))
    stage.until("the template says which set it holds", lambda: bool(sets(stage)))
    stage.show("get", "esvct", "viss-2020")
    stage.show("get", "decision")
    explain(stage, ADDRESS)
    for service in PRODUCTION:
        if not published(stage, service) or not has_route(stage, service):
            raise NotSeen(f"{service[1]} stays public")
    if kept(stage) != before:
        raise NotSeen("nothing is touched")
    stage.show_mail("platforma@agency.example", "unpublication stopped")


def superseded(stage: Stage) -> None:
    """R8. The Agency defers one and releases the rest: one goes, one stays, one is fine."""
    before = kept(stage)
    stage.show("apply", "-f", fresh(stage, "demo/65-deferral.yaml", defer))
    stage.until("the tax calculator's decision is deferred", lambda: deferred(stage))
    stage.show("eservice", "release-brake", "viss-2020", "--yes")
    expect(stage, ADDRESS, "Unpublished")
    for language in ("lv", "en"):
        stage.show_answer(HOSTS[ADDRESS], 503, Accept_Language=language)
    stage.show_answer(HOSTS[TAX], 200)
    for service in (TAX, PARKING):
        if not published(stage, service) or not has_route(stage, service):
            raise NotSeen(f"{service[1]} stays public")
    if kept(stage) != before:
        raise NotSeen("everything but the route is kept")
    say("  ✓ Deployment, Service and Pods of the unpublished one are the very same as before")
    stage.show("get", "esvc", "-A", "--field-selector", "spec.environment=Production")
    stage.show("get", "httproute", "-n", ROUTES, "-L", "eservice.dev/shows")
    stage.show("get", "decision")
    stage.show_mail("anna.berzina@pmlp.example", "/ unpublished")


def renewed(stage: Stage) -> None:
    """R7, R8. The institution renews: the new release passes the same gates and comes back by itself."""
    stage.show("apply", "-f", "samples/demo/70-renewal.yaml")
    stage.until("its act is missing", lambda: "Accepted" in unmet(stage, ADDRESS))
    explain(stage, ADDRESS)
    stage.show("apply", "-f", "samples/demo/75-renewal-act.yaml")
    stage.until(
        "it is installed and waits for its verification", lambda: unmet(stage, ADDRESS) == {"Verified"}
    )
    stage.show("get", "deployments", "-n", ADDRESS[0])
    stage.show("apply", "-f", "samples/demo/80-renewal-verification.yaml")
    expect(stage, ADDRESS, "Published")
    stage.until("its decision is closed", lambda: decision(stage, ADDRESS).get("state") == "Closed")
    stage.show("get", "esvc", "-A", "--field-selector", "spec.environment=Production")
    stage.show("eservice", "history", ADDRESS[1], "-n", ADDRESS[0])
    stage.show_answer(HOSTS[ADDRESS], 200)
    stage.show("eservice", "replay", "address-declaration-production-001")
    stage.show("get", "esvct", "viss-2020", "-o", "wide")


def unmet(stage: Stage, service: tuple[str, str]) -> set[str]:
    """The gates that an e-service does not pass."""
    namespace, name = service
    found = stage.get("esvc", name, namespace)
    if found["status"].get("observedGeneration") != found["metadata"]["generation"]:
        return set()
    return {entry["gate"] for entry in found["status"].get("gates", [])}


def kept(stage: Stage) -> dict[str, str]:
    """The UIDs of what an unpublication must not touch."""
    kinds = (
        "deployments,services,pods,poddisruptionbudgets,networkpolicies,controllerrevisions,serviceaccounts"
    )
    found = json.loads(
        stage.kubectl(
            "get", kinds, "-n", ADDRESS[0], "-l", f"eservice.dev/eservice={ADDRESS[1]}", "-o", "json"
        )
    )
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in found["items"]}


def decision(stage: Stage, service: tuple[str, str]) -> dict[str, str]:
    """The status of the newest decision about an e-service."""
    found = json.loads(stage.kubectl("get", "unpublishdecisions", "-o", "json"))
    mine = [item for item in found["items"] if item["spec"]["eService"]["name"] == service[1]]
    newest: dict[str, Any] = max(mine, key=lambda item: str(item["metadata"]["name"]), default={})
    status: dict[str, str] = newest.get("status", {})
    return status


def held(stage: Stage, service: tuple[str, str]) -> bool:
    """Whether the brake holds an e-service's decision as part of a set."""
    status = decision(stage, service)
    return status.get("reason") == "Brake" and bool(status.get("holdToken"))


def sets(stage: Stage) -> list[Any]:
    """The sets that the template says the brake holds."""
    found: list[Any] = stage.get("esvct", "viss-2020")["status"].get("held", [])
    return found


def deferred(stage: Stage) -> bool:
    """Whether the tax calculator's decision waits for the end of its deferral."""
    return decision(stage, TAX).get("reason") == "Deferred"


def fresh(stage: Stage, sample: str, change: Callable[[Any], None]) -> str:
    """The path of a sample whose date is moved, so that the story can be played on any day."""
    source = PROJECT / "samples" / sample
    document = yaml.safe_load(source.read_text())
    change(document)
    target = stage.folder / "demo" / source.name
    target.parent.mkdir(exist_ok=True)
    target.write_text(yaml.safe_dump(document, default_flow_style=False, allow_unicode=True))
    return str(target.relative_to(PROJECT))


def defer(document: Any) -> None:
    """Some months from today."""
    document["spec"]["until"] = str(today() + timedelta(days=DEFERRED_DAYS))


def publish(steps: Any) -> None:
    """Today."""
    steps[-1]["value"]["published"] = str(today())


def today() -> date:
    """The day on which the story is played."""
    return datetime.now(ZONE).date()


CHAPTERS: tuple[Callable[[Stage], None], ...] = (
    registered,
    accepted,
    verified,
    called,
    foreseen,
    braked,
    superseded,
    renewed,
)
