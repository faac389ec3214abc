# SPDX-License-Identifier: Apache-2.0
"""E-services published by Ingresses that a real Traefik serves: what a citizen gets, asked from outside."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest, Ref
from tests.authorizer.proxies import free_port
from tests.support.cluster import Options, private_control_plane
from tests.support.fleet import Planned
from tests.support.kubectl import Kubectl
from tests.support.operator import PROGRAM, OperatorProcess, assert_log_clean
from tests.support.rights import INGRESS_RIGHTS, applied, operator_credentials, people_credentials
from tests.support.site import Site, message, says
from tests.support.street import address_of_pods
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

CLASS = "outside"
SETTINGS = {"publish-by": "ingress", "ingress-class": CLASS, "traffic-from": "gateway-system"}
INGRESS_CLASS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": CLASS},
    "spec": {"controller": "traefik.io/ingress-controller"},
}
LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def operator_settings(cluster: Cluster) -> Iterator[dict[str, str]]:
    """With the rights that they take."""
    applied(cluster, INGRESS_RIGHTS)
    yield SETTINGS
    applied(cluster, INGRESS_RIGHTS, "delete")


class Pod(BaseHTTPRequestHandler):
    """What runs in every Pod of these tests."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the e-service")

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who asks is the test."""


@pytest.fixture(scope="module")
def port(cluster: Cluster) -> Iterator[int]:
    """On which the Pods answer."""
    server = ThreadingHTTPServer((address_of_pods(cluster), 0), Pod)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def make_class(user: Path, folder: Path) -> None:
    """Create the IngressClass, as whoever runs the controller does."""
    manifest = folder / "class.json"
    manifest.write_text(json.dumps(INGRESS_CLASS))
    kubectl = [str(PROGRAM.with_name("kubectl")), f"--kubeconfig={user}", "apply", "-f", str(manifest)]
    subprocess.run(kubectl, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def controller(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The credentials of an Ingress controller, whose class is there."""
    folder = tmp_path_factory.mktemp("controller")
    user = cluster.user_kubeconfig("ingress-controller", ["system:masters"], folder / "kubeconfig")
    make_class(user, folder)
    return user


@pytest.fixture(scope="module")
def asked(controller: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Planned], int]]:
    """The status of an answer to a citizen, through an Ingress controller that does nothing else."""
    folder = tmp_path_factory.mktemp("ingress")
    entry = free_port()
    command = [
        str(PROGRAM.with_name("traefik")),
        f"--entrypoints.web.address={LOOPBACK}:{entry}",
        "--providers.kubernetesingress=true",
        f"--providers.kubernetesingress.ingressendpoint.ip={LOOPBACK}",
        "--providers.providersthrottleduration=50ms",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]
    with (folder / "log").open("wb") as log:
        traefik = subprocess.Popen(command, stdout=log, stderr=log, env={"KUBECONFIG": str(controller)})

    def ask(planned: Planned) -> int:
        connection = HTTPConnection(LOOPBACK, entry, timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": planned.host})
            answer = connection.getresponse()
            assert answer.status != HTTPStatus.OK or answer.read() == b"the e-service"
        except OSError:
            return 0
        else:
            return answer.status
        finally:
            connection.close()

    yield ask
    traefik.terminate()
    with suppress(subprocess.TimeoutExpired):
        traefik.wait(10)
    traefik.kill()


def ingress_of(planned: Planned) -> Ref:
    return Ref("networking.k8s.io/v1", "Ingress", planned.namespace, planned.name)


def eservice(planned: Planned, port: int, **publication: object) -> Manifest:
    return planned.eservice(spec={"workload": {"port": port}, "publication": publication})


async def test_published_paused_and_published_again(
    site: Site, port: int, asked: Callable[[Planned], int]
) -> None:
    await site.prepare()
    planned = site.planned()
    await site.apply(planned.registration(), planned.act(), planned.verification(), eservice(planned, port))
    public = await site.settled(planned, "Published")
    assert "does not say whether it serves it" in message(public, "Published")
    assert says(public, "HostProtected", "False", "IngressTrust")
    assert public["status"]["publicURL"] == f"https://{planned.host}/"
    await answers(asked, planned, 200)
    assert await site.api.get(planned.route) is None

    await site.apply(eservice(planned, port, paused={"reason": "maintenance"}))
    await site.settled(planned, "Paused")
    await answers(asked, planned, 404)
    assert await site.api.get(ingress_of(planned)) is None

    await site.apply(eservice(planned, port))
    await site.settled(planned, "Published")
    await answers(asked, planned, 200)

    await site.delete(planned.ref)
    await site.gone(ingress_of(planned))
    await answers(asked, planned, 404)


@pytest.mark.usefixtures("controller", "operator")
async def test_annotations_of_others_are_taken_off_whoever_owns_them(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.apply(*planned.everything())
    await site.settled(planned, "Published")
    ingress = ingress_of(planned)
    redirect = {"nginx.ingress.kubernetes.io/permanent-redirect": "https://elsewhere.example"}
    where = {"name": planned.name, "namespace": planned.namespace}
    foreign: Manifest = {"apiVersion": ingress.api_version, "kind": "Ingress"}
    await site.apply(foreign | {"metadata": where | {"annotations": redirect}})
    told = await site.until(
        planned.ref, lambda body: body["status"].get("removedAnnotations") == [*redirect], "it is said"
    )
    assert says(told, "Published", "True", "Published")
    annotations = (await site.see(ingress))["metadata"]["annotations"]
    assert list(annotations) == ["eservice.dev/manifest"]
    await site.settled(planned, "Published")


@pytest.mark.usefixtures("controller", "operator")
async def test_who_makes_it_theirs_is_told_so_and_a_pause_is_not_final(site: Site) -> None:
    await site.prepare()
    planned = site.planned()
    await site.apply(*planned.everything())
    await site.settled(planned, "Published")
    ingress = ingress_of(planned)
    paused = planned.eservice(spec={"publication": {"paused": {"reason": "maintenance"}}})
    live = await site.see(ingress)
    await site.apply(paused)
    await site.gone(ingress)
    theirs = {"name": planned.name, "namespace": planned.namespace}
    await site.create({key: live[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": theirs})
    told = await site.until(
        planned.ref, lambda body: says(body, "Published", "Unknown", "IngressNotOurs"), "it is said"
    )
    assert f"{ingress} is there and is not ours to take off" in message(told, "Published")
    assert says(told, "Stalled", "True", "NameCollision")
    assert told["status"]["phase"] == "Paused"
    await site.told(planned.ref, "NameCollision", message(told, "Stalled"))
    assert "deletionTimestamp" not in (await site.see(ingress))["metadata"]
    await site.delete(ingress)
    await site.until(planned.ref, lambda body: says(body, "Published", "False", "Paused"), "it is final")


@pytest.mark.usefixtures("controller")
async def test_from_ingress_to_gateway_and_back(
    site: Site,
    port: int,
    operator: OperatorProcess,
    operator_kubeconfig: Path,
    tmp_path: Path,
) -> None:
    await site.prepare()
    planned = site.planned()
    await site.apply(planned.registration(), planned.act(), planned.verification(), eservice(planned, port))
    await site.settled(planned, "Published")
    operator.end()
    other = await OperatorProcess(operator_kubeconfig, tmp_path / "log").start()
    try:
        await site.gone(ingress_of(planned))
        assert await site.api.get(planned.route) is not None, "the other one came first"
        assert says(await site.see(planned.ref), "Published", "True", "Published")
    finally:
        other.end()
    await operator.start()
    both = await site.until(
        planned.ref,
        lambda body: "serves it too, until somebody deletes it" in message(body, "Published"),
        "both routes are named",
    )
    assert says(both, "Published", "True", "Published")
    assert await site.api.get(ingress_of(planned)) is not None
    assert await site.api.get(planned.route) is not None, "nobody knows whether the Ingress is served"
    await site.delete(planned.route)
    await site.until(
        planned.ref, lambda body: "of before" not in message(body, "Published"), "the former one is forgotten"
    )
    assert await site.api.get(planned.route) is None
    assert await site.api.get(ingress_of(planned)) is not None
    await site.settled(planned, "Published")


async def test_a_cluster_without_the_gateway_api_is_enough(tmp_path: Path) -> None:
    """What is not installed is not waited for, nor taken for something that nobody may see."""
    with private_control_plane(tmp_path / "cluster", Options(gateway=False)) as cluster:
        user = people_credentials(cluster, tmp_path / "user")
        kubectl = Kubectl(user)
        _, kinds = await kubectl("get", "crd", "-o", "name")
        for kind in kinds.split():
            if kind.endswith("gateway.networking.k8s.io"):
                code, printed = await kubectl("delete", kind)
                assert code == 0, printed
        applied(cluster, INGRESS_RIGHTS)
        rightful = operator_credentials(cluster, tmp_path / "operator")
        operator = OperatorProcess(rightful, tmp_path / "log", SETTINGS).launch()
        try:
            await operator.until_ready()
            async with KubeApi(await credentials.load(str(user), None)) as people:
                site = Site(people)
                await site.prepare()
                planned = site.planned()
                await site.apply(planned.registration(), planned.act(), planned.verification())
                await site.apply(planned.eservice())
                missed = await site.until(
                    planned.ref,
                    lambda body: says(body, "Published", "False", "IngressClassNotFound"),
                    "missed",
                )
                assert says(missed, "Ready", "False", "IngressClassNotFound")
                make_class(user, tmp_path)
                await site.settled(planned, "Published")
                assert await people.get(ingress_of(planned)) is not None
                code, printed = await explained(planned, user)
                assert code == 0, printed
                assert "HTTPRoute" not in printed
        finally:
            operator.end()
        assert_log_clean(operator.records())


async def explained(planned: Planned, kubeconfig: Path) -> tuple[int, str]:
    """What `kubectl eservice explain` tells a person there."""
    command = ["explain", planned.name, "-n", planned.namespace, "--publish-by", "ingress"]
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM.with_name("kubectl-eservice")),
        *command,
        env=os.environ | {"KUBECONFIG": str(kubeconfig), "PATH": str(PROGRAM.parent)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def answers(asked: Callable[[Planned], int], planned: Planned, status: int) -> None:
    await eventually(lambda: asked(planned) == status, f"{planned.host} answers {status}", 30.0)
