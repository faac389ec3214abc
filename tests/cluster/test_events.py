# SPDX-License-Identifier: Apache-2.0
"""Events: written once, counted when they repeat, never in the way."""

import json
import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.events import EventSink
from eservice_operator.cluster.resources import EVENTS
from eservice_operator.core.actions import Manifest, Ref
from tests.support.fault_proxy import Fault, FaultProxy

pytestmark = pytest.mark.cluster

NOON = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)


class Watch:
    """A clock that is set."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def watch() -> Watch:
    return Watch()


def sink_of(api: KubeApi, watch: Watch) -> EventSink:
    return EventSink(api, instance="operator-1", now=watch)


def about(namespace: str) -> Ref:
    return Ref("eservice.dev/v1alpha1", "EService", namespace, "address")


async def events(api: KubeApi, namespace: str) -> list[Manifest]:
    found, _ = await api.list(EVENTS, namespace)
    return [event for event in found if event.get("regarding", {}).get("kind") == "EService"]


async def say(sink: EventSink, namespace: str, note: str = "the act is missing", **more: Any) -> None:
    said = {"type": "Warning", "reason": "AwaitingAct", "action": "Wait"} | more
    await sink.publish(about(namespace), "uid-1", note=note, **said)


async def test_an_event_says_what_happened_to_what(api: KubeApi, watch: Watch, namespace: str) -> None:
    await say(sink_of(api, watch), namespace)
    [event] = await events(api, namespace)
    assert event["regarding"] == {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "EService",
        "namespace": namespace,
        "name": "address",
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"], event["action"]) == ("Warning", "AwaitingAct", "Wait")
    assert (event["note"], event["eventTime"]) == ("the act is missing", "2026-11-01T12:00:00.123456Z")
    assert (event["reportingController"], event["reportingInstance"]) == ("eservice-operator", "operator-1")
    assert "series" not in event


async def test_an_event_about_a_register_is_in_the_default_namespace(api: KubeApi, watch: Watch) -> None:
    ref = Ref("eservice.dev/v1alpha1", "EServiceTemplate", "", "viss-2020")
    sink = sink_of(api, watch)
    uid = secrets.token_hex()
    await sink.publish(ref, uid, "Normal", "NewVersion", "3.1.0 is current", "Record")
    assert sink.failures == 0
    found, _ = await api.list(EVENTS, "default")
    assert uid in {event["regarding"].get("uid") for event in found}


async def test_what_repeats_is_counted(api: KubeApi, watch: Watch, namespace: str) -> None:
    sink = sink_of(api, watch)
    for _ in range(3):
        await say(sink, namespace)
        watch.time += timedelta(seconds=10)
    [event] = await events(api, namespace)
    assert "series" not in event, "the count is written once a minute at most"
    watch.time += timedelta(minutes=2)
    await say(sink, namespace)
    [event] = await events(api, namespace)
    assert event["series"] == {"count": 4, "lastObservedTime": "2026-11-01T12:02:30.123456Z"}
    watch.time += timedelta(minutes=2)
    await say(sink, namespace)
    [event] = await events(api, namespace)
    assert event["series"]["count"] == 5
    assert sink.failures == 0


async def test_after_ten_minutes_it_is_said_again(api: KubeApi, watch: Watch, namespace: str) -> None:
    sink = sink_of(api, watch)
    await say(sink, namespace)
    watch.time += timedelta(minutes=10, seconds=1)
    await say(sink, namespace)
    assert len(await events(api, namespace)) == 2


async def test_a_series_whose_event_expired_begins_anew(api: KubeApi, watch: Watch, namespace: str) -> None:
    sink = sink_of(api, watch)
    await say(sink, namespace)
    [event] = await events(api, namespace)
    ref = Ref(EVENTS.api_version, "Event", namespace, event["metadata"]["name"])
    await api.delete(ref, uid=event["metadata"]["uid"])
    watch.time += timedelta(minutes=2)
    await say(sink, namespace)
    assert len(await events(api, namespace)) == 1


async def test_a_series_whose_event_somebody_has_edited_begins_anew(
    api: KubeApi, watch: Watch, namespace: str
) -> None:
    sink = sink_of(api, watch)
    await say(sink, namespace)
    [event] = await events(api, namespace)
    ref = Ref(EVENTS.api_version, "Event", namespace, event["metadata"]["name"])
    await api.json_patch(ref, [{"op": "add", "path": "/metadata/labels", "value": {"kept": "yes"}}])
    for _ in range(2):
        watch.time += timedelta(minutes=2)
        await say(sink, namespace)
    counts = [event.get("series", {}).get("count") for event in await events(api, namespace)]
    assert sorted(counts, key=str) == [2, None]
    assert sink.failures == 0


async def test_different_notes_are_different_events(api: KubeApi, watch: Watch, namespace: str) -> None:
    sink = sink_of(api, watch)
    for note in ("one", "two", "one"):
        await say(sink, namespace, note)
    assert sorted(event["note"] for event in await events(api, namespace)) == ["one", "two"]


@pytest.mark.parametrize("note", ["x" * 5000, "ā" * 1000, "line\nline \N{PILE OF POO}" * 200])
async def test_a_long_note_is_cut(api: KubeApi, watch: Watch, namespace: str, note: str) -> None:
    sink = sink_of(api, watch)
    await say(sink, namespace, note)
    [event] = await events(api, namespace)
    assert 1020 < len(event["note"].encode()) <= 1024
    assert note.startswith(event["note"])


async def test_a_failure_is_logged_and_counted_and_no_more(
    faulty_api: KubeApi,
    proxy: FaultProxy,
    watch: Watch,
    namespace: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused = json.dumps(
        {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no events for you"}
    )
    proxy.faults.append(Fault(lambda request: request.method == "POST", answer=(403, {}, refused)))
    sink = sink_of(faulty_api, watch)
    with caplog.at_level(logging.WARNING):
        await say(sink, namespace)
    assert sink.failures == 1
    assert f"event AwaitingAct about EService {namespace}/address was not written" in caplog.text
    await say(sink, namespace)
    assert len(await events(faulty_api, namespace)) == 1, "the next time it is said again"


async def test_only_so_much_is_remembered(
    api: KubeApi, watch: Watch, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eservice_operator.cluster.events.REMEMBERED", 2)
    sink = sink_of(api, watch)
    for note in ("one", "two", "three"):
        await say(sink, namespace, note)
    assert len(sink._series) == 2
