# SPDX-License-Identifier: Apache-2.0
"""Two hundred e-services on which nothing changes: the operator reads now and then, and writes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN
from tests.support import fleet
from tests.support.audit import AuditLog, Request, counted
from tests.support.cluster import private_control_plane
from tests.support.crowd import CONVERGED, publish
from tests.support.figures import Figures
from tests.support.fleet import Planned
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.rights import operator_credentials, people_credentials
from tests.support.site import Site, poll

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

FLEET = 200
NAMESPACES = 10
PERIODS = 2


@pytest.fixture(scope="module")
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Cluster"]:
    """A control plane of its own: whatever is written there, the operator under test has written."""
    with private_control_plane(tmp_path_factory.mktemp("fleet")) as running:
        yield running


async def test_a_converged_fleet_costs_no_write(
    empty_cluster: "Cluster", tmp_path: Path, figures: Figures
) -> None:
    kubeconfig = operator_credentials(empty_cluster, tmp_path / "operator")
    people = people_credentials(empty_cluster, tmp_path / "people")
    audit = AuditLog.from_now(empty_cluster.audit_log)
    operator = OperatorProcess(kubeconfig, tmp_path / "log")
    try:
        await operator.start()
        async with KubeApi(await credentials.load(str(people), None)) as api:
            site = Site(api)
            services = [
                Planned(
                    f"s{number:04d}-{site.mark}", f"{site.namespace}-{number % NAMESPACES}", site.template
                )
                for number in range(FLEET)
            ]
            await publish(site, fleet.template(site.template), services)
            writes = [request for request in audit.writes() if request.resource != "events"]
            figures.add(
                f"{FLEET} e-services published: writes but Events, each", round(len(writes) / FLEET, 1)
            )
            assert_made_once(writes)
            await operator.at_rest()  # what it has not said yet, the next one would say
            assert await operator.terminate() == 0
            audit.skip()

            operator.settings["resync"] = "4s"
            await operator.start()
            await looked_at_all(operator, times=1)
            restarted = audit.by()
            figures.add(f"… a restart: writes, with {FLEET} e-services", len(written(restarted)))
            figures.add("… a restart: reads", len(reads(restarted)), counted(reads(restarted)))
            assert not written(restarted), written(restarted)
            assert {request.verb for request in restarted if request.resource} == {"list", "watch"}

            audit.skip()
            await looked_at_all(operator, times=1 + PERIODS)
            await listed(audit, times=PERIODS)
            settled = audit.by()
            figures.add(f"… {PERIODS} resync periods: writes", len(written(settled)))
            figures.add(f"… {PERIODS} resync periods: reads", len(reads(settled)), counted(reads(settled)))
            assert not written(settled), written(settled)
            assert {request.verb for request in settled} <= {"list", "watch"}
            assert await operator.terminate() == 0
            await site.assert_sound()
    finally:
        operator.end()
    assert_log_clean(operator.records())


async def looked_at_all(operator: OperatorProcess, times: int) -> None:
    """Wait until every e-service has been reconciled so often, and nothing waits to be."""

    async def done() -> bool:
        metrics = operator.metrics()
        seen = sum(
            value
            for series, value in metrics.items()
            if series.startswith("eservice_operator_reconciles_total{") and 'kind="EService"' in series
        )
        waiting = metrics["eservice_operator_queue_depth"] + metrics["eservice_operator_queue_running"]
        return seen >= times * FLEET and not waiting

    await poll(done, lambda: f"{times} looks at each of {FLEET} e-services", CONVERGED)


async def listed(audit: AuditLog, times: int) -> None:
    """Wait until every kind has been listed so often."""
    wanted = {resource.plural for resource in (*OWN, *CHILDREN, *OBSERVED)}

    async def done() -> bool:
        lists = [request.resource for request in audit.by() if request.verb == "list"]
        return all(lists.count(plural) >= times for plural in wanted)

    await poll(done, lambda: f"{times} lists of each kind: {counted(audit.by())}", CONVERGED)


def assert_made_once(writes: list[Request]) -> None:
    made = [request.target for request in writes if request.verb == "create" and request.code < 300]
    assert len(made) == len(set(made))
    assert not [request for request in writes if request.verb == "create" and request.code >= 300]


def written(requests: list[Request]) -> list[Request]:
    return [request for request in requests if request.writes]


def reads(requests: list[Request]) -> list[Request]:
    return [request for request in requests if request.resource and not request.writes]
