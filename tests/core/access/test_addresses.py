# SPDX-License-Identifier: Apache-2.0
"""R3: nobody is led into the cluster, to its nodes or to the Pod itself, as if that were outside."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.webservice import Backend
from eservice_operator.core.access.addresses import address_finding
from eservice_operator.core.access.holding import decide_web_service, web_service_status
from eservice_operator.core.access.terms import Answer
from eservice_operator.core.actions import Outcome
from eservice_operator.core.conditions import find
from tests.core.access.register import Register, consumer, granted, passed
from tests.support import access
from tests.support.worlds import NAME, NAMESPACE, NOW, POLICY

CLUSTER = tuple(map(ip_network, ("10.96.0.0/12", "10.244.0.0/16", "fd00:10::/48")))
PLACE = (NAMESPACE, NAME)


def said(url: str, *networks: str) -> str | None:
    found = address_finding(Backend(url=url, networks=networks), CLUSTER)
    if found is None:
        return None
    assert (found.answer, found.reason) == (Answer.WAITING, Reason.BACKEND_NOT_ALLOWED)
    return found.message


@pytest.mark.parametrize(
    "url,networks,why",
    [
        ("https://10.96.0.1/", ["10.96.0.0/12"], "10.96.0.0/12 is in 10.96.0.0/12"),
        ("https://api.vzd.example/", ["198.51.100.0/28", "10.0.0.0/8"], "10.0.0.0/8 is in 10.96.0.0/12"),
        ("https://api.vzd.example/", ["10.244.7.7/32"], "10.244.7.7 is in 10.244.0.0/16"),
        ("https://api.vzd.example/", ["fd00:10::/64"], "fd00:10::/64 is in fd00:10::/48"),
        ("http://10.244.3.4:8080/", [], "10.244.3.4 is in 10.244.0.0/16, which is the cluster's own"),
        ("http://127.0.0.1/", [], "127.0.0.1 is never outside"),
        ("http://169.254.169.254/latest", [], "169.254.169.254 is never outside"),
        ("https://0.0.0.0", [], "0.0.0.0 is never outside"),
        ("https://224.0.0.1", [], "224.0.0.1 is never outside"),
        ("https://198.51.100.7", ["198.51.100.16/28", "2001:db8::/32"], "in none of backend.networks"),
    ],
)
def test_where_nobody_is_led(url: str, networks: list[str], why: str) -> None:
    assert why in (said(url, *networks) or "")


@pytest.mark.parametrize(
    "url,networks",
    [
        ("https://api.vzd.example/v2", []),
        ("https://api.vzd.example/v2", ["10.112.0.0/16", "2001:db8::/32"]),
        ("https://198.51.100.7:8443/%zz", ["198.51.100.0/28"]),
        ("https://198.51.100.7/", []),
    ],
)
def test_what_is_outside(url: str, networks: list[str]) -> None:
    assert said(url, *networks) is None


def test_of_a_service_beside_it_nothing_is_asked() -> None:
    assert address_finding(Backend.model_validate({"service": {"name": "a", "port": 80}}), CLUSTER) is None


def reaching(*networks: str) -> Register:
    """The population register somewhere outside, and the e-service that has a grant."""
    backend: dict[str, Any] = {"service": None, "url": "https://api.ur.example", "networks": list(networks)}
    offer = access.offer(access.web_service(spec={"backend": backend}))
    return Register(
        offers=(replace(offer, cluster_networks=CLUSTER),),
        grants=granted(access.grant()),
        consumers=(consumer(PLACE, access.use("v5")),),
        tests=passed(access.connection_test()),
    )


def test_both_sides_read_why_it_is_not_opened() -> None:
    register = reaching("198.51.100.0/28", "10.0.0.0/8")
    asked = register.standing(PLACE)
    assert (asked.answer, asked.reason) == (Answer.WAITING, Reason.BACKEND_NOT_ALLOWED)
    assert "10.0.0.0/8 is in 10.96.0.0/12" in asked.message

    world = register.web_service()
    status = web_service_status(decide_web_service(world, NOW, POLICY), Outcome(()), NOW, POLICY)
    condition = find(status.conditions, ConditionType.BACKEND_FOUND)
    assert condition is not None
    assert (condition.status, condition.reason) == (ConditionStatus.FALSE, Reason.BACKEND_NOT_ALLOWED)
    assert condition.message == asked.message
    ready = find(status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.message) == (condition.reason, condition.message)


def test_what_is_outside_is_opened() -> None:
    assert reaching("198.51.100.0/28").standing(PLACE).allowed
