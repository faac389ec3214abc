# SPDX-License-Identifier: Apache-2.0
"""What is known of the cluster, as the watches bring it; and that no work beside the answers ends unseen."""

from __future__ import annotations

import asyncio

import pytest

from eservice_operator.authorizer.asked import Consumer
from eservice_operator.authorizer.known import KINDS, Known
from eservice_operator.authorizer.process import _beside
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from tests.authorizer.register import grant, web_service

CONSUMER = Consumer("pmlp", "declaration")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def known(store: Store) -> Known:
    return Known(store)


def version(manifest: Manifest, number: int) -> Manifest:
    name = manifest["metadata"]["name"]
    return manifest | {"metadata": manifest["metadata"] | {"uid": name, "resourceVersion": str(number)}}


def names(known: Known, service: str = "people") -> list[str]:
    return [one.metadata.name for one in known.grants("ur", service, CONSUMER)]


def test_grants_are_found_by_what_they_are_about(store: Store, known: Known) -> None:
    for number, name in enumerate(("second", "first"), start=1):
        store.upsert(version(grant("ur", name, "people", str(CONSUMER), "v5"), number))
    store.upsert(version(grant("ur", "other", "land", str(CONSUMER)), 3))
    store.upsert(version(grant("vid", "first", "people", str(CONSUMER)), 4))
    store.upsert(version(grant("ur", "foreign", "people", "vid/declaration"), 5))
    assert names(known) == ["first", "second"]
    assert names(known, "land") == ["other"]


def test_a_grant_that_is_gone_or_about_another_is_not_found_any_more(store: Store, known: Known) -> None:
    store.upsert(version(grant("ur", "g", "people", str(CONSUMER)), 1))
    store.upsert(version(grant("ur", "g", "land", str(CONSUMER)), 2))
    assert (names(known), names(known, "land")) == ([], ["g"])
    store.delete(version(grant("ur", "g", "land", str(CONSUMER)), 3))
    assert names(known, "land") == []


def test_what_cannot_be_read_lets_nobody_in(
    store: Store, known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    good = grant("ur", "g", "people", str(CONSUMER))
    store.upsert(version(good, 1))
    store.upsert(version(good | {"spec": good["spec"] | {"validUntil": "soon"}}, 2))
    assert names(known) == []
    store.upsert(version(web_service("ur", "people"), 3))
    store.upsert(version(web_service("ur", "people", isolation="Sometimes"), 4))
    assert known.web_service("ur", "people") is None
    assert "validUntil" in caplog.text
    assert "isolation" in caplog.text
    store.upsert(version(good, 5))
    assert names(known) == ["g"]


def test_a_kind_is_unlisted_until_it_was_listed(store: Store, known: Known) -> None:
    assert known.unlisted() == list(KINDS)
    for kind in KINDS[:2]:
        store.mark_synced(kind)
    assert known.unlisted() == ["AgentAssignment"]


async def test_a_work_that_fails_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()

    async def fails() -> None:
        raise RuntimeError("no more")

    async def goes_on() -> None:
        await asyncio.Event().wait()

    async with _beside([("this", fails()), ("that", goes_on())], stop) as failed:
        await asyncio.wait_for(stop.wait(), 5)
    assert failed == ["this"]
    assert "this failed" in caplog.text
