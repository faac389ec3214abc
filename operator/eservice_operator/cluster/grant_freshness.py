# SPDX-License-Identifier: Apache-2.0
"""What a grant that is about to open something rests on: read live first, since the store may lag behind.

What only closes rests on nothing: it is right as soon as anybody can tell, and never waits for a look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.agent import AgentAssignment
from eservice_operator.api.base import ObjectMeta
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.case import GrantCase, Offer
from eservice_operator.core.access.granting import GrantDecision
from eservice_operator.core.access.naming import grant_child
from eservice_operator.core.access.walls import ROLE_KIND
from eservice_operator.core.actions import Action, Create, Manifest, Ref, Update


def behind_opening(decision: GrantDecision) -> Iterator[Ref]:
    """The grant and what it rests on, where the decision gives anybody anything; nothing otherwise."""
    case = decision.world.case
    role = decision.world.children.get((ROLE_KIND, grant_child(case.grant.metadata.name)))
    given = _resources({} if role is None else role.body)
    if any(_gives(action, given) for action in decision.actions):
        yield _ref(WebServiceGrant, case.grant.metadata)
        yield from _grounds(case)


def _gives(action: Action, given: frozenset[str]) -> bool:
    """Whether an action makes something new, or widens the Role that gave ``given``."""
    if isinstance(action, Update) and action.manifest["kind"] == ROLE_KIND:
        return not _resources(action.manifest) <= given
    return isinstance(action, Create)


def _resources(role: Manifest | Any) -> frozenset[str]:
    return frozenset(one for rule in role.get("rules") or () for one in rule.get("resources") or ())


def _grounds(case: GrantCase) -> Iterable[Ref]:
    """The web service, whose namespace it is, the assignment, and what shows where it was tested."""
    yield from _offered(case.offer)
    if case.assignment is not None:
        yield _ref(AgentAssignment, case.assignment.metadata)
    for test in case.tests:
        yield _ref(ConnectionTest, test.metadata)
    for other in case.tested:
        yield _ref(WebServiceGrant, other.grant.metadata)
        yield from _offered(other.offer)


def _offered(offer: Offer | None) -> Iterator[Ref]:
    if offer is not None:
        metadata = offer.web_service.metadata
        yield _ref(WebService, metadata)
        yield Ref("v1", "Namespace", "", metadata.namespace)


def _ref(kind: type, metadata: ObjectMeta) -> Ref:
    return Ref(names.API_VERSION, kind.__name__, metadata.namespace, metadata.name)
