# SPDX-License-Identifier: Apache-2.0
"""What the objects of access are called: never two things the same, nor what an e-service has."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from eservice_operator.api.uses import Use, WebServiceRef
from eservice_operator.core.access.naming import audience_of, binding_of, grant_child, wall_of
from tests.support import access


def use(*version: str | None, **differs: Any) -> Use:
    return Use.model_validate(access.use(*version, **differs))


def test_two_bindings_of_a_namespace_have_two_names() -> None:
    """Also where the names of e-service and use run into each other."""
    bindings = [
        binding_of("address", use()),
        binding_of("address", use("v4")),
        binding_of("address", use(None)),
        binding_of("address", use(namespace=access.HOLDER_IN_TEST)),
        binding_of("address", use(web_service="other")),
        binding_of("address", use(None, agent=access.AGENT)),
        binding_of("address", use(name="persons-b")),
        binding_of("address-persons", use(name="b")),
    ]
    assert all(one != other for one, other in combinations(bindings, 2))


def test_a_binding_is_called_by_what_it_is_for() -> None:
    name = binding_of("address", use())
    assert name.startswith("address-persons-")
    assert len(binding_of("a" * 63, use(name="b" * 48))) <= 253


def test_what_grants_and_web_services_have_is_called_as_no_child_of_an_e_service_is() -> None:
    assert "." in grant_child("a")
    assert "." in wall_of("a")
    assert grant_child("a") != wall_of("a")


def test_the_audience_is_of_one_web_service() -> None:
    audience = audience_of(WebServiceRef(namespace="ur-production", name="population-register"))
    assert audience == "webservice.eservice.dev/ur-production/population-register"
