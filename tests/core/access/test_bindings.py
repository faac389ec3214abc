# SPDX-License-Identifier: Apache-2.0
"""R3, R9: what grants open for an e-service, and that others change nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from eservice_operator.api import names
from eservice_operator.core.actions import Delete, Manifest
from eservice_operator.core.decide import decide
from tests.core.access.bound import (
    PERSONS,
    POLICY_NAME,
    application,
    consumer,
    kind_of,
)
from tests.core.test_golden import RICH
from tests.support import holders
from tests.support.asking import (
    AskingCluster,
)
from tests.support.holders import HOLDER, REGISTER
from tests.support.pure_cluster import plain
from tests.support.worlds import NAMESPACE, NOW, POLICY

GOLDEN = Path(__file__).parent / "golden"


# what they look like


def _golden(path: Path, found: list[Manifest], *, update: bool) -> None:
    text = yaml.safe_dump_all([plain(body) for body in found], sort_keys=True, allow_unicode=True, width=100)
    if update:
        path.write_text(text)
    assert path.read_text() == text


def _made(cluster: AskingCluster) -> list[Manifest]:
    """The bindings and the policy, without what the cluster gives them."""
    kept = [*cluster.of_kind("ConfigMap").values(), cluster.of_kind("NetworkPolicy")[POLICY_NAME]]
    given = ("uid", "generation", "creationTimestamp")
    return [
        body | {"metadata": {key: value for key, value in body["metadata"].items() if key not in given}}
        for body in sorted(kept, key=lambda body: (body["kind"], body["metadata"]["name"]))
    ]


def test_the_children_of_a_consumer(request: pytest.FixtureRequest) -> None:
    cluster = consumer(workload=RICH)
    update = request.config.getoption("--update-golden")
    deployment = cluster.one("Deployment")["spec"]["template"]["spec"]
    pod = {
        "containers": [
            {key: one[key] for key in ("name", "env", "volumeMounts") if key in one}
            for one in (*deployment["containers"], *deployment["initContainers"])
        ],
        "volumes": deployment["volumes"],
    }
    _golden(GOLDEN / "consumer.yaml", _made(cluster), update=update)
    _golden(GOLDEN / "consumer-pod.yaml", [pod], update=update)


def test_the_children_of_an_agents_application(request: pytest.FixtureRequest) -> None:
    update = request.config.getoption("--update-golden")
    _golden(GOLDEN / "application.yaml", _made(application()), update=update)


def test_nothing_of_a_binding_ends_with_a_new_line() -> None:
    """An application reads the whole file; the layout has no line ends."""
    for cluster in (consumer(), application()):
        for body in cluster.of_kind("ConfigMap").values():
            assert all(value and value == value.strip() for value in body["data"].values())


# Pods


def test_init_containers_have_no_bindings_and_side_containers_have() -> None:
    spec = consumer(workload=RICH).one("Deployment")["spec"]["template"]["spec"]
    bound = {
        one["name"]: any(mount["mountPath"] == "/bindings/persons" for mount in one["volumeMounts"])
        for one in (*spec["containers"], *spec["initContainers"])
    }
    assert bound == {"app": True, "proxy": True, "migrate": False}


def test_the_word_of_the_operator_comes_after_that_of_a_secret() -> None:
    """Where two sources of a volume have a file of one name, the kubelet takes the later."""
    spec = consumer().one("Deployment")["spec"]["template"]["spec"]
    for volume in spec["volumes"][1:]:
        sources = [next(iter(source)) for source in volume["projected"]["sources"]]
        assert sources == ["secret", "configMap", "serviceAccountToken"]
        assert all(
            source.get("optional", True)
            for one in volume["projected"]["sources"][:2]
            for source in one.values()
        )


def test_an_agent_gets_no_token_that_the_web_service_takes() -> None:
    cluster = consumer()
    spec = cluster.one("Deployment")["spec"]["template"]["spec"]
    tokens = {
        volume["name"]: volume["projected"]["sources"][2]["serviceAccountToken"]["audience"]
        for volume in spec["volumes"][1:]
    }
    assert tokens["binding-persons"] == f"webservice.eservice.dev/{HOLDER}/{REGISTER}"
    assert tokens["binding-citizens"] == f"agent.eservice.dev/{HOLDER}/evry"
    for body in cluster.of_kind("ConfigMap").values():
        assert body["data"]["audience"] in tokens.values()


# at rest, and against others


def test_at_rest_nothing_is_written() -> None:
    for cluster in (consumer(), application()):
        decision = decide(cluster.world(), NOW, POLICY)
        assert decision.actions == ()


@pytest.mark.parametrize("kind", ["ConfigMap", "NetworkPolicy"])
def test_what_others_edit_is_put_back(kind: str) -> None:
    cluster = consumer(holders.USE)
    name = PERSONS if kind == "ConfigMap" else POLICY_NAME
    before = cluster.of_kind(kind)[name]
    patch: Manifest = (
        {"data": {"uri": "https://evil.example"}} if kind == "ConfigMap" else {"spec": {"egress": [{}]}}
    )
    cluster.vandalise((kind, NAMESPACE, name), **patch)
    cluster.settle(NOW)
    after = cluster.of_kind(kind)[name]
    assert [after.get(field) for field in ("data", "spec")] == [
        before.get(field) for field in ("data", "spec")
    ]


def test_a_child_that_is_deleted_comes_back() -> None:
    cluster = consumer(holders.USE)
    cluster.remove(("ConfigMap", NAMESPACE, PERSONS))
    cluster.remove(("NetworkPolicy", NAMESPACE, POLICY_NAME))
    cluster.settle(NOW)
    assert {kind_of(action) for action in cluster.log} == {"ConfigMap", "NetworkPolicy"}


def test_a_config_map_of_its_own_stays() -> None:
    """One that the institution made is no child, whatever its annotations say."""
    cluster = consumer(holders.USE)
    own = holders.body("ConfigMap", "texts", NAMESPACE, "v1") | {"data": {"motd": "hello"}}
    own["metadata"]["annotations"] = {names.GRANT_ANNOTATION: "ur-production/address"}
    cluster.objects["ConfigMap", NAMESPACE, "texts"] = own
    cluster.settle(NOW)
    assert "texts" in cluster.of_kind("ConfigMap")
    assert not any(isinstance(action, Delete) for action in cluster.log)
