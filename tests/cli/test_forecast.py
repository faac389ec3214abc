# SPDX-License-Identifier: Apache-2.0
"""``forecast`` as people and programs read it, over a store that holds a small fleet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import TypeAdapter, ValidationError

from eservice_operator.api.fields import Day
from eservice_operator.cli import forecast as asking
from eservice_operator.cli import forecasting as answering
from eservice_operator.cli.filling import Unread
from eservice_operator.cli.program import program
from eservice_operator.cli.world import Live
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from tests.support import worlds
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import NAMESPACE, NOW, POLICY

Golden = Callable[[str, str], None]
MEMBERS = ("first", "second", "third")


def stored(fleet: PureFleet) -> Store:
    """Everything of a fleet, in a store as the command line fills it."""
    store = Store(INDEXES)
    bodies = [body for cluster in fleet.members.values() for body in cluster.objects.values()]
    for number, body in enumerate((*fleet.templates.values(), *bodies)):
        if body["kind"] == "EServiceTemplate" and body not in fleet.templates.values():
            continue
        metadata = {"uid": f"uid-{number}"} | body["metadata"] | {"resourceVersion": str(number + 1)}
        store.upsert(body | {"metadata": metadata})
    return store


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three e-services on 3.0.0, which 4.0.0 makes overdue on 2027-06-01."""
    fleet = PureFleet.of(MEMBERS)
    fleet.put_template(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    fleet.settle(NOW)
    store = stored(fleet)
    seen = Live(store, Observer(store, POLICY), POLICY, NOW)
    monkeypatch.setattr(answering, "live", lambda *_: seen)
    monkeypatch.setattr(asking, "now", lambda: NOW)


def forecast(*arguments: str, code: int = 0) -> Result:
    answer = CliRunner().invoke(program, ["forecast", *arguments])
    assert answer.exit_code == code, answer.output
    return answer


def items(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(forecast(*arguments, "-o", "json").stdout)["items"]
    return found


def test_a_calendar_and_the_list_behind_it(golden: Golden) -> None:
    golden("forecast", forecast("--until", "2028-12-31").stdout)
    golden("forecast-wide", forecast("--until", "2027-06-30", "-o", "wide").stdout)


def test_items_for_programs() -> None:
    found = items("--until", "2027-12-31")
    assert {"namespace", "name", "action", "at", "why"} <= set.intersection(*(set(item) for item in found))
    off = [item for item in found if item["action"] == "Unpublish"]
    assert [item["name"] for item in off] == [f"address-declaration-{name}" for name in MEMBERS]
    assert {item["at"] for item in off} == {"2027-05-31T21:00:00Z"}
    assert {item["namespace"] for item in off} == {NAMESPACE}


SEVEN = tuple(f"e{number}" for number in range(1, 8))


def held_fleet(monkeypatch: pytest.MonkeyPatch, *editions: dict[str, Any]) -> None:
    """Seven e-services that the brake holds since 4.0.0; then other editions of the template."""
    fleet = PureFleet.of(SEVEN)
    instruction = worlds.version("4.0.0", "2027-05-01", "2026-10-13") | {"released": "2026-10-01"}
    edition = worlds.template((*worlds.VERSIONS, instruction), lifecycle={"maximumLag": "P1M"})
    for one in (edition, *editions):
        fleet.put_template(one)
        fleet.settle(NOW)
    store = stored(fleet)
    for number, body in enumerate(fleet.templates.values()):
        store.upsert(body | {"metadata": body["metadata"] | {"resourceVersion": f"{1000 + number}"}})
    seen = Live(store, Observer(store, POLICY), POLICY, NOW)
    monkeypatch.setattr(answering, "live", lambda *_: seen)


def test_what_is_held_already_comes_first(monkeypatch: pytest.MonkeyPatch, golden: Golden) -> None:
    held_fleet(monkeypatch)
    golden("forecast-held", forecast("--until", "P1M", "-o", "wide").stdout)
    found = items("--until", "P1M")
    assert {one["action"] for one in found} == {"Hold"}
    assert len(found) == len(SEVEN)
    (token,) = {one["token"] for one in found}
    assert len(token) == len("0cbe811856")
    assert {one["action"] for one in items("--until", "P1M", "--release-brake")} == {"Unpublish"}


def test_what_is_held_without_ground_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    held_fleet(monkeypatch, worlds.template())
    (why,) = {one["why"].partition(":")[0] for one in items("--until", "P1M")}
    assert why == "NoLongerOverdue"


def test_csv_has_the_same() -> None:
    rows = list(csv.DictReader(io.StringIO(forecast("--until", "2027-12-31", "-o", "csv").stdout)))
    plain = [{key: row[key] for key in ("namespace", "name", "action", "at", "why")} for row in rows]
    assert plain == [
        {key: item[key] for key in ("namespace", "name", "action", "at", "why")}
        for item in items("--until", "2027-12-31")
    ]


def test_who_is_public_on_a_day(golden: Golden) -> None:
    golden("forecast-at", forecast("--at", "2027-06-01").stdout)
    for day, public in (("2027-05-31", True), ("2027-06-01", False)):
        found = items("--at", day)
        assert {one["public"] for one in found} == {public}
        assert len(found) == len(MEMBERS)


def test_filters_choose_what_is_shown() -> None:
    assert items("-n", NAMESPACE) == items("-A") == items()
    assert items("-n", "elsewhere") == []
    assert items("--template", worlds.TEMPLATE) == items()
    assert "Nothing." in forecast("-n", "elsewhere").stdout


def test_what_cannot_be_foreseen_is_not_an_empty_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no EServiceTemplate another" in forecast("--template", "another", code=1).output
    said = 'Error from server (Forbidden): eservices.eservice.dev is forbidden: User "me" cannot list'
    store = Store(INDEXES)
    unread = tuple(Unread(kind, "", said) for kind in ("EService", "EServiceTemplate"))
    nothing = Live(store, Observer(store, POLICY), POLICY, NOW, unread)
    monkeypatch.setattr(answering, "live", lambda *_: nothing)
    refused = forecast("-A", "--template", "another", code=1)
    assert refused.output == f"{said}\nWith the rights for one namespace write: -n NAMESPACE\n"
    assert forecast("-n", NAMESPACE).stderr.count("you may not list") == len(unread)


def test_an_instruction_is_tried_out() -> None:
    """It brings the duty to migrate forward; the unpublication that was promised stays where it is."""
    options = ("--template", "viss-2020", "--version", "3.5.0", "--released", "2027-04-02")
    found = items(*options, "--published", "2027-04-03", "--until", "2028-12-31")
    dates = {item["action"]: item["at"] for item in found}
    assert dates["Unpublish"] == "2027-05-31T21:00:00Z"
    assert dates["MigrationDue"] == "2028-04-03T21:00:00Z"


def test_the_last_day_is_that_of_the_api() -> None:
    days = TypeAdapter(Day)
    assert days.validate_python(asking.LAST_DAY) == asking.LAST_DAY
    with pytest.raises(ValidationError):
        days.validate_python(asking.LAST_DAY + timedelta(days=1))


@pytest.mark.parametrize(
    "arguments,said",
    [
        (("--until", "soon"), "write a date"),
        (("--until", "2020-01-01"), "lies in the past"),
        (("--until", "2200-01-01"), "2200-01-01 lies after 2199-12-31, the last day that can be written"),
        (("--until", "9999-12-31"), "9999-12-31 lies after 2199-12-31"),
        (("--until", "P999999Y"), "9999-12-31 lies after 2199-12-31"),
        (("--at", "9999-12-31"), "9999-12-31 lies after 2199-12-31"),
        (("--version", "4.0.0"), "write --template as well"),
        (("--published", "2027-01-01"), "write --version as well"),
        (("--template", "none", "--version", "4.0.0"), "there is no EServiceTemplate none"),
        (("--template", "viss-2020", "--version", "9.0.0"), "say when it is released"),
    ],
    ids=str,
)
def test_what_is_no_question(arguments: tuple[str, ...], said: str) -> None:
    assert said in forecast(*arguments, code=1).output
