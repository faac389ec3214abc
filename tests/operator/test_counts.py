# SPDX-License-Identifier: Apache-2.0
"""What one e-service costs the API server, counted in its audit log."""

from collections import Counter

import pytest

from eservice_operator.cluster.resources import OWN
from eservice_operator.cluster.transport import USER_AGENT
from tests.support.audit import AuditLog, Request, counted
from tests.support.figures import Figures
from tests.support.fleet import Planned
from tests.support.site import Site
from tests.support.waiting import eventually

pytestmark = pytest.mark.cluster

STATUS_WRITES = 3
LIVE_READS = 2


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    """As in production, but for a status that only says that work goes on.

    There it waits a second; here so long that nothing is counted by how busy the machine is.
    """
    return {"settle": "40s", "drain-delay": "15s"}


async def test_from_applied_to_published(site: Site, audit: AuditLog, figures: Figures) -> None:
    await site.prepare()
    planned = site.planned(replicas=2)
    await site.apply(planned.registration(), planned.act())
    await site.until(planned.registered, lambda obj: obj["status"].get("identifier"), "its number")
    await _all_watched(audit)
    audit.skip()

    await site.apply(planned.eservice())
    await site.settled(planned, "AwaitingVerification")
    installing = list(audit.by())
    audit.skip()
    await site.apply(planned.verification())
    await site.settled(planned, "Published")
    publishing = list(audit.by())

    requests = [*installing, *publishing]
    writes = [request for request in requests if request.writes]
    assert all(request.code < 400 for request in writes), [r for r in writes if r.code >= 400]
    statuses = [request for request in writes if _is_status_of(request, planned)]
    reads = [request for request in requests if request.verb == "get"]
    figures.add("one e-service, applied → published: writes", len(writes), counted(writes))
    figures.add(f"… status writes on it, at most {STATUS_WRITES}", len(statuses))
    figures.add(f"… live reads for publishing it, at most {LIVE_READS}", len(reads), counted(reads))
    made = Counter(request.target for request in writes if request.verb == "create")
    assert {target: count for target, count in made.items() if target[0] != "events"} == dict.fromkeys(
        await _children_of(site, planned), 1
    )
    assert len(statuses) <= STATUS_WRITES
    assert len(reads) <= LIVE_READS
    assert not [request for request in requests if request.verb in {"list", "watch"}]
    changed = [r.what for r in writes if r.verb != "create" and not r.subresource]
    assert sorted(changed) == ["delete services", "patch eservices"], "the candidate's Service, the finalizer"


async def _all_watched(audit: AuditLog) -> None:
    """Wait until kopf watches every kind, which it may list still when the first are reconciled.

    Each such list has ours look again, a moment later.
    """
    since_ever = AuditLog(audit.path)

    def watched() -> bool:
        asked = [request for request in since_ever.by() if request.agent.startswith("kopf/")]
        started = max(request.at for request in asked if not request.resource)  # it asks what is served
        now = {request.resource for request in asked if request.verb == "watch" and request.at > started}
        listed = {one.resource: one.at for one in asked if one.verb == "list" and one.at > started}
        again = {
            one.resource
            for one in since_ever.by()
            if one.verb == "list"
            and one.agent.startswith(USER_AGENT)
            and one.at > listed.get(one.resource, "~")
        }
        return {resource.plural for resource in OWN} <= now & again

    await eventually(watched, "a watch of every kind", within=60)  # the log is of all tests before


def _is_status_of(request: Request, planned: Planned) -> bool:
    return (request.resource, request.subresource, request.name) == ("eservices", "status", planned.name)


async def _children_of(site: Site, planned: Planned) -> list[tuple[str, str, str]]:
    """What is there in the end, and the candidate's Service, which was there for a while."""
    plurals = {"NetworkPolicy": "networkpolicies"}
    children = [
        (
            plurals.get(child["kind"], f"{child['kind'].lower()}s"),
            child["metadata"]["namespace"],
            child["metadata"]["name"],
        )
        for child in (await site.children(planned)).values()
    ]
    assert len(children) == 8, children
    return [*children, ("services", planned.namespace, f"{planned.name}-candidate")]
