# SPDX-License-Identifier: Apache-2.0
"""Credentials of a grant on the real API server: copied to whom the grant lets in, and to nobody else."""

from __future__ import annotations

import base64
import logging
import secrets
from datetime import timedelta
from typing import Any

import pytest

from eservice_operator.api import names
from eservice_operator.api.grant import WebServiceGrant
from eservice_operator.api.uses import Use
from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.credentials_copy import LARGEST, LOOK_AGAIN, TRY_AGAIN, CredentialsCopier
from eservice_operator.cluster.errors import ApiError, Transient
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.slim import slim
from eservice_operator.cluster.store import Store
from eservice_operator.core.access.naming import binding_of
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.walls import build_role_binding
from eservice_operator.core.access.worlds import Copied
from eservice_operator.core.actions import Manifest, Ref
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.owner import Owner
from tests.support import holders, worlds
from tests.support.waiting import eventually
from tests.support.worlds import NAME, NOW, RIGA, merged

pytestmark = pytest.mark.cluster

TIMES = Times(NOW, RIGA)
PASSWORD = "correct horse battery staple"  # noqa: S105 - a test has to look for something
USE = Use.model_validate(holders.USE)
BINDING = binding_of(NAME, USE)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(namespace: str, name: str = "persons-key", **more: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "eservice.dev/credentials",
        "data": {"password": encoded(PASSWORD)},
    } | more


class Place:
    """A grant and its consumer in namespaces that are really there; the rest is in the store alone."""

    def __init__(self, api: KubeApi, holder: str, consumer: str) -> None:
        self.api, self.holder, self.consumer = api, holder, consumer
        self.store = Store(INDEXES)
        self.copier = CredentialsCopier(api, Observer(self.store, worlds.POLICY).access)
        self.key = ObjectKey("WebServiceGrant", holder, "address")
        service = {"namespace": holder, "name": holders.REGISTER}
        use = holders.USE | {"webService": service}
        self.binding = binding_of(NAME, Use.model_validate(use))
        self.service = holders.asking(metadata={"namespace": consumer}, spec={"uses": [use]})
        here = {"metadata": {"namespace": holder}}
        spaces = [{"environment": "Production", "name": consumer}]
        self.grant = merged(
            holders.grant(),
            here
            | {
                "spec": {
                    "consumer": {"namespace": consumer},
                    "credentials": {"secretName": "persons-key"},
                }
            },
        )
        self.keep(
            holders.namespace(holder),
            merged(holders.backend(), here),
            merged(holders.web_service(), here),
            self.grant,
            worlds.registration(
                spec={"namespaces": spaces}, status={"namespaces": [spaces[0] | {"state": "Ready"}]}
            ),
            self.service,
            holders.connection_test(webService=service),
            self.right(),
        )

    def right(self, version: str = "1") -> Manifest:
        """What the grant gave first."""
        made = build_role_binding(WebServiceGrant.model_validate(self.grant))
        return dict(merged(made, {"metadata": {"uid": "uid-right", "resourceVersion": version}}))

    def keep(self, *objects: Manifest) -> None:
        for obj in objects:
            self.store.upsert(slim(obj))

    async def bound(self, name: str | None = None, namespace: str | None = None, **metadata: Any) -> Manifest:
        """A ConfigMap that says that it is the binding."""
        owner = Owner.of(worlds.world().service.metadata)
        owner = Owner(namespace or self.consumer, NAME, owner.uid)
        annotations = {
            names.GRANT_ANNOTATION: f"{self.holder}/address",
            names.CREDENTIALS_ANNOTATION: name or self.binding,
        }
        made = owner.child("v1", "ConfigMap", name or self.binding, {}, annotations=annotations)
        made["metadata"] |= metadata
        live = await self.api.create(made | {"metadata": made["metadata"] | {"ownerReferences": []}})
        body = live | {
            "metadata": live["metadata"] | {"ownerReferences": made["metadata"]["ownerReferences"]}
        }
        self.keep(body)
        return live

    async def copy(self, name: str | None = None, namespace: str | None = None) -> Manifest | None:
        return await self.api.get(Ref("v1", "Secret", namespace or self.consumer, name or self.binding))


@pytest.fixture
async def place(api: KubeApi, namespace: str) -> Place:
    consumer = f"{namespace}-c{secrets.token_hex(2)}"
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": consumer}})
    return Place(api, namespace, consumer)


async def test_they_are_copied_beside_the_binding_and_go_with_it(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await place.api.create(secret(place.holder))
    assert await place.copier.refresh(place.key, TIMES) is None, "nobody asks yet"
    assert place.copier.known(place.key) is None
    binding = await place.bound()
    assert await place.copier.refresh(place.key, TIMES) == NOW + LOOK_AGAIN
    assert place.copier.known(place.key) is Copied.COPIED
    copy = await place.copy()
    assert copy is not None
    assert (copy["type"], copy["data"]) == ("eservice.dev/credentials", {"password": encoded(PASSWORD)})
    assert names.MANIFEST_ANNOTATION not in copy["metadata"].get("annotations", {}), "no hash of it anywhere"
    assert not place.store.all("Secret")
    for said in (PASSWORD, encoded(PASSWORD)):
        assert said not in caplog.text
    ref = Ref("v1", "ConfigMap", place.consumer, place.binding)
    await place.api.delete(ref, uid=binding["metadata"]["uid"])

    async def gone() -> bool:
        return await place.copy() is None

    await eventually(gone, "the copy goes with its binding", 90)


async def test_nothing_is_copied_before_the_right_to_call_was_given(place: Place) -> None:
    """Only for that what the grant rests on is read live: the store may not have heard of its end."""
    await place.api.create(secret(place.holder))
    await place.bound()
    given = place.store.get("RoleBinding", place.holder, "grant.address")
    assert given is not None
    place.store.delete(given)
    assert await place.copier.refresh(place.key, TIMES) is None
    assert await place.copy() is None


async def test_at_rest_nothing_is_asked_and_a_rotation_is_noticed(place: Place) -> None:
    made = await place.api.create(secret(place.holder))
    await place.bound()
    await place.copier.refresh(place.key, TIMES)
    first = await place.copy()
    assert first is not None
    rotated = [
        {"op": "replace", "path": "/data/password", "value": encoded("another")},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": made["metadata"]["resourceVersion"]},
    ]
    await place.api.json_patch(Ref("v1", "Secret", place.holder, "persons-key"), rotated)
    soon = Times(NOW + LOOK_AGAIN - timedelta(seconds=1), RIGA)
    assert await place.copier.refresh(place.key, soon) == NOW + LOOK_AGAIN
    assert await place.copy() == first
    later = Times(NOW + LOOK_AGAIN, RIGA)
    await place.copier.refresh(place.key, later)
    second = await place.copy()
    assert second is not None
    assert second["data"] == {"password": encoded("another")}
    await place.copier.refresh(place.key, Times(NOW + 2 * LOOK_AGAIN, RIGA))
    assert await place.copy() == second, "what is as it should be is not written"


async def test_what_went_while_the_grant_named_none_is_copied_again(place: Place) -> None:
    """The e-service may remove it, and write its binding twice, between two looks at the grant."""
    await place.api.create(secret(place.holder))
    binding = await place.bound()
    await place.copier.refresh(place.key, TIMES)
    copy = await place.copy()
    assert copy is not None
    removed = Ref("v1", "Secret", place.consumer, place.binding)
    await place.api.delete(removed, uid=copy["metadata"]["uid"])
    await place.copier.refresh(place.key, TIMES)
    assert await place.copy() is None, "nothing tells of it"
    (bound,) = place.store.all("ConfigMap")
    newer = {"resourceVersion": str(int(binding["metadata"]["resourceVersion"]) + 2)}
    place.keep(merged(bound, {"metadata": newer}))
    await place.copier.refresh(place.key, TIMES)
    assert await place.copy() is not None


@pytest.mark.parametrize(
    "made, copied",
    [
        (None, Copied.MISSING),
        ({"type": "Opaque"}, Copied.WRONG_TYPE),
        ({"data": {"k": encoded("x" * LARGEST)}}, Copied.TOO_LARGE),
        ({"data": {"k": encoded("x" * (LARGEST - 8))}}, Copied.COPIED),
    ],
)
async def test_what_is_no_credentials_is_not_copied(
    place: Place, made: Manifest | None, copied: Copied
) -> None:
    if made is not None:
        await place.api.create(secret(place.holder, **made))
    await place.bound()
    await place.copier.refresh(place.key, TIMES)
    assert place.copier.known(place.key) is copied
    again = NOW + (LOOK_AGAIN if copied is Copied.COPIED else TRY_AGAIN)
    assert await place.copier.refresh(place.key, Times(NOW + timedelta(seconds=1), RIGA)) == again
    assert (await place.copy() is not None) == (copied is Copied.COPIED)


async def test_what_was_copied_stays_while_the_source_is_replaced(place: Place) -> None:
    made = await place.api.create(secret(place.holder))
    await place.bound()
    await place.copier.refresh(place.key, TIMES)
    await place.api.delete(Ref("v1", "Secret", place.holder, "persons-key"), uid=made["metadata"]["uid"])
    await place.copier.refresh(place.key, Times(NOW + LOOK_AGAIN, RIGA))
    assert place.copier.known(place.key) is Copied.MISSING
    assert await place.copy() is not None


async def test_a_secret_of_the_consumers_own_is_left_alone(place: Place) -> None:
    await place.api.create(secret(place.holder))
    own = await place.api.create(secret(place.consumer, place.binding, data={"k": encoded("mine")}))
    await place.bound()
    await place.copier.refresh(place.key, TIMES)
    assert place.copier.known(place.key) is Copied.NAME_TAKEN
    assert await place.copy() == own


async def test_a_copy_that_somebody_edits_becomes_right_again(place: Place) -> None:
    await place.api.create(secret(place.holder))
    await place.bound()
    await place.copier.refresh(place.key, TIMES)
    copy = await place.copy()
    assert copy is not None
    forged = [
        {"op": "add", "path": "/data/more", "value": encoded("x")},
        {"op": "replace", "path": "/data/password", "value": encoded("x")},
    ]
    await place.api.json_patch(
        Ref("v1", "Secret", place.consumer, place.binding), forged, field_manager="kubectl-edit"
    )
    await place.copier.refresh(place.key, Times(NOW + LOOK_AGAIN, RIGA))
    after = await place.copy()
    assert after is not None
    assert after["data"] == copy["data"]


@pytest.mark.parametrize("held", [False, True])
async def test_a_copy_that_somebody_makes_immutable_is_made_anew(place: Place, held: bool) -> None:
    made = await place.api.create(secret(place.holder))
    await place.bound()
    await place.copier.refresh(place.key, TIMES)
    frozen: list[Manifest] = [{"op": "add", "path": "/immutable", "value": True}]
    if held:
        frozen.append({"op": "add", "path": "/metadata/finalizers", "value": ["example.lv/hold"]})
    ref = Ref("v1", "Secret", place.consumer, place.binding)
    await place.api.json_patch(ref, frozen, field_manager="kubectl-edit")
    rotated = [
        {"op": "replace", "path": "/data/password", "value": encoded("another")},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": made["metadata"]["resourceVersion"]},
    ]
    await place.api.json_patch(Ref("v1", "Secret", place.holder, "persons-key"), rotated)
    for look in (1, 2):
        await place.copier.refresh(place.key, Times(NOW + look * LOOK_AGAIN, RIGA))
        assert place.copier.known(place.key) is (Copied.NAME_TAKEN if held else Copied.COPIED)
    copy = await place.copy()
    assert copy is not None
    assert copy["data"] == {"password": encoded(PASSWORD if held else "another")}
    if held:
        await place.api.json_patch(ref, [{"op": "remove", "path": "/metadata/finalizers"}])


async def test_whoever_forges_a_binding_gets_nothing(place: Place, api: KubeApi) -> None:
    await place.api.create(secret(place.holder))
    await place.bound(name="another-name")
    thief = f"{place.holder}-thief"
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": thief}})
    await place.bound(namespace=thief)
    assert await place.copier.refresh(place.key, TIMES) is None
    assert await place.copy("another-name") is None
    assert await place.copy(namespace=thief) is None


@pytest.mark.parametrize("ended", [{"refused": {"reason": "no"}}, {"validUntil": "2026-10-01"}])
async def test_a_grant_that_is_over_gives_none(place: Place, ended: Manifest) -> None:
    await place.api.create(secret(place.holder))
    await place.bound()
    place.keep(merged(place.grant, {"metadata": {"resourceVersion": "2"}, "spec": ended}))
    assert await place.copier.refresh(place.key, TIMES) is None
    assert await place.copy() is None


def ending_once_copied(
    place: Place, monkeypatch: pytest.MonkeyPatch, ended: Manifest, failure: ApiError | None = None
) -> list[Manifest]:
    """The grant ends right after a copy is written, which then fails with ``failure``; gives the copies."""
    apply, copied = place.api.apply, list[Manifest]()

    async def ending(body: Manifest, **more: Any) -> Manifest:
        copied.append(await apply(body, **more))
        place.keep(merged(place.grant, {"metadata": {"resourceVersion": "2"}, "spec": ended}))
        if failure is not None:
            raise failure
        return copied[0]

    monkeypatch.setattr(place.api, "apply", ending)
    return copied


@pytest.mark.parametrize("ended", [{"refused": {"reason": "no"}}, {"credentials": None}])
async def test_what_ends_while_it_is_copied_is_taken_back(
    place: Place, monkeypatch: pytest.MonkeyPatch, ended: Manifest
) -> None:
    await place.api.create(secret(place.holder))
    await place.bound()
    copied = ending_once_copied(place, monkeypatch, ended)
    await place.copier.refresh(place.key, TIMES)
    assert copied
    assert await place.copy() is None


async def test_what_ends_while_it_is_copied_is_taken_back_where_the_rest_fails(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several copies the second one fails: nobody would look for the first any more."""
    await place.api.create(secret(place.holder))
    await place.bound()
    failure = Transient(503, "ServiceUnavailable", "the next one is not carried out")
    copied = ending_once_copied(place, monkeypatch, {"refused": {"reason": "no"}}, failure)
    with pytest.raises(Transient):
        await place.copier.refresh(place.key, TIMES)
    assert copied
    assert await place.copy() is None
