# SPDX-License-Identifier: Apache-2.0
"""The holder's answer to a request for access, as the file to commit: nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from eservice_operator.cli.plain import part
from eservice_operator.cli.writing import slug

API_VERSION: Final = "eservice.dev/v1alpha1"
LONGEST_NAME: Final = 63
"""Names of grants are values of labels."""
DIGEST: Final = "<64 hexadecimal digits>"
CODE: Final = "<its code in the national register>"
Body = Mapping[str, Any]
Place = tuple[str, str]


def grant_of(
    web_service: Place,
    consumer: Place,
    versions: Iterable[str],
    *,
    evidence: bool,
    registration: str | None = None,
    as_agent: str | None = None,
    taken: Iterable[str] = (),
) -> dict[str, Any]:
    """A WebServiceGrant for a consumer; ``evidence`` where both documents are needed (SOAP in Production).

    ``registration`` is that of the consumer, so that no other inherits the grant with its name. ``as_agent``
    is the assignment whose agent's application it asks to be. ``taken`` are the names of the grants that
    there are.
    """
    namespace, name = web_service
    spec: dict[str, Any] = {
        "webService": name,
        "consumer": {"namespace": consumer[0], "name": consumer[1]}
        | ({"registration": registration} if registration else {}),
    }
    if as_agent:
        spec["agent"] = {"assignment": as_agent}
    granted = [_version(version, evidence=evidence) for version in versions]
    metadata = {"name": _free(consumer, name, set(taken)), "namespace": namespace}
    return _object("WebServiceGrant", metadata, spec | ({"contractVersions": granted} if granted else {}))


def _free(consumer: Place, web_service: str, taken: set[str]) -> str:
    """The consumer's name, or a longer one where that is taken."""
    names = [
        slug(*parts, room=LONGEST_NAME)
        for parts in ((consumer[1],), (consumer[1], web_service), (*consumer, web_service))
    ]
    return next((name for name in names if name not in taken), names[-1])


def with_versions(grant: Body, versions: Iterable[str], *, evidence: bool) -> dict[str, Any]:
    """A grant that there is with more contract versions."""
    spec = dict(part(grant, "spec"))
    entries = [*(spec.get("contractVersions") or ()), *(_version(one, evidence=evidence) for one in versions)]
    return _object("WebServiceGrant", _named(grant), spec | {"contractVersions": entries})


def with_customer(assignment: Body, institution: str, code: str, since: date) -> dict[str, Any]:
    """An AgentAssignment that there is with one more customer."""
    spec = dict(part(assignment, "spec"))
    customers = [*(spec.get("customers") or ()), {"name": institution, "code": code, "since": str(since)}]
    return _object("AgentAssignment", _named(assignment), spec | {"customers": customers})


def _version(version: str, *, evidence: bool) -> dict[str, Any]:
    if not evidence:
        return {"version": version}
    documents = {name: {"url": "https://…", "sha256": DIGEST} for name in ("selfDeclaration", "endToEnd")}
    return {"version": version, "evidence": documents}


def _named(body: Body) -> dict[str, Any]:
    return {field: part(body, "metadata", field) for field in ("name", "namespace")}


def _object(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
