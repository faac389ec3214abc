# SPDX-License-Identifier: Apache-2.0
"""What to do about an unmet gate: a command to run, or the YAML to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from eservice_operator.api.reasons import Gate, Reason
from eservice_operator.cli.access_advice import access_advice
from eservice_operator.cli.advising import DIGEST, Advice, Case
from eservice_operator.core.install_gates import FULL_DELIVERY


def advice(gate: str, case: Case) -> Advice:
    """What to do about this gate."""
    return ADVICE[Gate(gate)](case)


def _registered(case: Case) -> Advice:
    name, environment = case.service.spec.registration, case.service.spec.environment.value
    place = {"environment": environment, "name": case.namespace}
    match case.reason:
        case Reason.ALREADY_TAKEN:
            return Advice(
                "delete this one: another stands for it", (f"kubectl delete eservice {case.place}",)
            )
        case Reason.REGISTRATION_NOT_FOUND:
            return Advice(
                "the institution applies; the Agency writes an EServiceRegistration with this in it",
                (f"kubectl explain eserviceregistration.spec  # named {name}",),
                {"namespaces": [place]},
                f"EServiceRegistration {name}",
            )
        case Reason.NAMESPACE_NOT_REGISTERED:
            return Advice(
                "the Agency registers this namespace, or the e-service moves to the registered one",
                (f"kubectl edit eserviceregistration {name}",),
                {"spec": {"namespaces": [place]}},
                f"EServiceRegistration {name}",
            )
        case _:
            return Advice(
                "see what the registration waits for",
                (
                    f"kubectl get eserviceregistration {name} -o wide",
                    f"kubectl get namespace {case.namespace}",
                ),
            )


def _template_supported(case: Case) -> Advice:
    template = case.service.spec.template
    if case.reason == Reason.TEMPLATE_UNKNOWN:
        return Advice("name a template that there is", ("kubectl get eservicetemplates",))
    return Advice(
        "build the release from a supported version and deliver that",
        (f"kubectl get eservicetemplate {template.name} -o jsonpath={{.status.versions}}",),
        {"spec": {"template": {"name": template.name, "version": case.current}}},
        case.this,
    )


def _delivery(case: Case) -> Advice:
    release = case.service.spec.release
    written: dict[str, Any] = {}
    if "@sha256:" not in release.image:
        written["image"] = f"{release.image.rpartition(':')[0] or release.image}@sha256:{DIGEST}"
    if release.source is None:
        written["source"] = {"repository": "https://…", "revision": "<commit>"}
    delivered = {document.kind for document in release.documents}
    missing = [kind.value for kind in FULL_DELIVERY if kind not in delivered]
    if missing:
        written["documents"] = [{"kind": kind, "url": "https://…", "sha256": DIGEST} for kind in missing]
    text = "add what the delivery lacks (message above) to the manifest in Git"
    return Advice(text, (), {"spec": {"release": written}} if written else {}, case.this)


def _accepted(case: Case) -> Advice:
    signed = {"url": "https://…", "sha256": DIGEST}
    spec = {
        "eService": {"namespace": case.namespace, "name": case.name},
        **case.release,
        "testPeriod": {"from": "<day>", "to": "<day>"},
        "report": signed,
        "document": dict(signed),
        "signedAt": case.today,
        "signatories": [
            {"organisation": "Agency", "name": "<who>"},
            {"organisation": "<the institution>", "name": "<who>"},
        ],
    }
    manifest = {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "AcceptanceAct",
        "metadata": {"name": f"{case.name}-{case.today}"},
        "spec": spec,
    }
    return Advice(
        "once both sides have signed, the Agency writes the act of exactly this release", (), manifest
    )


def _requested(case: Case) -> Advice:
    request = {"requestedAt": case.today, "requestedBy": "<who>"}
    text = "once the act is signed, the institution requests the installation"
    return Advice(text, (), {"spec": {"productionRequest": request}}, case.this)


def _installed(case: Case) -> Advice:
    if case.reason == Reason.AWAITING_INSTALLATION:
        return Advice("nothing: the operator installs it once the gates above are passed")
    pods = f"kubectl get pods -n {case.namespace} -l eservice.dev/eservice={case.name}"
    events = f"kubectl events -n {case.namespace} --types=Warning"
    return Advice("see why its Pods are not available", (pods, events))


def _hosts(case: Case) -> Advice:
    name, environment = case.service.spec.registration, case.service.spec.environment.value
    if case.reason == Reason.HOST_CONFLICT:
        return Advice(
            "one of the two gives the host up",
            ("kubectl get httproutes -A",),
            {"spec": {"publication": {"hosts": ["<another host>"]}}},
            case.this,
        )
    hosts = [{"environment": environment, "host": host} for host in case.service.spec.publication.hosts]
    text = "the Agency registers the hosts, or the e-service asks for registered ones"
    return Advice(
        text,
        (f"kubectl edit eserviceregistration {name}",),
        {"spec": {"hosts": hosts}},
        f"EServiceRegistration {name}",
    )


def _catalogued(case: Case) -> Advice:
    catalogue, support = case.service.spec.publication.catalogue, case.service.spec.publication.support
    written: dict[str, Any] = {}
    if not catalogue.url:
        written.setdefault("catalogue", {})["url"] = "https://…"
    for field_name, text in (("title", catalogue.title), ("description", catalogue.description)):
        if not text.lv:
            written.setdefault("catalogue", {})[field_name] = {"lv": "<text>"}
    if not (support.email or support.phone):
        written["support"] = {"email": "<address>"}
    return Advice("describe it in the manifest in Git", (), {"spec": {"publication": written}}, case.this)


def _verified(case: Case) -> Advice:
    run = f'kubectl eservice verify {case.place} --outcome Passed --by "<who>"'
    if case.reason == Reason.VERIFICATION_FAILED:
        return Advice("mend what failed, deliver it as another release or verify this one again", (run,))
    return Advice("the institution's staff check the installation, then record it", (run,))


def _within_limit(case: Case) -> Advice:
    template = case.service.spec.template
    if case.reason == Reason.DECISION_MISSING:
        text = "the Agency mends what the message waits for, then revokes the new decision if it was wrong"
        return Advice(text, (f"kubectl get eservicetemplate {template.name}", "kubectl get decision"))
    return Advice(
        "deliver a release on the current version; it comes back by itself once that is public. Only the"
        " Agency can grant more time",
        (f"kubectl eservice defer {case.place} --until <day> --reason <text> --approved-by <who>",),
        {"spec": {"template": {"name": template.name, "version": case.current}}},
        case.this,
    )


ADVICE: Final[dict[Gate, Callable[[Case], Advice]]] = {
    Gate.REGISTERED: _registered,
    Gate.TEMPLATE_SUPPORTED: _template_supported,
    Gate.DELIVERY_COMPLETE: _delivery,
    Gate.ACCEPTED: _accepted,
    Gate.REQUESTED: _requested,
    Gate.ACCESS_GRANTED: access_advice,
    Gate.INSTALLED: _installed,
    Gate.HOST_ALLOWED: _hosts,
    Gate.CATALOGUED: _catalogued,
    Gate.VERIFIED: _verified,
    Gate.TEMPLATE_WITHIN_LIMIT: _within_limit,
}
