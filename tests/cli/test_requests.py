# SPDX-License-Identifier: Apache-2.0
"""``requests``: who asks a holder, and the file that answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from click.shell_completion import ShellComplete

from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.cli import requests as module
from eservice_operator.cli.session import Session
from tests.cli.objects import ESCAPES
from tests.cli.shelf import Shelf, typed
from tests.support import access, worlds

Golden = Callable[[str, str], None]
HOLDER = ("-n", access.HOLDER)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "now", lambda: worlds.NOW)


def request(name: str, state: str, version: str | None = "v5", **fields: Any) -> dict[str, Any]:
    asked = {"namespace": worlds.NAMESPACE, "eService": name, "registration": name, "institution": "PMLP"}
    asked |= {"contractVersion": version} if version else {}
    return asked | {"state": state, **fields}


ASKED = (
    request(worlds.NAME, "Waiting", message="ur-production/population-register v5: no grant yet"),
    request("passport", "Waiting", None, agent="evry", registration="passport", institution="Ogre"),
    request("tax", "Pending", "v4", grant="tax", message="v4 lacks in Production: evidence.endToEnd"),
    request("tax", "Waiting"),
    request("old", "Refused", message="refused by the holder: no ground in law", grant="old"),
    request("extract", "Granted", message="granted until 2028-01-01, that day included", grant="extract"),
)
TAX = access.grant("tax", spec={"consumer": {"name": "tax"}, "contractVersions": access.granted("v4")})
REST = (request(worlds.NAME, "Waiting", None),)


def holder(*more: dict[str, Any], refused: tuple[str, ...] = ()) -> Shelf:
    status = {"observedGeneration": 1, "requestCount": 8, "waitingCount": 3, "requests": list(ASKED)}
    rest = {"observedGeneration": 1, "requestCount": 1, "waitingCount": 1, "requests": list(REST)}
    return Shelf(
        access.web_service(status=status),
        access.rest_service(status=rest),
        access.web_service_in_test(status=None),
        TAX,
        access.assignment(),
        *more,
        refused=refused,
    )


@pytest.mark.parametrize("width", [100, 160])
def test_who_asks(golden: Golden, width: int) -> None:
    answer = typed(holder(), "requests", *HOLDER, width=width)
    golden(f"requests-{width}", answer.output)
    assert answer.exit_code == 0
    assert max(map(len, answer.stdout.splitlines())) <= width


def test_everywhere_and_wide(golden: Golden) -> None:
    golden("requests-wide", typed(holder(), "requests", "-A", "-o", "wide", width=200).output)


def test_programs_get_each_request_with_what_it_asks_for() -> None:
    answer = typed(holder(), "requests", *HOLDER, "--waiting", "-o", "json")
    found = json.loads(answer.stdout)["requests"]
    assert [(one["webService"]["name"], one["eService"]) for one in found] == [
        (access.REGISTER, worlds.NAME),
        (access.REGISTER, "passport"),
        (access.REGISTER, "tax"),
        (access.ADDRESSES, worlds.NAME),
    ]
    assert {one["protocol"] for one in found} == {"SOAP", "REST"}
    named = typed(holder(), "requests", *HOLDER, "--waiting", "-o", "name").stdout.split()
    assert named == [f"{worlds.NAMESPACE}/{name}" for name in (worlds.NAME, "passport", "tax")]


def test_nobody_asks_and_nobody_may_look() -> None:
    assert "nobody asks for a web service in ur-production" in typed(Shelf(), "requests", *HOLDER).output
    answer = typed(holder(refused=("webservices",)), "requests", "-A")
    assert answer.exit_code == 1
    assert "With the rights for one namespace write: -n NAMESPACE" in answer.output


def documents(*arguments: str, shelf: Shelf | None = None) -> list[dict[str, Any]]:
    answer = typed(shelf or holder(), "requests", *HOLDER, *arguments)
    assert answer.exit_code == 0, answer.output
    return list(yaml.safe_load_all(answer.stdout))


def test_the_file_that_answers(golden: Golden) -> None:
    golden("requests-yaml", typed(holder(), "requests", *HOLDER, "--yaml", worlds.NAME).output)
    for made in documents("--yaml", f"{worlds.NAMESPACE}/{worlds.NAME}"):
        filled = json.loads(
            json.dumps(made).replace("<64 hexadecimal digits>", "0" * 64).replace("…", "x.example")
        )
        assert not isinstance(parse(made["kind"], filled), InvalidObject)


def test_a_grant_that_is_there_gets_the_version() -> None:
    (made,) = documents("--yaml", "tax")
    assert made["metadata"] == {"name": "tax", "namespace": access.HOLDER}
    assert [one["version"] for one in made["spec"]["contractVersions"]] == ["v4", "v5"]
    assert made["spec"]["contractVersions"][0]["evidence"] == access.EVIDENCE, "what is there stays"
    said = typed(holder(), "requests", *HOLDER, "--yaml", "tax").stderr
    assert "population-register v4: Pending: v4 lacks in Production" in said
    assert "adds v5 to WebServiceGrant tax" in said


def test_no_two_grants_have_one_name() -> None:
    soap, rest = documents("--yaml", worlds.NAME)
    assert soap["metadata"]["name"] == worlds.NAME
    assert rest["metadata"]["name"] == f"{worlds.NAME}-{access.ADDRESSES}"
    assert "contractVersions" not in rest["spec"]
    of_another = access.grant(spec={"consumer": {"namespace": "elsewhere"}})
    soap, _ = documents("--yaml", worlds.NAME, shelf=holder(of_another))
    assert soap["metadata"]["name"] == f"{worlds.NAME}-{access.REGISTER}"


def test_who_asks_as_an_agent_is_answered_as_one() -> None:
    asked = [request("gateway", "Waiting", asAgent="evry"), request("gateway", "Waiting")]
    shelf = Shelf(
        access.web_service(status={"observedGeneration": 1, "requests": asked}), access.assignment()
    )
    as_agent, itself = documents("--yaml", "gateway", shelf=shelf)
    assert as_agent["spec"]["agent"] == {"assignment": "evry"}
    assert "agent" not in itself["spec"]
    assert as_agent["metadata"]["name"] != itself["metadata"]["name"]
    assert "v5 as agent of evry" in typed(shelf, "requests", *HOLDER, width=160).stdout


def test_through_an_agent_the_answer_is_a_customer() -> None:
    registration = worlds.registration(metadata={"name": "passport"})
    (made,) = documents("--yaml", "passport", shelf=holder(registration))
    (customer,) = made["spec"]["customers"]
    assert customer | {"since": ""} == {"name": "Ogre", "code": "90000054163", "since": ""}
    assert made["spec"]["pilotCustomers"] == list(access.PILOTS)
    (made,) = documents("--yaml", "passport", shelf=holder(refused=("eserviceregistrations",)))
    assert made["spec"]["customers"][0]["code"] == "<its code in the national register>"


@pytest.mark.parametrize(
    "name, said",
    [
        ("nobody", "nobody asks for none of these web services"),
        ("old", "no ground in law; to let it in after all, change WebServiceGrant old"),
        ("app", "population-register v5: Ended: AgentAssignment evry: its last day was 2026-10-12"),
        ("late", "population-register through evry: there is no AgentAssignment evry that has not ended"),
        ("extract", "there is nothing to write"),
        ("a//b", "is no e-service: write its NAME, or NAMESPACE/NAME"),
    ],
)
def test_where_there_is_nothing_to_answer_it_says_why(name: str, said: str) -> None:
    ended = access.assignment(spec={"ended": {"at": "2026-10-13", "reason": "over"}})
    why = "AgentAssignment evry: its last day was 2026-10-12"
    asked = [
        *ASKED,
        request("app", "Ended", asAgent="evry", message=why),
        request("late", "Waiting", None, agent="evry"),
    ]
    shelf = Shelf(access.web_service(status={"observedGeneration": 1, "requests": asked}), ended)
    answer = typed(shelf, "requests", *HOLDER, "--yaml", name)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert said in answer.stderr


def test_what_is_over_is_granted_anew() -> None:
    """Nothing that is added to a grant after its last day opens anything, and its name is not free."""
    over = access.grant("tax", spec={"consumer": {"name": "tax"}, "validUntil": "2026-10-12"})
    asked = [
        request("tax", "Ended", grant="tax", message="its last day was 2026-10-12"),
        request("tax", "Waiting", "v6"),
    ]
    shelf = Shelf(access.web_service(status={"observedGeneration": 1, "requests": asked}), over)
    (made,) = documents("--yaml", "tax", shelf=shelf)
    assert made["metadata"]["name"] == f"tax-{access.REGISTER}"
    assert [one["version"] for one in made["spec"]["contractVersions"]] == ["v5", "v6"]
    last = access.grant("tax", spec={"consumer": {"name": "tax"}, "validUntil": "2026-10-13"})
    shelf = Shelf(access.web_service(status={"observedGeneration": 1, "requests": asked[1:]}), last)
    (made,) = documents("--yaml", "tax", shelf=shelf)
    assert made["metadata"]["name"] == "tax", "today it is open"


def test_of_two_with_one_name_one_is_to_be_chosen() -> None:
    twice = [request("kindergarten", "Waiting", namespace=place) for place in ("cesis-test", "ogre-test")]
    shelf = Shelf(access.web_service(status={"observedGeneration": 1, "requests": twice}))
    answer = typed(shelf, "requests", *HOLDER, "--yaml", "kindergarten")
    assert "write one of cesis-test/kindergarten, ogre-test/kindergarten" in answer.stderr
    (made,) = documents("--yaml", "ogre-test/kindergarten", shelf=shelf)
    assert made["spec"]["consumer"] == {
        "namespace": "ogre-test",
        "name": "kindergarten",
        "registration": "kindergarten",
    }


def test_a_grant_for_an_earlier_registration_is_not_added_to() -> None:
    asked = access.web_service(status={"observedGeneration": 1, "requests": [request("tax", "Pending")]})
    for registration, name in (("tax", "tax"), ("tax-before", f"tax-{access.REGISTER}")):
        of = {"consumer": {"name": "tax", "registration": registration}}
        there = access.grant("tax", spec=of | {"contractVersions": access.granted("v4")})
        (made,) = documents("--yaml", "tax", shelf=Shelf(asked, there))
        assert (made["metadata"]["name"], made["spec"]["consumer"]["registration"]) == (name, "tax")


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    asked = [request(worlds.NAME, "Waiting", message=ESCAPES, institution=ESCAPES)]
    shelf = Shelf(access.web_service(status={"observedGeneration": 1, "requests": asked}))
    for more in ((), ("-o", "json"), ("-o", "yaml"), ("--yaml", worlds.NAME)):
        assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(typed(shelf, "requests", *HOLDER, *more).output)


def test_who_asks_is_completed() -> None:
    for shelf, expected in (
        (holder(), [f"{worlds.NAMESPACE}/tax"]),
        (holder(refused=("webservices",)), []),
    ):
        session = Session()
        session.__dict__["kubectl"] = shelf
        completion = ShellComplete(module.command, {"obj": session}, "requests", "")
        found = completion.get_completions([*HOLDER, "--yaml"], f"{worlds.NAMESPACE}/t")
        assert [item.value for item in found] == expected
