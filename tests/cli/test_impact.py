# SPDX-License-Identifier: Apache-2.0
"""``impact``: what an end would close, beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from eservice_operator.cli import impact as module
from tests.cli.shelf import Shelf, typed
from tests.support import access, worlds

Golden = Callable[[str, str], None]
Body = dict[str, Any]
Lost = tuple[str, list[str], str]
"""An e-service, the contract versions that it loses, and why."""
HOLDER = ("-n", access.HOLDER)
NAME = worlds.NAME
PUBLISHED = [worlds.condition("Published", "Published")]
CODES = {"evry-app": "40003022232", "rezekne": "90000025465", "cesis": "90000031048", "ogre": "90000024455"}
REST_CONTRACTS = [{"version": "v1", "endOfLife": "2027-06-30"}, {"version": "v2"}]
OGRE = {"name": "Ogre", "code": CODES["ogre"], "since": "2026-09-01"}


def registered(name: str, namespace: str, institution: str, code: str) -> Body:
    """A registration that places its e-services into that namespace."""
    places = [{"environment": "Production", "name": namespace, "state": "Ready"}]
    return worlds.registration(
        metadata={"name": name, "uid": f"uid-{name}"},
        spec={
            "institution": {"name": institution, "code": code},
            "namespaces": [{"environment": "Production", "name": namespace}],
        },
        status={"namespaces": places},
    )


def calling(name: str, *uses: Body, public: bool = True) -> Body:
    """An e-service in a namespace of its own that asks for these."""
    return worlds.eservice(
        metadata={"name": name, "namespace": f"{name}-production", "uid": f"uid-{name}"},
        spec={"registration": name, "uses": list(uses)},
        status={"observedGeneration": 1, "conditions": PUBLISHED if public else []},
    )


def holder(*more: Body, refused: tuple[str, ...] = (), **patched: Body) -> Shelf:
    """A register with two direct consumers and an agent with three customers, and an address register."""
    through = access.use(None, agent=access.AGENT)
    agent_app = {"consumer": {"namespace": "evry-app-production", "name": "evry-app"}}
    objects = {
        "web_service": access.web_service(),
        "rest": access.rest_service(
            spec={"contracts": [{"version": "v1", "endOfLife": "2027-06-30"}, {"version": "v2"}]}
        ),
        "grant": access.grant(spec={"contractVersions": access.granted("v4", "v5")}),
        "rest_grant": access.rest_grant("addresses", spec={"validUntil": "2028-01-01"}),
        "connection": access.grant("evry-app", spec=agent_app | {"agent": {"assignment": access.AGENT}}),
        "assignment": access.assignment(spec={"customers": [OGRE]}),
    } | patched
    services = [
        worlds.eservice(
            spec={
                "uses": [
                    access.use("v5"),
                    access.use("v4", name="persons-before"),
                    access.use(None, name="addresses", web_service=access.ADDRESSES),
                ]
            },
            status={"observedGeneration": 1, "conditions": PUBLISHED},
        ),
        calling("evry-app", access.use("v5")),
        *(calling(name, through, public=name == "ogre") for name in ("rezekne", "cesis", "ogre")),
    ]
    registrations = [
        worlds.registration(),
        *(registered(name, f"{name}-production", name.title(), code) for name, code in CODES.items()),
    ]
    backends = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": access.HOLDER, "uid": name, "resourceVersion": "1"},
            "spec": {"selector": access.POD_LABELS, "ports": [{"port": 8443}]},
        }
        for name in (access.REGISTER, access.ADDRESSES)
    ]
    labels = access.labels(objects["web_service"])
    namespace = {"name": access.HOLDER, "uid": "n", "resourceVersion": "1", "labels": labels}
    tests = [
        access.connection_test(f"{name}-{version}", version, spec={"registration": name})
        for name in (NAME, "evry-app")
        for version in ("v4", "v5")
    ]
    place = {"apiVersion": "v1", "kind": "Namespace", "metadata": namespace}
    return Shelf(
        *objects.values(), *services, *registrations, *backends, place, *tests, *more, refused=refused
    )


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "now", lambda: worlds.NOW)


def closes(shelf: Shelf, *arguments: str) -> list[Lost]:
    """Each e-service, the versions that it loses, and why."""
    answer = typed(shelf, "impact", *arguments, *HOLDER, "-o", "json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    return [(one["eService"], one["contractVersions"], one["reason"]) for one in found["closes"]]


DIRECT = [(NAME, ["v5"], "AccessNotGranted"), (NAME, ["v4"], "AccessNotGranted")]
THROUGH = ["cesis", "evry-app", "ogre", "rezekne"]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["wsg/address-declaration"], DIRECT),
        (
            ["webservicegrant", "address-declaration", "--version", "v4"],
            [(NAME, ["v4"], "VersionNotGranted")],
        ),
        (["ws/population-register", "--version", "v4"], [(NAME, ["v4"], "ContractRetired")]),
        (["ws/address-register", "--version", "v1"], [(NAME, ["v1"], "ContractRetired")]),
        (["wsg/addresses"], [(NAME, ["v1", "v2"], "AccessNotGranted")]),
        (
            ["agent/evry", "--customer", CODES["ogre"]],
            [("ogre", ["v5"], "AccessNotGranted")],
        ),
        (["--at", "2027-11-01"], [(NAME, ["v1"], "ContractRetired"), (NAME, ["v4"], "ContractRetired")]),
        (["--at", "2027-10-31"], [(NAME, ["v1"], "ContractRetired")]),
        (["ws/population-register", "--at", "2027-11-01"], [(NAME, ["v4"], "ContractRetired")]),
        (["wsg/addresses", "--at", "2028-01-01"], [(NAME, ["v1"], "ContractRetired")]),
        (["wsg/addresses", "--at", "2028-01-02"], [(NAME, ["v1", "v2"], "Expired")]),
        (["agent/evry", "--at", "2028-01-02"], []),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else "",
)
def test_exactly_what_would_be_closed(
    arguments: list[str], expected: list[tuple[str, list[str], str]]
) -> None:
    assert sorted(closes(holder(), *arguments)) == sorted(expected)


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["wsg/evry-app"], "AgentNotConnected"),
        (["agent/evry"], "AccessNotGranted"),
        (["agent/evry", "--customer", CODES["cesis"]], "AssignmentPending"),
    ],
)
def test_with_an_agent_ends_what_came_through_it(arguments: list[str], reason: str) -> None:
    found = closes(holder(), *arguments)
    assert sorted(name for name, _, _ in found) == THROUGH
    assert {why for name, _, why in found if name == "rezekne"} == {reason}


def test_the_page(golden: Golden) -> None:
    golden("impact", typed(holder(), "impact", "ws/population-register", *HOLDER).output)
    golden("impact-wide", typed(holder(), "impact", "agent/evry", *HOLDER, "-o", "wide", width=220).output)
    at = typed(holder(), "impact", "--at", "2028-01-02", *HOLDER, width=100)
    golden("impact-at", at.output)
    assert max(map(len, at.stdout.splitlines())) <= 100
