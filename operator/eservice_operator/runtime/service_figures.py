# SPDX-License-Identifier: Apache-2.0
"""What there is to tell of one EService."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from eservice_operator.api.reasons import ConditionType, Gate, Reason
from eservice_operator.api.seen import Answered
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.ownership import is_our_route, is_preview, service_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import parse_instant
from eservice_operator.core.faces import Face, face_of
from eservice_operator.core.gateway_driver import gateway_of, said_by
from eservice_operator.core.tidings import SERVED
from eservice_operator.core.witness import Finding, standing
from eservice_operator.core.world import Observed
from eservice_operator.runtime.exposition import Family

WHO: Final = ("namespace", "name")

INFO: Final = Family(
    "eservice_info",
    "An e-service, and what it serves the public.",
    (*WHO, "environment", "registration", "identifier", "template", "version", "phase"),
)
PUBLISHED: Final = Family("eservice_published", "1 while the gateway serves the e-service.", WHO)
ANSWERED: Final = Family(
    "eservice_probe_answer", "1 for who or what answers for a public host.", (*WHO, "host", "answer")
)
DISAGREES: Final = Family(
    "eservice_probe_disagrees",
    "1 while a public host does not show what its route shows, or nobody can look.",
    (*WHO, "host", "finding"),
)
CONTESTED: Final = Family(
    "eservice_host_contested",
    "How many others have or want a host of the e-service, or may answer for it.",
    (*WHO, "host", "standing"),
)
NOT_SERVED: Final = Family(
    "eservice_not_served",
    "1 while the gateway does not serve a release that has been public.",
    (*WHO, "reason"),
)
CANNOT_MOVE: Final = Family(
    "eservice_route_cannot_move",
    "1 while it is served, and stays on a Gateway that it is to leave for one that is not there.",
    WHO,
)
NOT_SHOWN: Final = Family(
    "eservice_notice_page_not_shown",
    "1 while the gateway does not lead citizens to the notice page of an e-service that is off.",
    (*WHO, "reason"),
)
GATE_UNMET: Final = Family(
    "eservice_gate_unmet", "1 for each gate that is not passed.", (*WHO, "gate", "owner", "reason")
)
STALLED: Final = Family("eservice_stalled", "1 while only a change of spec can help.", (*WHO, "reason"))
LAG: Final = Family(
    "eservice_template_lag_days",
    "From the release of the version in public use to that of the one it is compared with (R8).",
    (*WHO, "template", "version"),
)
UNKNOWN: Final = Family(
    "eservice_template_unknown", "1 while template or version cannot be found.", (*WHO, "reason")
)
UNPUBLISH: Final = Family(
    "eservice_unpublish_timestamp_seconds", "When it leaves the public route by R8, or left it.", WHO
)
MIGRATE: Final = Family(
    "eservice_migrate_by_timestamp_seconds", "The end of the last day for migrating (R7).", WHO
)
DUE: Final = Family(
    "eservice_installation_due_timestamp_seconds",
    "The end of the tenth working day, while the release is not installed (R5).",
    WHO,
)
WANTED: Final = Family(
    "eservice_verification_wanted_timestamp_seconds",
    "Since when an installed release waits for the institution's verification (R6).",
    WHO,
)
ACCESS_LOST: Final = Family(
    "eservice_access_lost", "1 while it runs, and may not call any more what it was granted (R3).", WHO
)
SERVICE_FAMILIES: Final = (
    INFO,
    PUBLISHED,
    ANSWERED,
    DISAGREES,
    CONTESTED,
    NOT_SERVED,
    CANNOT_MOVE,
    NOT_SHOWN,
    GATE_UNMET,
    STALLED,
    LAG,
    UNKNOWN,
    UNPUBLISH,
    MIGRATE,
    DUE,
    WANTED,
    ACCESS_LOST,
)

Sample = tuple[Family, tuple[str, ...], float]
"""A family, the values of its labels, and the value."""
Instant = Callable[[str, bool], float]
"""The Unix time of the start of a local day written as text or, with True, of its end."""

_UNKNOWN: Final = frozenset({Reason.TEMPLATE_UNKNOWN, Reason.TEMPLATE_VERSION_UNKNOWN})


def samples_of_service(
    service: Mapping[str, Any], lag: int | None, instant: Instant, *, marked: bool
) -> Iterator[Sample]:
    """All samples about an EService; ``lag`` is in days, None where there is nothing to measure.

    ``marked`` says whether routes mark their answers, by which the probe tells them apart.
    """
    who = (service["metadata"]["namespace"], service["metadata"]["name"])
    status = service.get("status") or {}
    conditions = {entry["type"]: entry for entry in status.get("conditions") or ()}
    yield INFO, (*who, *_about(service, status)), 1
    published = part(conditions, "Published", "status")
    served = published == "True" or (published == "Unknown" and status.get("phase") in SERVED)
    yield PUBLISHED, who, served
    leaving = "deletionTimestamp" in service["metadata"]
    if not served and not leaving and part(status, "release", "public") is not None:
        yield NOT_SERVED, (*who, part(conditions, "Published", "reason") or ""), 1
    if served and ConditionType.ROUTE_IN_PLACE in conditions:
        yield CANNOT_MOVE, who, 1
    yield from _from_outside(who, status, marked=marked)
    others = Counter((one["host"], one["standing"]) for one in status.get("contested") or ())
    for (host, stands), many in others.items():  # not who: names of tenants' own would be series without end
        yield CONTESTED, (*who, host, stands), many
    for gate in status.get("gates") or ():
        yield GATE_UNMET, (*who, gate["gate"], gate["owner"], gate["reason"]), 1
    if "Stalled" in conditions:
        yield STALLED, (*who, conditions["Stalled"]["reason"]), 1
    if part(conditions, ConditionType.ACCESS_GRANTED.value, "reason") == Reason.ACCESS_LOST:
        yield ACCESS_LOST, who, 1
    if lag is not None:
        public = status["release"]["public"]["template"]
        yield LAG, (*who, public["name"], public["version"]), lag
    reason = part(conditions, "TemplateCurrent", "reason")
    if reason in _UNKNOWN:
        yield UNKNOWN, (*who, reason), 1
    for family, since in _instants(status, instant):
        yield family, who, since


def samples_of_route(route: Manifest, home: str, *, gateway_gone: bool) -> Iterator[Sample]:
    """All samples about an HTTPRoute: whether citizens see the notice page, where one of ours leads there.

    None of those outside ``home``, the routes namespace: tenants write them. Of a Gateway that is gone
    nothing holds that it has said.
    """
    if route["metadata"]["namespace"] != home:
        return
    shown, service = Observed(route), service_of(route) if is_our_route(route) else None
    gateway = gateway_of(shown)
    if service is None or gateway is None or is_preview(route) or face_of(shown) is not Face.NOTICE:
        return
    said = said_by(gateway, shown)
    if gateway_gone or not said.served:
        reason = Reason.GATEWAY_NOT_FOUND if gateway_gone else said.reason
        yield NOT_SHOWN, (service.namespace, service.name, reason), 1


def _from_outside(who: tuple[str, str], status: Mapping[str, Any], *, marked: bool) -> Iterator[Sample]:
    face = part(status, "publication", "route", "face")
    for seen in part(status, "publication", "hosts") or ():
        host, answer = seen["host"], seen["answer"]
        yield ANSWERED, (*who, host, answer), 1
        finding = standing(Answered(answer), Face(face), marked=marked)
        if finding is not Finding.AGREES:
            yield DISAGREES, (*who, host, finding.value), 1


def _about(service: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[str, ...]:
    values = (
        part(service, "spec", "environment"),
        part(service, "spec", "registration"),
        status.get("identifier"),
        part(status, "template", "name"),
        part(status, "template", "version"),
        status.get("phase"),
    )
    return tuple(value if isinstance(value, str) else "" for value in values)


def _instants(status: Mapping[str, Any], instant: Instant) -> Iterator[tuple[Family, float]]:
    template, installation = status.get("template") or {}, status.get("installation") or {}
    if "unpublishAt" in template:
        yield UNPUBLISH, instant(template["unpublishAt"], False)  # noqa: FBT003 - the start of the day
    if "migrateBy" in template:
        yield MIGRATE, instant(template["migrateBy"], True)  # noqa: FBT003 - its end
    installed = installation.get("installedAt")
    if installed is None and "dueBy" in installation:
        yield DUE, instant(installation["dueBy"], True)  # noqa: FBT003 - its end
    since = _verification_wanted(status, installed)
    if since is not None:
        yield WANTED, since


def _verification_wanted(status: Mapping[str, Any], installed: str | None) -> float | None:
    """Since when: the gate was unmet before there was anything to verify, so not before the installation."""
    gates = {gate["gate"]: gate for gate in status.get("gates") or ()}
    gate = gates.get(Gate.VERIFIED)
    if gate is None or installed is None or Gate.INSTALLED in gates:
        return None
    known = [at for text in (gate["since"], installed) if (at := parse_instant(text)) is not None]
    return max(known).timestamp() if known else None
