# SPDX-License-Identifier: Apache-2.0
"""The client: what it asks, what it makes of refusals, what it sends again and what it never does."""

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator import __version__
from eservice_operator.api.names import MANAGER
from eservice_operator.cluster import encoding, transport
from eservice_operator.cluster.attempts import Attempt
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.configuration import Configuration
from eservice_operator.cluster.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    Transient,
    from_body,
    from_status,
)
from eservice_operator.cluster.guard import NotLeading
from eservice_operator.cluster.resources import RESOURCES, path, path_of, resource_of
from eservice_operator.core.actions import Manifest, Ref, ref_of
from tests.support.fault_proxy import Fault, FaultProxy
from tests.support.objects import service_account
from tests.support.waiting import eventually

ACCOUNTS = resource_of("ServiceAccount")


def status(code: int, reason: str = "", message: str = "", **details: Any) -> str:
    return json.dumps(
        {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    )


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "BACKOFF", 0.001)


class TestPaths:
    @pytest.mark.parametrize(
        "ref,where",
        [
            (Ref("v1", "Namespace", "", "a"), "/api/v1/namespaces/a"),
            (Ref("v1", "Service", "n", "a"), "/api/v1/namespaces/n/services/a"),
            (Ref("apps/v1", "Deployment", "n", "a"), "/apis/apps/v1/namespaces/n/deployments/a"),
            (
                Ref("eservice.dev/v1alpha1", "EService", "n", "a/../b?c#d"),
                "/apis/eservice.dev/v1alpha1/namespaces/n/eservices/a%2F..%2Fb%3Fc%23d",
            ),
        ],
    )
    def test_an_object(self, ref: Ref, where: str) -> None:
        assert path_of(ref) == where
        assert path_of(ref, "status") == f"{where}/status"

    @pytest.mark.parametrize("name", ["", ".", ".."])
    def test_a_name_that_leads_elsewhere_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match=r"does not name one object|is not the name of an object"):
            path_of(Ref("v1", "Namespace", "", name))
        with pytest.raises(ValueError, match=r"does not name one object|is not the name of an object"):
            path_of(Ref("v1", "Service", name, "a"))

    def test_collections(self) -> None:
        assert path(ACCOUNTS) == "/api/v1/serviceaccounts"
        assert path(ACCOUNTS, "n") == "/api/v1/namespaces/n/serviceaccounts"
        assert path(resource_of("Namespace"), "n") == "/api/v1/namespaces"

    @pytest.mark.cluster
    @pytest.mark.parametrize("kind", sorted(RESOURCES))
    async def test_every_resource_is_served(self, api: KubeApi, kind: str) -> None:
        await api.list(resource_of(kind))


class TestErrors:
    @pytest.mark.parametrize(
        "code,reason,family,transient",
        [
            (0, "", Transient, True),
            (400, "BadRequest", Invalid, False),
            (401, "Unauthorized", Transient, True),
            (403, "Forbidden", Forbidden, False),
            (404, "NotFound", NotFound, True),
            (405, "MethodNotAllowed", Invalid, False),
            (409, "Conflict", Conflict, True),
            (409, "AlreadyExists", AlreadyExists, False),
            (410, "Expired", Expired, True),
            (413, "RequestEntityTooLarge", Invalid, False),
            (422, "Invalid", Invalid, False),
            (429, "TooManyRequests", Transient, True),
            (500, "InternalError", Transient, True),
            (503, "ServiceUnavailable", Transient, True),
            (504, "Timeout", Transient, True),
        ],
    )
    def test_the_family(self, code: int, reason: str, family: type[ApiError], transient: bool) -> None:
        error = from_status(code, {"reason": reason, "message": "m"})
        assert type(error) is family
        assert (error.status, error.message, error.transient) == (code, "m", transient)
        assert error.reason == (reason or "HTTP0")

    def test_what_the_details_say(self) -> None:
        body = status(
            403, "Forbidden", "m", causes=[{"reason": "NamespaceTerminating"}, {}], retryAfterSeconds=3
        )
        error = from_body(403, body.encode(), retry_after=1)
        assert (error.cause, error.retry_after) == ("NamespaceTerminating,", 3)
        assert str(error) == "403 Forbidden: m"

    def test_a_server_that_has_not_read_the_crds_yet_is_asked_again(self) -> None:
        message = (
            "cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion "
            'eservice.dev/v1alpha1 Kind EService: no matches for kind "EService"'
        )
        error = from_status(403, {"reason": "Forbidden", "message": message})
        assert (type(error), error.reason) == (Transient, "Forbidden")

    def test_a_page_of_somebody_else(self) -> None:
        error = from_body(502, b"<html>bad gateway\xff</html>")
        assert isinstance(error, Transient)
        assert error.message == "<html>bad gateway\N{REPLACEMENT CHARACTER}</html>"

    def test_a_version_from_the_future_has_expired(self) -> None:
        causes = [{"reason": "ResourceVersionTooLarge"}]
        assert isinstance(from_status(504, {"reason": "Timeout", "details": {"causes": causes}}), Expired)


class TestText:
    @given(
        st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
    )
    def test_it_says_what_was_meant(self, document: Any) -> None:
        for kind in ("application/json", encoding.APPLY):
            assert json.loads(encoding.encoded(document, kind)) == document

    @pytest.mark.cluster
    @pytest.mark.parametrize("create", [True, False], ids=["create", "apply"])
    async def test_every_character_arrives(self, api: KubeApi, namespace: str, *, create: bool) -> None:
        """An apply is read as YAML, to which some characters are control characters or line breaks."""
        text = "".join(
            map(chr, (*range(0x250), *range(0x2020, 0x2030), 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0x1F600))
        )
        manifest = service_account(namespace)
        manifest["metadata"]["annotations"] = {
            "text": text,
            "html": "<a href='?x&y'>",
            "yaml": "- a: !b &c *d\n",
        }
        made = await (
            api.create(manifest) if create else api.apply(manifest, field_manager=MANAGER, force=True)
        )
        assert made["metadata"]["annotations"] == manifest["metadata"]["annotations"]

    @pytest.mark.cluster
    async def test_an_apply_spells_data_as_the_create_did(self, api: KubeApi, namespace: str) -> None:
        """The data of a ControllerRevision may never change, not by a byte."""
        manifest: Manifest = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {"name": "a", "namespace": namespace},
            "data": {"z": {"y": [1, None, True, "<&>\u2028ā\U0001f600\n"]}, "a": ""},
            "revision": 1,
        }
        await api.create(manifest)
        changed = manifest | {"revision": 2}
        assert (await api.apply(changed, field_manager=MANAGER, force=True))["revision"] == 2


@pytest.mark.cluster
class TestAnswers:
    async def test_get_and_its_absence(self, api: KubeApi, namespace: str) -> None:
        found = await api.get(Ref("v1", "Namespace", "", namespace))
        assert found is not None
        assert found["metadata"]["name"] == namespace
        assert await api.get(Ref("v1", "Namespace", "", "not-there")) is None

    async def test_the_families_as_the_api_server_means_them(self, api: KubeApi, namespace: str) -> None:
        made = await api.create(service_account(namespace))
        ref = ref_of(made)
        with pytest.raises(AlreadyExists):
            await api.create(service_account(namespace))
        with pytest.raises(Invalid):
            await api.create(service_account(namespace, "Not A Name"))
        with pytest.raises(Invalid, match="unknown field"):
            await api.create(service_account(namespace, "x") | {"nonsense": 1})
        with pytest.raises(Invalid, match="field not declared in schema"):
            await api.apply(service_account(namespace) | {"nonsense": 1}, field_manager="x", force=True)
        with pytest.raises(Conflict):
            await api.apply(
                service_account(namespace) | {"automountServiceAccountToken": True},
                field_manager="other",
                force=False,
            )
        with pytest.raises(Conflict):
            await api.delete(ref, uid="another")
        with pytest.raises(Conflict):
            await api.delete(ref, uid=made["metadata"]["uid"], resource_version="1")
        ops = [{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]
        with pytest.raises(Conflict):
            await api.json_patch(ref, ops)
        await api.delete(
            ref, uid=made["metadata"]["uid"], resource_version=made["metadata"]["resourceVersion"]
        )
        with pytest.raises(NotFound):
            await api.delete(ref, uid=made["metadata"]["uid"])

    async def test_lists_in_pages_are_one_list(
        self, faulty_api: KubeApi, proxy: FaultProxy, namespace: str
    ) -> None:
        for number in range(5):
            await faulty_api.create(service_account(namespace, f"a{number}"))
        proxy.log.clear()
        items, version = await faulty_api.list(ACCOUNTS, namespace, "app.kubernetes.io/managed-by", limit=2)
        assert [item["metadata"]["name"] for item in items] == ["a0", "a1", "a2", "a3", "a4"]
        assert {(item["kind"], item["apiVersion"]) for item in items} == {("ServiceAccount", "v1")}
        assert int(version) >= max(int(item["metadata"]["resourceVersion"]) for item in items)
        assert len(proxy.seen) == 3

    async def test_metadata_only(self, api: KubeApi, namespace: str) -> None:
        await api.create(service_account(namespace))
        items, _ = await api.list(
            ACCOUNTS, namespace, "app.kubernetes.io/managed-by", metadata_only=True, keep=lambda item: item
        )
        assert [set(item) for item in items] == [{"apiVersion", "kind", "metadata"}]

    async def test_a_page_that_comes_too_late_starts_the_list_again(
        self, faulty_api: KubeApi, proxy: FaultProxy, namespace: str
    ) -> None:
        for number in range(5):
            await faulty_api.create(service_account(namespace, f"a{number}"))
        proxy.log.clear()
        proxy.faults.append(
            Fault(lambda request: "continue" in request.query, answer=(410, {}, status(410, "Expired")))
        )
        items, _ = await faulty_api.list(ACCOUNTS, namespace, "app.kubernetes.io/managed-by", limit=2)
        assert len(items) == 5
        assert [request.query.get("limit") for request in proxy.seen] == ["2", "2", None]

    async def test_it_says_who_it_is_and_counts(self, proxy: FaultProxy) -> None:
        counted: list[tuple[str, int]] = []
        async with KubeApi(
            proxy.configuration(), on_request=lambda attempt: counted.append((attempt.verb, attempt.code))
        ) as api:
            await api.get(Ref("v1", "Namespace", "", "default"))
            await api.get(Ref("v1", "Namespace", "", "not-there"))
            proxy.faults.append(Fault(lambda _: True, answer=(503, {}, "")))
            await api.get(Ref("v1", "Namespace", "", "default"))
        assert counted == [("get", 200), ("get", 404), ("get", 503), ("get", 200)]
        assert {request.headers["User-Agent"] for request in proxy.seen} == {
            f"eservice-operator/{__version__}"
        }


@pytest.mark.cluster
class TestRepetition:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault(lambda _: True, times=2, answer=(429, {"Retry-After": "0"}, status(429))),
            Fault(lambda _: True, times=2, answer=(500, {}, status(500, "InternalError"))),
            Fault(lambda _: True, times=2, answer=(503, {}, "")),
            Fault(lambda _: True, times=2, answer=(504, {}, status(504, "Timeout"))),
            Fault(lambda _: True, times=2, drop=True),
            Fault(lambda _: True, times=2, lose_reply=True),
        ],
        ids=["429", "500", "503", "504", "dropped", "lost"],
    )
    async def test_what_can_be_repeated_is(
        self, faulty_api: KubeApi, proxy: FaultProxy, namespace: str, fault: Fault
    ) -> None:
        made = await faulty_api.create(service_account(namespace))
        metadata = made["metadata"]
        fault.times = 2
        proxy.faults = [fault]
        assert await faulty_api.get(ref_of(made)) == made
        fault.times = 2
        changed = service_account(namespace) | {"automountServiceAccountToken": True}
        answer = await faulty_api.apply(changed, field_manager="eservice-operator", force=True)
        assert answer["automountServiceAccountToken"] is True
        fault.times = 2
        lost = fault.lose_reply
        try:
            await faulty_api.delete(ref_of(made), uid=metadata["uid"])
        except NotFound:
            assert lost, "only when the first one was carried out"
        assert await faulty_api.get(ref_of(made)) is None

    async def test_who_asks_to_wait_for_a_day_is_asked_again_in_minutes(
        self, faulty_api: KubeApi, proxy: FaultProxy
    ) -> None:
        """A load balancer's page is of nobody who knows when the API server is back."""
        default, page = (
            Ref("v1", "Namespace", "", "default"),
            (503, {"Retry-After": "86400"}, "<html>away</html>"),
        )
        proxy.faults.append(Fault(lambda _: True, answer=page))
        with pytest.raises(Transient, match="503"):
            await faulty_api.get(default)
        with pytest.raises(Transient, match="the API server asked to wait") as put_off:
            await faulty_api.get(default)
        assert len(proxy.seen) == 1
        assert transport.LONGEST_WAIT - 60 < put_off.value.retry_after <= transport.LONGEST_WAIT

    async def test_a_create_is_repeated_only_when_it_was_not_carried_out(
        self, faulty_api: KubeApi, proxy: FaultProxy, namespace: str
    ) -> None:
        post = Fault(lambda request: request.method == "POST", answer=(429, {}, status(429)))
        proxy.faults.append(post)
        await faulty_api.create(service_account(namespace, "put-off"))
        for name, fault in (
            ("failed", Fault(post.match, answer=(503, {}, status(503)))),
            ("dropped", Fault(post.match, drop=True)),
            ("lost", Fault(post.match, lose_reply=True)),
        ):
            proxy.faults = [fault]
            proxy.log.clear()
            with pytest.raises(Transient):
                await faulty_api.create(service_account(namespace, name))
            assert len(proxy.seen) == 1

    async def test_it_gives_up(self, faulty_api: KubeApi, proxy: FaultProxy) -> None:
        proxy.faults.append(Fault(lambda _: True, times=100, answer=(503, {}, status(503, "Unavailable"))))
        with pytest.raises(Transient) as caught:
            await faulty_api.get(Ref("v1", "Namespace", "", "default"))
        assert caught.value.status == 503
        assert len(proxy.seen) == transport.ATTEMPTS

    async def test_it_waits_as_long_as_it_is_asked_to(self, faulty_api: KubeApi, proxy: FaultProxy) -> None:
        proxy.faults.append(Fault(lambda _: True, answer=(429, {"Retry-After": "1"}, status(429))))
        began = time.monotonic()
        await faulty_api.get(Ref("v1", "Namespace", "", "default"))
        assert time.monotonic() - began >= 1

    async def test_it_does_not_hold_up_a_worker_for_minutes(
        self, faulty_api: KubeApi, proxy: FaultProxy
    ) -> None:
        proxy.faults.append(Fault(lambda _: True, answer=(429, {"Retry-After": "120"}, status(429))))
        with pytest.raises(Transient) as caught:
            await faulty_api.get(Ref("v1", "Namespace", "", "default"))
        assert caught.value.retry_after == 120
        with pytest.raises(Transient, match="asked to wait, 1") as again:
            await faulty_api.get(Ref("v1", "Namespace", "", "default"))
        assert 110 < again.value.retry_after < 120
        assert len(proxy.seen) == 1, "it was not asked again"
        assert await faulty_api.get(Ref("v1", "Namespace", "", "kube-system")), "but for something else"

    async def test_whoever_asks_meanwhile_waits_too(self, faulty_api: KubeApi, proxy: FaultProxy) -> None:
        proxy.faults.append(Fault(lambda _: True, answer=(429, {"Retry-After": "1"}, status(429))))
        began = time.monotonic()
        first = asyncio.create_task(faulty_api.get(Ref("v1", "Namespace", "", "default")))
        await eventually(lambda: faulty_api._transport._put_off, "the first is put off")
        await faulty_api.get(Ref("v1", "Namespace", "", "default"))
        assert time.monotonic() - began >= 1
        await first

    @pytest.mark.parametrize("code,reason", [(401, "Unauthorized"), (403, "Forbidden"), (422, "Invalid")])
    async def test_what_is_refused_is_not_asked_again(
        self, faulty_api: KubeApi, proxy: FaultProxy, code: int, reason: str
    ) -> None:
        proxy.faults.append(Fault(lambda _: True, times=9, answer=(code, {}, status(code, reason))))
        with pytest.raises(ApiError):
            await faulty_api.get(Ref("v1", "Namespace", "", "default"))
        assert len(proxy.seen) == 1

    async def test_a_server_that_does_not_answer_is_given_up(self, proxy: FaultProxy) -> None:
        """A watch never ends on its own: here it stands for any answer that does not come to its end."""
        async with KubeApi(proxy.configuration(), request_timeout=0.2) as api:
            where = "/api/v1/namespaces?watch=1&resourceVersion=0"
            request = transport.Request("get", "GET", where, repeatable=False)
            with pytest.raises(Transient) as caught:
                await api._transport.send(request)
        assert caught.value.reason == "Timeout"


async def test_nobody_there() -> None:
    """No connection was made, so even a create is tried again."""
    counted: list[int] = []
    nobody = Configuration(host="http://127.0.0.1:1")
    async with KubeApi(nobody, on_request=lambda attempt: counted.append(attempt.code)) as api:
        with pytest.raises(Transient) as caught:
            await api.create(service_account("n"))
    assert caught.value.reason == "Unreachable"
    assert counted == [0] * transport.ATTEMPTS


@pytest.mark.parametrize("hangs", [False, True], ids=["unreadable", "hangs"])
async def test_a_request_for_which_there_are_no_credentials_was_tried(hangs: bool) -> None:
    """Or nobody would see that the operator is out of touch: a token file is gone, a plugin hangs."""
    counted: list[int] = []

    async def nothing() -> str:
        await asyncio.sleep(3600 if hangs else 0)
        raise OSError("the token file is empty")

    nobody = Configuration(host="http://127.0.0.1:1", authorization=nothing)
    async with KubeApi(nobody, on_request=lambda attempt: counted.append(attempt.code)) as api:
        with pytest.raises(TimeoutError if hangs else Transient):
            async with asyncio.timeout(0.05 if hangs else None):
                await api.get(Ref("v1", "Namespace", "", "default"))
    assert counted == [0] * (1 if hangs else transport.ATTEMPTS)


async def test_a_write_that_must_not_begin_was_not_tried() -> None:
    counted: list[int] = []
    nobody = Configuration(host="http://127.0.0.1:1")
    async with KubeApi(nobody, guard=Never(), on_request=lambda attempt: counted.append(attempt.code)) as api:
        with pytest.raises(NotLeading):
            await api.create(service_account("n"))
    assert counted == []


class Never:
    """The guard of an operator that does not lead."""

    def time_left(self) -> float:
        return 0.0


def convertible(group: str) -> Manifest:
    """A kind of which the API server serves one version only after asking somebody who is not there."""
    whole = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    versions = [
        {"name": name, "served": True, "storage": name == "v1", "schema": {"openAPIV3Schema": whole}}
        for name in ("v1", "v2")
    ]
    client = {"url": "https://127.0.0.1:1/"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Cluster",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": versions,
            "conversion": {
                "strategy": "Webhook",
                "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
            },
        },
    }


@pytest.mark.cluster
async def test_an_api_server_that_cannot_convert_a_kind_answers(proxy: FaultProxy, namespace: str) -> None:
    """And is told from one that is away, in whose place somebody else says so."""
    group, told = f"{namespace}.example", list[Attempt]()
    kinds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    async with KubeApi(proxy.configuration(), on_request=told.append) as api:

        async def ask(method: str, where: str, body: Any = None) -> None:
            repeatable = method == "GET"
            await api._transport.send(transport.Request("ask", method, where, body, repeatable=repeatable))

        async def served() -> bool:
            try:
                await ask("GET", f"/apis/{group}/v1/things")
            except NotFound:
                return False
            return True

        await ask("POST", kinds, convertible(group))
        await eventually(served, "the kind is served")
        thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "one"}}
        await ask("POST", f"/apis/{group}/v1/things", thing)
        told.clear()
        with pytest.raises(Transient, match="conversion webhook"):
            await ask("GET", f"/apis/{group}/v2/things")
        assert [(attempt.code, attempt.answered) for attempt in told] == [(500, True)] * transport.ATTEMPTS
        told.clear()
        proxy.faults.append(Fault(lambda _: True, answer=(503, {}, "no backend")))
        await ask("GET", f"/apis/{group}/v1/things")
        assert [(attempt.code, attempt.answered) for attempt in told] == [(503, False), (200, True)]
        await ask("DELETE", f"{kinds}/things.{group}", {})


@pytest.mark.cluster
async def test_watch_frames_of_any_size_come_through(api: KubeApi, namespace: str) -> None:
    config = resource_of("ControllerRevision")
    _, version = await api.list(config, namespace)
    large = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "large", "namespace": namespace},
        "data": {"text": "x" * 1_000_000},
        "revision": 1,
    }
    await api.create(large)
    await api.create(large | {"metadata": {"name": "small", "namespace": namespace}, "data": {}})
    seen: list[Manifest] = []
    async for event, obj in api.watch(config, version, namespace):
        if event != "BOOKMARK":
            seen.append(obj)
        if len(seen) == 2:
            break
    assert [obj["metadata"]["name"] for obj in seen] == ["large", "small"]
    assert seen[0]["data"] == large["data"]
