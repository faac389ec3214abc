# SPDX-License-Identifier: Apache-2.0
"""R3, R9: what grants open for an e-service, and that each end takes exactly that away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from eservice_operator.api import names
from eservice_operator.api.reasons import ConditionType
from eservice_operator.api.uses import Use
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.actions import Action, Create, Delete, DeleteNamed, Manifest, Update
from eservice_operator.core.decide import decide
from tests.core.test_golden import RICH
from tests.support import holders, worlds
from tests.support.asking import (
    ADDRESS_USE,
    AskingCluster,
    agent_in_order,
    asking,
    customer,
    holder_in_order,
    registered,
    rest_grant,
    rest_service,
    through,
)
from tests.support.holders import HOLDER, REGISTER
from tests.support.pure_cluster import plain
from tests.support.worlds import NAME, NAMESPACE, NOW, POLICY, at

GOLDEN = Path(__file__).parent / "golden"
CITIZENS = through() | {"name": "citizens"}
PMLP = {"name": "PMLP", "code": "90000054163", "since": "2026-09-01"}
PMLP_AGENT = {"name": "PMLP", "code": "90000054163"}
PERSONS, ADDRESSES, THROUGH = (
    binding_of(NAME, Use.model_validate(use)) for use in (holders.USE, ADDRESS_USE, CITIZENS)
)
POLICY_NAME = f"access.{NAME}"


def consumer(*uses: Manifest, **spec: Any) -> AskingCluster:
    """The e-service with a SOAP, a REST and an agent's web service, all of them granted, and public."""
    cluster = asking(*(uses or (holders.USE, ADDRESS_USE, CITIZENS)), **spec)
    cluster.answer(*holder_in_order(), *agent_in_order())
    cluster.answer(holders.assignment(spec={"customers": [PMLP]}))
    cluster.settle(NOW)
    assert cluster.routed()
    cluster.forget()
    return cluster


def application() -> AskingCluster:
    """The e-service as an agent's application, which two institutions call through."""
    cluster = asking(holders.AS_AGENT)
    cluster.answer(*holder_in_order(), own_assignment())
    cluster.answer(holders.grant(spec={"agent": {"assignment": "evry"}}))
    cluster.answer(*customer(), *customer("cesis", "cesis-production", "90000031048"))
    cluster.settle(NOW)
    assert cluster.routed()
    cluster.forget()
    return cluster


def own_assignment(**spec: Any) -> Manifest:
    return holders.assignment(spec={"agent": PMLP_AGENT} | spec)


def policy(cluster: AskingCluster) -> Manifest:
    return dict(cluster.of_kind("NetworkPolicy").get(POLICY_NAME, {}).get("spec", {}))


def steps(cluster: AskingCluster) -> list[tuple[str, str]]:
    """What was written, in order: the verb and the kind."""
    return [(type(action).__name__, _kind(action)) for action in cluster.log]


def _kind(action: Action) -> str:
    return str(action.manifest["kind"]) if isinstance(action, Create | Update) else action.ref.kind


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


# opened and ended


def test_an_end_takes_exactly_its_own() -> None:
    cluster = consumer()
    before = policy(cluster)["egress"]
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert sorted(cluster.of_kind("ConfigMap")) == [ADDRESSES, THROUGH]
    register = [rule for rule in before if rule not in policy(cluster)["egress"]]
    assert [rule["ports"] for rule in register] == [[{"port": "https", "protocol": "TCP"}]]
    assert steps(cluster) == [("Delete", "ConfigMap"), ("Update", "NetworkPolicy")]


def test_the_last_end_takes_the_policy_away() -> None:
    cluster = consumer(holders.USE)
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert not policy(cluster)
    assert not cluster.of_kind("ConfigMap")
    assert NAME in cluster.of_kind("NetworkPolicy"), "that of the workload stays"


def test_a_binding_ends_at_the_instant_and_nobody_has_to_say_so() -> None:
    cluster = consumer(holders.USE)
    cluster.answer(holders.grant(spec={"validUntil": "2026-10-20"}))
    decision = cluster.advance(NOW, at("2026-10-20", "23:59"))
    assert decision is not None
    assert cluster.of_kind("ConfigMap")
    assert decision.next_at == at("2026-10-21", "00:00")
    cluster.settle(at("2026-10-21", "00:00"))
    assert not cluster.of_kind("ConfigMap")


def test_who_is_not_installed_has_no_bindings() -> None:
    cluster = asking(holders.USE, productionRequest=None)
    cluster.answer(*holder_in_order())
    cluster.settle(NOW)
    assert cluster.gates()
    assert not cluster.of_kind("ConfigMap")
    assert not policy(cluster)


def test_the_releases_that_run_have_theirs_side_by_side() -> None:
    cluster = consumer(holders.USE)
    cluster.edit_service(
        release={"image": worlds.image("b")},
        uses=[holders.USE | {"webService": ADDRESS_USE["webService"], "contractVersion": None}],
    )
    cluster.put(worlds.act("act-b", spec={"image": worlds.image("b")}))
    cluster.settle(NOW)
    assert len(cluster.of_kind("Deployment")) == 2
    assert len(cluster.of_kind("ConfigMap")) == 2, "one name, two web services"


def test_an_address_outside_is_reached_on_its_port_only() -> None:
    cluster = consumer(ADDRESS_USE)
    backend = {"url": "https://addresses.ur.example:8443/api"}
    cluster.answer(rest_service(spec={"backend": backend}))
    cluster.settle(NOW)
    (rule,) = policy(cluster)["egress"]
    assert rule["ports"] == [{"port": 8443, "protocol": "TCP"}]
    assert cluster.one("ConfigMap")["data"]["port"] == "8443"


# credentials


def with_credentials() -> AskingCluster:
    """The operator copied the grant's Secret beside the binding."""
    cluster = consumer(holders.USE)
    cluster.answer(holders.grant(spec={"credentials": {"secretName": "key"}}))
    cluster.settle(NOW)
    binding = cluster.one("ConfigMap")
    assert binding["metadata"]["annotations"][names.CREDENTIALS_ANNOTATION] == PERSONS
    secret = holders.body("Secret", PERSONS, NAMESPACE, "v1")
    secret["metadata"]["labels"] = {names.OWNER_UID_LABEL: cluster.service.metadata.uid}
    cluster.objects["Secret", NAMESPACE, PERSONS] = secret
    cluster.forget()
    return cluster


def test_credentials_go_before_the_binding_that_tells_of_them() -> None:
    cluster = with_credentials()
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert steps(cluster)[-2:] == [("DeleteNamed", "Secret"), ("Delete", "ConfigMap")]
    assert not cluster.of_kind("Secret")


def test_credentials_end_where_the_grant_names_none_any_more() -> None:
    cluster = with_credentials()
    cluster.answer(holders.grant())
    cluster.settle(NOW)
    assert steps(cluster) == [("DeleteNamed", "Secret"), ("Update", "ConfigMap")]
    assert names.CREDENTIALS_ANNOTATION not in cluster.one("ConfigMap")["metadata"]["annotations"]


def test_the_annotation_of_somebody_else_names_no_other_secret() -> None:
    cluster = with_credentials()
    place = "ConfigMap", NAMESPACE, PERSONS
    cluster.objects[place]["metadata"]["annotations"][names.CREDENTIALS_ANNOTATION] = "database"
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert [action.ref.name for action in cluster.log if isinstance(action, DeleteNamed)] == [PERSONS]


def test_an_agents_credentials_are_not_its_customers() -> None:
    cluster = consumer(CITIZENS)
    grant = cluster.around["WebServiceGrant", HOLDER, "evry-connection"]
    cluster.answer(worlds.merged(grant, {"spec": {"credentials": {"secretName": "key"}}}))
    cluster.settle(NOW)
    assert names.CREDENTIALS_ANNOTATION not in cluster.one("ConfigMap")["metadata"]["annotations"]


# an agent's customers


def peers(cluster: AskingCluster) -> list[str]:
    return [
        f"{peer['namespaceSelector']['matchLabels'][names.NAMESPACE_NAME_LABEL]}"
        f"/{peer['podSelector']['matchLabels'][names.ESERVICE_LABEL]}"
        for rule in policy(cluster).get("ingress", ())
        for peer in rule["from"]
    ]


def test_a_customer_that_leaves_is_let_in_no_more_and_the_other_is() -> None:
    cluster = application()
    assert peers(cluster) == ["cesis-production/cesis", "ogre-production/ogre"]
    cluster.answer(own_assignment(customers=[]))
    cluster.settle(NOW)
    assert peers(cluster) == ["cesis-production/cesis"]
    assert cluster.one("ConfigMap")["data"]["customers"] == "90000031048"


def test_who_orders_and_is_not_listed_is_not_let_in() -> None:
    cluster = application()
    cluster.answer(*customer("liepaja", "liepaja-production", "90000063185"))
    cluster.settle(NOW)
    assert not cluster.log


@pytest.mark.parametrize("uses", [(holders.USE,), (holders.USE, holders.AS_AGENT | {"asAgent": "other"})])
def test_nobody_is_made_an_agents_application_by_a_holder(uses: tuple[Manifest, ...]) -> None:
    """A holder that lists whom it likes, and grants a consumer as the agent, opens no way to its Pods."""
    cluster = asking(*uses)
    cluster.answer(*holder_in_order(), own_assignment())
    cluster.answer(*customer(), *customer("cesis", "cesis-production", "90000031048"))
    cluster.settle(NOW)
    cluster.forget()
    cluster.answer(holders.grant("second", spec={"agent": {"assignment": "evry"}}))
    cluster.settle(NOW)
    assert not cluster.log
    assert peers(cluster) == []
    assert all("customers" not in body["data"] for body in cluster.of_kind("ConfigMap").values())


def test_customers_come_to_one_application_only() -> None:
    """Where grants let in two for one assignment, customers are led to that of the older."""
    cluster = application()
    older = {"metadata": {"creationTimestamp": "2026-01-01T08:00:00Z"}}
    others = {(one["kind"], one["metadata"]["name"]): one for one in agent_in_order()}
    others["WebServiceGrant", "evry-connection"] = worlds.merged(
        others["WebServiceGrant", "evry-connection"], older
    )
    others["AgentAssignment", "evry"] = own_assignment()
    others["EServiceRegistration", "gateway"] = registered(
        "gateway", "evry-production", "PMLP", "90000054163"
    )
    cluster.answer(*others.values())
    cluster.settle(NOW)
    assert peers(cluster) == []
    assert cluster.one("ConfigMap")["data"]["customers"] == ""


def test_the_end_of_the_assignment_ends_all_that_came_through_it() -> None:
    cluster = application()
    cluster.answer(own_assignment(ended={"at": "2026-10-13", "reason": "over"}))
    cluster.settle(NOW)
    assert not policy(cluster)
    assert not cluster.of_kind("ConfigMap")


def test_a_customer_is_led_to_the_application_and_not_to_the_register() -> None:
    cluster = consumer(CITIZENS)
    (rule,) = policy(cluster)["egress"]
    (peer,) = rule["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {names.NAMESPACE_NAME_LABEL: "evry-production"}
    assert peer["podSelector"]["matchLabels"] == {names.ESERVICE_LABEL: "gateway"}
    cluster.take_back("Service", "evry-production", "gateway")
    cluster.settle(NOW)
    assert not policy(cluster), "no Pods are known"


# what takes, takes in any case


def unread(cluster: AskingCluster) -> AskingCluster:
    """Somebody writes what the operator cannot read."""
    cluster.objects[cluster.service_place]["spec"]["workload"]["port"] = "http"
    cluster.settle(NOW)
    cluster.forget()
    return cluster


def test_a_spec_that_cannot_be_read_keeps_what_is_granted_and_loses_what_is_not() -> None:
    cluster = unread(consumer())
    before = policy(cluster)
    assert len(cluster.of_kind("ConfigMap")) == 3
    cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert PERSONS not in cluster.of_kind("ConfigMap")
    assert len(policy(cluster)["egress"]) == len(before["egress"]) - 1
    cluster.answer(holders.grant())
    cluster.forget()
    cluster.settle(NOW)
    assert not cluster.log, "nothing new is given"


def test_a_spec_that_cannot_be_read_lets_no_new_customer_in() -> None:
    cluster = unread(application())
    listed = [
        {"name": name, "code": code, "since": "2026-09-01"}
        for name, code in (("Ogre", "90000024455"), ("Liepāja", "90000063185"))
    ]
    cluster.answer(
        own_assignment(customers=listed),
        *customer("liepaja", "liepaja-production", "90000063185"),
    )
    cluster.settle(NOW)
    assert peers(cluster) == ["cesis-production/cesis", "ogre-production/ogre"]
    cluster.answer(own_assignment(customers=[]))
    cluster.settle(NOW)
    assert peers(cluster) == ["cesis-production/cesis"]


def lost(cluster: AskingCluster) -> AskingCluster:
    """Nobody remembers how the public release runs, and the spec names another."""
    for name in cluster.of_kind("ControllerRevision"):
        del cluster.objects["ControllerRevision", NAMESPACE, name]
    cluster.edit_service(release={"image": worlds.image("b")})
    cluster.settle(NOW)
    cluster.forget()
    return cluster


def test_a_release_that_nobody_remembers_keeps_what_is_granted_and_loses_what_is_not() -> None:
    cluster = lost(consumer(holders.USE, ADDRESS_USE))
    assert sorted(cluster.of_kind("ConfigMap")) == [ADDRESSES, PERSONS]
    workload = cluster.of_kind("NetworkPolicy")[NAME]
    cluster.answer(rest_grant(spec={"validUntil": "2026-10-01"}))
    cluster.settle(NOW)
    assert sorted(cluster.of_kind("ConfigMap")) == [PERSONS]
    assert len(policy(cluster)["egress"]) == 1
    assert cluster.of_kind("NetworkPolicy")[NAME] == workload


# an e-service that goes


@pytest.mark.parametrize("gone", [False, True])
def test_an_e_service_that_is_being_deleted_has_nothing_open_whoever_holds_it(gone: bool) -> None:
    """By a finalizer of its own, or by ours while a route is taken down; whether the grant stays or not."""
    cluster = consumer(holders.USE, ADDRESS_USE)
    cluster.answer(holders.grant(spec={"credentials": {"secretName": "persons-key"}}))
    cluster.settle(NOW)
    cluster.forget()
    metadata = cluster.objects[cluster.service_place]["metadata"]
    metadata["finalizers"] = ["tenant.example/hold", names.FINALIZER]
    cluster.remove(cluster.service_place)
    if gone:
        cluster.take_back("WebServiceGrant", HOLDER, "address")
    cluster.settle(NOW)
    assert not cluster.of_kind("ConfigMap")
    assert not policy(cluster)
    assert ("DeleteNamed", "Secret") in steps(cluster)
    assert metadata["finalizers"] == ["tenant.example/hold"]
    assert not cluster.routed()
    assert "AccessLost" not in [note.reason for note in cluster.told], "it gives up what it had"
    assert cluster.reason(ConditionType.ACCESS_GRANTED) == (
        "False",
        "AccessNotGranted" if gone else "ConsumerNotFound",
    )
    assert decide(cluster.world(), NOW, POLICY).actions == ()


def test_an_application_that_is_being_deleted_connects_nobody() -> None:
    cluster = consumer(CITIZENS)
    agents = next(one for one in agent_in_order() if one["kind"] == "EService")
    deleted = {"deletionTimestamp": "2026-10-01T00:00:00Z", "finalizers": ["tenant.example/hold"]}
    cluster.answer(worlds.merged(agents, {"metadata": deleted}))
    cluster.settle(NOW)
    assert not cluster.of_kind("ConfigMap")
    assert not policy(cluster)


def test_a_customer_that_is_being_deleted_is_let_in_no_more() -> None:
    cluster = application()
    leaving = customer()[0]
    deleted = {"deletionTimestamp": "2026-10-01T00:00:00Z", "finalizers": ["tenant.example/hold"]}
    cluster.answer(worlds.merged(leaving, {"metadata": deleted}))
    cluster.settle(NOW)
    peers = policy(cluster)["ingress"][0]["from"]
    assert [one["namespaceSelector"]["matchLabels"] for one in peers] == [
        {"kubernetes.io/metadata.name": "cesis-production"}
    ]
    (binding,) = cluster.of_kind("ConfigMap").values()
    assert binding["data"]["customers"] == "90000031048"


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
    assert {_kind(action) for action in cluster.log} == {"ConfigMap", "NetworkPolicy"}


def test_a_config_map_of_its_own_stays() -> None:
    """One that the institution made is no child, whatever its annotations say."""
    cluster = consumer(holders.USE)
    own = holders.body("ConfigMap", "texts", NAMESPACE, "v1") | {"data": {"motd": "hello"}}
    own["metadata"]["annotations"] = {names.GRANT_ANNOTATION: "ur-production/address"}
    cluster.objects["ConfigMap", NAMESPACE, "texts"] = own
    cluster.settle(NOW)
    assert "texts" in cluster.of_kind("ConfigMap")
    assert not any(isinstance(action, Delete) for action in cluster.log)
