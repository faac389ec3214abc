# SPDX-License-Identifier: Apache-2.0
"""Nothing that a tenant can write or delete brings a host onto a public route (R1)."""

from __future__ import annotations

import copy

import pytest

from tests.support.pure_cluster import PureCluster
from tests.support.worlds import HOST, NAMESPACE, ROUTE, ROUTES, at

LATER = at("2026-10-20")
AT_ROUTE = ("HTTPRoute", ROUTES, ROUTE)
STRANGE = "shop.latvija.example"


def forge_snapshot(cluster: PureCluster, host: str) -> None:
    """A ControllerRevision that says of itself that it is ours, and remembers other hosts."""
    forged = copy.deepcopy(next(iter(cluster.of_kind("ControllerRevision").values())))
    forged["metadata"] |= {"name": "forged", "uid": "uid-forged"}
    forged |= {"revision": 99, "data": forged["data"] | {"hosts": [host]}}
    cluster.objects["ControllerRevision", NAMESPACE, "forged"] = forged


def forget_snapshots(cluster: PureCluster) -> None:
    for place in [place for place in cluster.objects if place[0] == "ControllerRevision"]:
        del cluster.objects[place]


def hosts(cluster: PureCluster) -> list[str]:
    found: list[str] = cluster.objects[AT_ROUTE]["spec"]["hostnames"]
    return found


def test_a_lost_snapshot_gives_no_host(public: PureCluster) -> None:
    forget_snapshots(public)
    public.edit_service(publication={"hosts": [STRANGE]})
    public.settle(LATER)
    assert hosts(public) == [HOST]
    assert public.gates() == ["HostAllowed"]


def test_a_forged_snapshot_gives_no_host(public: PureCluster) -> None:
    forge_snapshot(public, STRANGE)
    public.edit_service(productionRequest=None)
    public.settle(LATER)
    assert hosts(public) == [HOST]


@pytest.mark.parametrize("claims, kept", [((), STRANGE), (((STRANGE, "HTTPRoute shop/shop"),), HOST)])
def test_a_registered_host_comes_unless_somebody_has_it(
    public: PureCluster, claims: tuple[tuple[str, str], ...], kept: str
) -> None:
    entries = [{"environment": "Production", "host": host} for host in (HOST, STRANGE)]
    public.edit(("EServiceRegistration", "", "address-declaration"), spec={"hosts": entries})
    public.claims = claims
    forget_snapshots(public)
    public.edit_service(publication={"hosts": [STRANGE]})
    public.settle(LATER)
    assert hosts(public) == [kept]
