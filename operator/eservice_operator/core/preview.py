# SPDX-License-Identifier: Apache-2.0
"""The candidate on a Gateway that the public does not reach, for those who verify it (R6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from eservice_operator.api import names
from eservice_operator.api.reasons import ConditionType
from eservice_operator.core import conditions as c
from eservice_operator.core.actions import Manifest, Ref
from eservice_operator.core.answering import answered, silence_ends
from eservice_operator.core.conditions import Verdict
from eservice_operator.core.driver import Serving, url_of
from eservice_operator.core.facts import Facts
from eservice_operator.core.gateway_driver import (
    ROUTE_API,
    ROUTE_KIND,
    GatewayDriver,
    backend_ref,
    http_route,
    path_match,
)
from eservice_operator.core.manifests import CANDIDATE_SUFFIX, HTTP_PORT
from eservice_operator.core.owner import Owner, preview_name
from eservice_operator.core.policy import Policy, Preview
from eservice_operator.core.releases import Snapshot, short_hash
from eservice_operator.core.world import Observed

LABEL_LENGTH = 63
BETWEEN = "--"


def preview_host(namespace: str, service: str, domain: str) -> str:
    """``<name>--<namespace>.<domain>``, of which every e-service has its own.

    Where that label is too long, could be read in two ways, or looks like an internationalised one, a hash
    goes before it and the end is cut off; three hyphens keep both forms apart.
    """
    label = f"{service}{BETWEEN}{namespace}"
    if len(label) > LABEL_LENGTH or label.count(BETWEEN) != 1 or label.startswith("xn--"):
        label = f"{short_hash([namespace, service], 8)}---{label}"[:LABEL_LENGTH].rstrip("-")
    return f"{label}.{domain}"


def build_preview(owner: Owner, release: Snapshot, preview: Preview, policy: Policy) -> Manifest:
    """The route of the candidate, beside the public ones: on its own Gateway, never on theirs.

    It lies where the public route does, and goes as that does: by our finalizer.
    """
    match = path_match(release)
    if preview.header is not None:
        name, value = preview.header
        match["headers"] = [{"type": "Exact", "name": name, "value": value}]
    backend = backend_ref(owner.namespace, owner.name + CANDIDATE_SUFFIX, HTTP_PORT)
    return http_route(
        owner,
        Ref(ROUTE_API, ROUTE_KIND, policy.routes_namespace, preview_name(owner.namespace, owner.name)),
        names.PREVIEW,
        gateway=preview.gateway,
        hosts=[preview_host(owner.namespace, owner.name, preview.domain)],
        rule={"matches": [match], "backendRefs": [backend]},
    )


def preview_serving(facts: Facts) -> Serving | None:
    """Whether the Gateway of the previews serves the candidate; None where the candidate has no route."""
    route, driver = _route(facts), _driver(facts.policy)
    if route is None or driver is None:
        return None
    return answered(driver.serving(route), route, facts.world, facts.now)


def preview_patience_ends(facts: Facts) -> Iterator[datetime]:
    """When the silence of the Gateway of the previews begins to mean something, if it is silent."""
    route = _route(facts)
    driver = None if route is None else _driver(facts.policy)
    if route is not None and driver is not None:
        yield from silence_ends(driver.serving(route), route)


def preview_url(facts: Facts) -> str | None:
    """Where the candidate can be looked at, once its Gateway serves it."""
    route, driver, seen = _route(facts), _driver(facts.policy), preview_serving(facts)
    if route is None or driver is None or seen is None or not seen.served:
        return None
    return url_of(driver, route)


def preview_verdict(facts: Facts) -> Verdict | None:
    """Why the candidate cannot be looked at, in the words of the Gateway; nothing waits for it."""
    seen = preview_serving(facts)
    if seen is None or seen.served:
        return None
    return c.false(ConditionType.PREVIEWED, seen.reason, seen.message)


def _route(facts: Facts) -> Observed | None:
    return facts.world.child(ROUTE_KIND, preview_name(*facts.place)) if facts.driver.previews else None


def _driver(policy: Policy) -> GatewayDriver | None:
    """What reads the answers of the Gateway of the previews."""
    preview = policy.preview
    return None if preview is None else GatewayDriver(replace(policy, gateway=preview.gateway))
