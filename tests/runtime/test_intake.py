# SPDX-License-Identifier: Apache-2.0
"""From what was observed to the keys it wakes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from eservice_operator.api.names import API_VERSION
from eservice_operator.cluster.store import Change, Store
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.intake import Intake
from eservice_operator.runtime.metrics import Metrics


def verification(version: int, of: str, **metadata: Any) -> Manifest:
    return {
        "apiVersion": API_VERSION,
        "kind": "ProductionVerification",
        "metadata": {
            "name": "checked",
            "namespace": "pmlp",
            "uid": "u-1",
            "resourceVersion": str(version),
            "managedFields": [{"manager": "kubectl"}],
            **metadata,
        },
        "spec": {"eService": of},
    }


def of_its_eservice(change: Change, store: Store) -> Iterable[ObjectKey]:  # noqa: ARG001 - looks at the object alone
    for obj in (change.before, change.after):
        if obj is not None:
            yield ObjectKey("EService", obj["metadata"]["namespace"], obj["spec"]["eService"])


class Woken:
    def __init__(self) -> None:
        self.store = Store()
        self.metrics = Metrics()
        self.keys: list[str] = []
        self.intake = Intake(
            self.store, of_its_eservice, lambda key: self.keys.append(key.name), self.metrics
        )

    def value(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(
            f"eservice_operator_{name}", {"kind": "ProductionVerification"}
        )


@pytest.fixture
def woken() -> Woken:
    made = Woken()
    made.intake.open()
    return made


def test_a_new_object_wakes_and_the_same_version_does_not(woken: Woken) -> None:
    woken.intake.observed(verification(1, "a"), deleted=False)
    woken.intake.observed(verification(1, "a"), deleted=False)
    assert woken.keys == ["a"]
    assert woken.value("events_total") == 2


def test_an_object_that_moved_wakes_whom_it_left(woken: Woken) -> None:
    woken.intake.observed(verification(1, "a"), deleted=False)
    woken.intake.observed(verification(2, "b"), deleted=False)
    assert woken.keys == ["a", "a", "b"]


def test_a_deletion_wakes_by_the_object_that_was(woken: Woken) -> None:
    woken.intake.observed(verification(1, "a"), deleted=False)
    woken.intake.observed(verification(2, "a"), deleted=True)
    assert woken.keys == ["a", "a"]
    assert woken.store.get("ProductionVerification", "pmlp", "checked") is None


def test_of_a_list_what_is_known_is_no_news(woken: Woken) -> None:
    woken.intake.observed(verification(2, "a"), deleted=False)
    older, same, newer = (verification(version, "a") for version in (1, 2, 3))
    other = verification(1, "a", name="other", uid="u-2")
    assert woken.intake.news("ProductionVerification", [older, same, newer, other]) == [newer, other]


def test_what_is_gone_is_news_when_it_is_listed(woken: Woken) -> None:
    """It may be there again: the store knows what to make of that."""
    woken.intake.observed(verification(1, "a"), deleted=False)
    woken.intake.observed(verification(2, "a"), deleted=True)
    assert woken.intake.news("ProductionVerification", [verification(1, "a")]) == [verification(1, "a")]


def test_the_store_keeps_no_managed_fields(woken: Woken) -> None:
    woken.intake.observed(verification(1, "a"), deleted=False)
    known = woken.store.get("ProductionVerification", "pmlp", "checked")
    assert known is not None
    assert "managedFields" not in known["metadata"]


def test_until_it_is_opened_it_only_fills_the_store() -> None:
    woken = Woken()
    woken.intake.observed(verification(1, "a"), deleted=False)
    assert woken.keys == []
    assert woken.store.get("ProductionVerification", "pmlp", "checked") is not None


def test_what_a_full_list_found_is_counted(woken: Woken) -> None:
    change = woken.store.upsert(verification(1, "a"))
    assert change is not None
    woken.intake.repaired(change)
    assert woken.keys == ["a"]
    assert woken.value("resync_repairs_total") == 1


def test_a_trigger_that_raises_is_counted_and_logged_and_the_event_is_kept(
    woken: Woken, caplog: pytest.LogCaptureFixture
) -> None:
    broken = verification(1, "a")
    del broken["spec"]["eService"]
    woken.intake.observed(broken, deleted=False)
    assert woken.keys == []
    assert woken.value("trigger_raised_total") == 1
    assert "ProductionVerification pmlp/checked changed, but whom that concerns" in caplog.text
    assert woken.store.get("ProductionVerification", "pmlp", "checked") is not None
