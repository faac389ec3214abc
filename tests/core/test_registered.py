# SPDX-License-Identifier: Apache-2.0
"""R1: whom a registration places, and what is remembered of the answers."""

from __future__ import annotations

from eservice_operator.api.base import Environment
from eservice_operator.api.reasons import Reason
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.core import registered
from eservice_operator.core.registered import place_problem
from tests.support import worlds

NOBODY: registered.Problems = {}


def test_who_names_it_from_many_namespaces_is_not_remembered() -> None:
    """Anybody can, in as many as they have."""
    registration = EServiceRegistration.model_validate(worlds.registration(metadata={"uid": "named-by-many"}))
    assert place_problem(registration, Environment.PRODUCTION, worlds.NAMESPACE) is None
    for number in range(50):
        problem = place_problem(registration, Environment.PRODUCTION, f"elsewhere-{number}")
        assert problem is not None
        assert problem[0] is Reason.NAMESPACE_NOT_REGISTERED
    known = registered._known.recall(registration.metadata.uid, registration, lambda _: NOBODY)
    assert known == {(Environment.PRODUCTION, worlds.NAMESPACE): None}
