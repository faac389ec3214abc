# SPDX-License-Identifier: Apache-2.0
"""``impact``: what an end would close, beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete

from eservice_operator.cli import impact as module
from eservice_operator.cli.session import Session
from tests.cli.objects import ESCAPES
from tests.cli.shelf import Shelf, typed
from tests.support import access, worlds

Golden = Callable[[str, str], None]
Body = dict[str, Any]
Lost = tuple[str, list[str], str]
"""An e-service, the contract versions that it loses, and why."""
HOLDER = ("-n", access.HOLDER)
NAME = worlds.NAME
PUBLISHED = [worlds.condition("Published", "Published")]
CODES = {"evry-app": "40003022232", "rezekne": "90000025465", "cesis": "90000031048", "ogre": "90000024455"}
REST_CONTRACTS = [{"version": "v1", "endOfLife": "2027-06-30"}, {"version": "v2"}]
OGRE = {"name": "Ogre", "code": CODES["ogre"], "since": "2026-09-01"}


def registered(name: str, namespace: str, institution: str, code: str) -> Body:
    """A registration that places its e-services into that namespace."""
    places = [{"environment": "Production", "name": namespace, "state": "Ready"}]
    return worlds.registration(
        metadata={"name": name, "uid": f"uid-registration-{name}"},
        spec={
            "institution": {"name": institution, "code": code},
            "namespaces": [{"environment": "Production", "name": namespace}],
        },
        status={"namespaces": places},
    )


def calling(name: str, *uses: Body, public: bool = True) -> Body:
    """An e-service in a namespace of its own that asks for these."""
    return worlds.eservice(
        metadata={"name": name, "namespace": f"{name}-production", "uid": f"uid-{name}"},
        spec={"registration": name, "uses": list(uses)},
        status={"observedGeneration": 1, "conditions": PUBLISHED if public else []},
    )


def offered() -> dict[str, Body]:
    """A SOAP register and a REST register, their grants, and an agent's connection with a third customer."""
    agent_app = {"consumer": {"namespace": "evry-app-production", "name": "evry-app"}}
    return {
        "web_service": access.web_service(),
        "rest": access.rest_service(spec={"contracts": REST_CONTRACTS}),
        "grant": access.grant(spec={"contractVersions": access.granted("v4", "v5")}),
        "rest_grant": access.rest_grant("addresses", spec={"validUntil": "2028-01-01"}),
        "connection": access.grant("evry-app", spec=agent_app | {"agent": {"assignment": access.AGENT}}),
        "assignment": access.assignment(spec={"customers": [OGRE]}),
    }


def asked() -> Iterator[Body]:
    """Who uses them, with their registrations: directly, through the agent, and the agent itself."""
    uses = [
        access.use("v5"),
        access.use("v4", name="persons-before"),
        access.use(None, name="addresses", web_service=access.ADDRESSES),
    ]
    yield worlds.eservice(spec={"uses": uses}, status={"observedGeneration": 1, "conditions": PUBLISHED})
    yield worlds.registration()
    through = access.use(None, agent=access.AGENT)
    for name in ("rezekne", "cesis", "ogre"):
        yield calling(name, through, public=name == "ogre")
    for name, code in CODES.items():
        yield registered(name, f"{name}-production", name.title(), code)


def ground(web_service: Body) -> Iterator[Body]:
    """The holder's namespace and Services, and the Agency's word on every connection."""
    for name in (access.REGISTER, access.ADDRESSES):
        metadata = {"name": name, "namespace": access.HOLDER, "uid": name, "resourceVersion": "1"}
        spec = {"selector": access.POD_LABELS, "ports": [{"port": 8443}]}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    labels = access.labels(web_service)
    place = {"name": access.HOLDER, "uid": "n", "resourceVersion": "1", "labels": labels}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": place}
    for name in (NAME, "evry-app"):
        for version in ("v4", "v5"):
            yield access.connection_test(f"{name}-{version}", version, spec={"registration": name})


def holder(*more: Body, refused: tuple[str, ...] = (), **patched: Body) -> Shelf:
    """A register with two direct consumers and an agent with three customers, and an address register."""
    application = calling("evry-app", access.use("v5", as_agent=access.AGENT))
    objects = offered() | {"application": application} | patched
    return Shelf(*objects.values(), *asked(), *ground(objects["web_service"]), *more, refused=refused)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "now", lambda: worlds.NOW)


def closes(shelf: Shelf, *arguments: str) -> list[Lost]:
    """Each e-service, the versions that it loses, and why."""
    answer = typed(shelf, "impact", *arguments, *HOLDER, "-o", "json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    return [(one["eService"], one["contractVersions"], one["reason"]) for one in found["closes"]]


DIRECT = [(NAME, ["v5"], "AccessNotGranted"), (NAME, ["v4"], "AccessNotGranted")]
THROUGH = ["cesis", "evry-app", "ogre", "rezekne"]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["wsg/address-declaration"], DIRECT),
        (
            ["webservicegrant", "address-declaration", "--version", "v4"],
            [(NAME, ["v4"], "VersionNotGranted")],
        ),
        (["ws/population-register", "--version", "v4"], [(NAME, ["v4"], "ContractRetired")]),
        (["ws/address-register", "--version", "v1"], [(NAME, ["v1"], "ContractRetired")]),
        (["wsg/addresses"], [(NAME, ["v1", "v2"], "AccessNotGranted")]),
        (
            ["agent/evry", "--customer", CODES["ogre"]],
            [("ogre", ["v5"], "AccessNotGranted")],
        ),
        (["--at", "2027-11-01"], [(NAME, ["v1"], "ContractRetired"), (NAME, ["v4"], "ContractRetired")]),
        (["--at", "2027-06-30"], []),
        (["--at", "2027-07-01"], [(NAME, ["v1"], "ContractRetired")]),
        (["--at", "2027-10-31"], [(NAME, ["v1"], "ContractRetired")]),
        (["ws/population-register", "--at", "2027-11-01"], [(NAME, ["v4"], "ContractRetired")]),
        (["wsg/addresses", "--at", "2028-01-01"], [(NAME, ["v1"], "ContractRetired")]),
        (["wsg/addresses", "--at", "2028-01-02"], [(NAME, ["v1", "v2"], "Expired")]),
        (["agent/evry", "--at", "2028-01-02"], []),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else "",
)
def test_exactly_what_would_be_closed(
    arguments: list[str], expected: list[tuple[str, list[str], str]]
) -> None:
    assert sorted(closes(holder(), *arguments)) == sorted(expected)


@pytest.mark.parametrize("visibility", ["Listed", "Unlisted"])
@pytest.mark.parametrize(
    "arguments, reasons",
    [
        (["wsg/evry-app"], ("AgentNotConnected", "AccessNotGranted")),
        (["ws/population-register", "--version", "v5"], ("AgentNotConnected", "ContractRetired")),
        (["ws/population-register"], ("WebServiceUnknown", "WebServiceUnknown")),
        (["agent/evry"], ("AssignmentEnded", "AssignmentEnded")),
        (["agent/evry", "--customer", CODES["cesis"]], ("AssignmentPending", "AssignmentPending")),
    ],
    ids=" ".join,
)
def test_with_an_agent_ends_what_came_through_it(
    arguments: list[str], reasons: tuple[str, str], visibility: str
) -> None:
    """And a holder who may read no more than what was written is told the same reasons."""
    service = access.web_service(spec={"visibility": visibility})
    found = closes(holder(web_service=service), *arguments)
    assert {name for name, _, _ in found} >= set(THROUGH)
    whys = {name: why for name, _, why in found}
    assert (whys["rezekne"], whys["evry-app"]) == reasons
    written_down = {name: why for name, _, why in closes(written(web_service=service), *arguments)}
    assert written_down.items() <= whys.items()
    assert len(written_down) >= len(ACTIVE_THROUGH)


def test_an_assignment_that_has_ended_closes_nothing_more() -> None:
    over = access.assignment(spec={"ended": {"at": "2026-10-13", "reason": "contract over"}})
    assert closes(holder(assignment=over), "agent/evry") == []
    to_end = access.assignment(spec={"ended": {"at": "2027-01-01", "reason": "contract over"}})
    assert {why for _, _, why in closes(holder(assignment=to_end), "agent/evry")} == {"AssignmentEnded"}


def test_a_version_taken_out_of_an_agent_s_grant_is_not_retired() -> None:
    app = {"consumer": {"namespace": "evry-app-production", "name": "evry-app"}}
    both = access.granted("v4", "v5")
    connection = access.grant(
        "evry-app", spec=app | {"agent": {"assignment": access.AGENT}, "contractVersions": both}
    )
    asks = [access.use(one, name=f"persons-{one}", as_agent=access.AGENT) for one in ("v4", "v5")]
    shelf = holder(application=calling("evry-app", *asks), connection=connection)
    found = closes(shelf, "wsg/evry-app", "--version", "v4")
    assert {(name, tuple(versions), why) for name, versions, why in found} == {
        (name, ("v4",), "VersionNotGranted") for name in THROUGH
    }


def test_the_page(golden: Golden) -> None:
    golden("impact", typed(holder(), "impact", "ws/population-register", *HOLDER).output)
    golden("impact-wide", typed(holder(), "impact", "agent/evry", *HOLDER, "-o", "wide", width=220).output)
    at = typed(holder(), "impact", "--at", "2028-01-02", *HOLDER, width=105)
    golden("impact-at", at.output)
    assert max(map(len, at.stdout.splitlines())) <= 105


def test_the_last_day_is_that_of_what_ends() -> None:
    answer = typed(holder(), "impact", "--at", "2027-11-01", *HOLDER, "-o", "json")
    found = json.loads(answer.stdout)
    assert {(one["webService"]["name"], one["endsOn"]) for one in found["closes"]} == {
        (access.ADDRESSES, "2027-06-30"),
        (access.REGISTER, "2027-10-31"),
    }
    assert (found["eServices"], found["public"], len(found["grants"])) == (1, 1, 2)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "write what would end, such as wsg/NAME, or --at and a day"),
        (["act/x"], "'act/x' names nothing that can end: write ws/NAME, wsg/NAME or agent/NAME"),
        (["ws"], "'ws' names nothing that can end"),
        (["ws/a", "b"], "names nothing that can end"),
        (["--version", "v4", "--at", "2027-01-01"], "--version and --customer are of one object"),
        (["ws/a", "--customer", "1"], "--customer is of an agent: write agent/NAME"),
        (["agent/a", "--version", "v4"], "--version is of a web service or a grant"),
        (["ws/a", "--at", "2026-10-13"], "2026-10-13 has come already: write a day to come"),
        (["ws/population-register", "--version", "v9"], "it has no contract version v9: it has v4, v5"),
        (
            ["wsg/addresses", "--version", "v1"],
            "the grant covers every contract version: leave",
        ),
        (["wsg/address-declaration", "--version", "v9"], "the grant names no contract version v9"),
        (["agent/evry", "--customer", "1"], "the assignment lists no institution 1"),
        (["ws/unknown"], "unknown not found"),
    ],
)
def test_what_cannot_end_is_said(arguments: list[str], said: str) -> None:
    answer = typed(holder(), "impact", *arguments, *HOLDER)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert said in answer.stderr


def test_nothing_closes() -> None:
    answer = typed(holder(), "impact", "--at", "2026-10-14", *HOLDER)
    assert answer.stdout == "ur-production: nothing ends by itself before 2026-10-14 (tomorrow)\n"
    gone = holder(connection=access.grant("evry-app", spec={"refused": {"reason": "no"}}))
    assert (
        "is ended today (spec.ended), nothing closes" in typed(gone, "impact", "agent/evry", *HOLDER).stdout
    )


ACTIVE_V4 = {"version": "v4", "state": "Active", "reason": "Active", "endsOn": "2027-10-31"}
ACTIVE_V5 = {"version": "v5", "state": "Active", "reason": "Active"}
ACTIVE = {
    "consumer": {"institution": "PMLP", "code": "90000054163", "environment": "Production"},
    "contractVersions": [
        ACTIVE_V4,
        ACTIVE_V5,
        {"version": "v6", "state": "Pending", "reason": "EvidenceMissing"},
    ],
}


def written(**patched: Body) -> Shelf:
    """The same for the holder, who may read no namespace but its own, with what the operator wrote there."""
    connected = {"consumer": {"namespace": "evry-app-production", "name": "evry-app"}}
    entries = [{"version": "v5", "state": "Active", "reason": "Active"}]
    rest = [{"version": "*", "state": "Active", "reason": "Active", "endsOn": "2028-01-01"}]
    customers = [
        {
            "code": CODES[name],
            "name": name.title(),
            "state": state,
            "eServices": [f"{name}-production/{name}"],
        }
        for name, state in (("rezekne", "Active"), ("cesis", "Active"), ("ogre", "NotYet"))
    ]
    contracts = [{"version": "v1", "state": "Retiring", "endOfLife": "2027-06-30"}]
    objects = {
        "grant": access.grant(spec={"contractVersions": access.granted("v4", "v5")}, status=ACTIVE),
        "rest": access.rest_service(status={"contracts": contracts}),
        "rest_grant": access.rest_grant("addresses", status=ACTIVE | {"contractVersions": rest}),
        "connection": access.grant(
            "evry-app",
            spec=connected | {"agent": {"assignment": access.AGENT}},
            status={"contractVersions": entries},
        ),
        "assignment": access.assignment(
            spec={"customers": [OGRE]}, status={"grant": "evry-app", "customers": customers}
        ),
    }
    return holder(refused=("eservices", "eserviceregistrations", "controllerrevisions"), **objects | patched)


ACTIVE_THROUGH = [(name, "v5") for name in ("cesis", "evry-app", "rezekne")]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["wsg/address-declaration"], [(NAME, "v4"), (NAME, "v5")]),
        (["wsg/address-declaration", "--version", "v4"], [(NAME, "v4")]),
        (
            ["ws/population-register", "--version", "v5"],
            [(NAME, "v5"), *ACTIVE_THROUGH],
        ),
        (["ws/address-register", "--version", "v1"], [(NAME, "v1")]),
        (["wsg/evry-app"], ACTIVE_THROUGH),
        (["agent/evry"], ACTIVE_THROUGH),
        (["agent/evry", "--customer", CODES["ogre"]], []),
        (["agent/evry", "--customer", CODES["cesis"]], ACTIVE_THROUGH),
        (["--at", "2027-11-01"], [(NAME, "v1"), (NAME, "v4")]),
        (["wsg/addresses", "--at", "2028-01-02"], [(NAME, "*")]),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else "",
)
def test_a_holder_who_may_read_no_more_sees_what_was_written(
    arguments: list[str], expected: list[tuple[str, str]]
) -> None:
    found = closes(written(), *arguments)
    assert sorted((name, version) for name, versions, _ in found for version in versions) == sorted(expected)


def with_dates(assignment: Body, application: Body, last: str) -> tuple[Shelf, Shelf]:
    """The agent's access with dates, as everybody reads it, and as the holder does who reads no more."""
    agent = {"consumer": {"namespace": "evry-app-production", "name": "evry-app"}}
    agent |= {"agent": {"assignment": access.AGENT}}
    entries = [{"version": "v5", "state": "Active", "reason": "Active", "endsOn": last}]
    customers = [
        {"code": CODES[name], "name": name, "state": "Active", "eServices": [f"{name}-production/{name}"]}
        for name in ("rezekne", "cesis", "ogre")
    ]
    objects = {
        "grant": access.grant(
            spec={"contractVersions": access.granted("v4", "v5")},
            status={"contractVersions": [ACTIVE_V4, ACTIVE_V5]},
        ),
        "web_service": access.web_service(
            status={"contracts": [{"version": "v4", "state": "Retiring", "endOfLife": "2027-10-31"}]}
        ),
        "connection": access.grant(
            "evry-app", spec=agent | application, status={"contractVersions": entries}
        ),
        "assignment": access.assignment(
            spec={"customers": [OGRE]} | assignment, status={"grant": "evry-app", "customers": customers}
        ),
        "rest_grant": access.rest_grant("addresses", status={"contractVersions": []}),
    }
    refused = ("eservices", "eserviceregistrations", "controllerrevisions")
    return holder(refused=(), **objects), holder(refused=refused, **objects)


@pytest.mark.parametrize(
    "assignment, application, reasons",
    [
        ({"validUntil": "2027-06-30"}, {}, ("AssignmentEnded", "AssignmentEnded")),
        ({"ended": {"at": "2027-07-01", "reason": "over"}}, {}, ("AssignmentEnded", "AssignmentEnded")),
        ({}, {"validUntil": "2027-06-30"}, ("Expired", "AgentNotConnected")),
        ({"validUntil": "2027-06-30"}, {"validUntil": "2027-06-30"}, ("Expired", "AssignmentEnded")),
    ],
)
def test_what_dates_end_reads_the_same_to_who_may_read_no_more(
    assignment: Body, application: Body, reasons: tuple[str, str]
) -> None:
    everybody, alone = with_dates(assignment, application, "2027-06-30")
    there = ("ws/population-register", "--at")
    assert closes(everybody, *there, "2027-06-30") == closes(alone, *there, "2027-06-30") == []
    found = closes(alone, *there, "2027-11-01")
    assert sorted(found) == sorted(closes(everybody, *there, "2027-11-01"))
    whys = {name: why for name, _, why in found}
    assert (whys["evry-app"], whys["ogre"], whys[NAME]) == (*reasons, "ContractRetired")


def test_what_was_not_decided_anew_says_so(golden: Golden) -> None:
    answer = typed(written(), "impact", "agent/evry", "--customer", CODES["cesis"], *HOLDER)
    golden("impact-written", answer.output)
    document = json.loads(typed(written(), "impact", "wsg/addresses", *HOLDER, "-o", "json").stdout)
    assert document["public"] is None
    assert "you may not list ControllerRevision, EService, EServiceRegistration" in document["notes"][0]


def test_everywhere_what_dates_end_is_one_question() -> None:
    answer = typed(holder(), "impact", "--at", "2028-01-02", "-A")
    assert answer.stdout.startswith("all namespaces: this ends by itself before 2028-01-02")
    assert "1 e-service loses access under 2 grants" in answer.stdout


def test_what_is_tested_in_a_namespace_does_not_end_in_it() -> None:
    tried = access.web_service_in_test()
    answer = typed(holder(tried), "impact", "--at", "2027-11-02", "-n", access.HOLDER_IN_TEST)
    assert answer.stdout.startswith(f"{access.HOLDER_IN_TEST}: nothing ends by itself before 2027-11-02")


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    named = access.assignment(spec={"agent": {"name": ESCAPES}, "customers": [OGRE | {"name": ESCAPES}]})
    patched = worlds.registration(spec={"institution": {"name": ESCAPES}})
    shelf = holder(patched, assignment=named)
    for more in ((), ("-o", "wide"), ("-o", "json"), ("-o", "yaml")):
        printed = typed(shelf, "impact", "ws/population-register", *HOLDER, *more).output
        assert NAME in printed
        assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(printed)


@pytest.mark.parametrize("where", [HOLDER, ("-A",)])
def test_who_may_not_read_the_grants_is_told_so(where: tuple[str, ...]) -> None:
    answer = typed(holder(refused=("webservicegrants",)), "impact", "--at", "2027-11-01", *where)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "webservicegrants.eservice.dev is forbidden" in answer.stderr
    assert ("-n NAMESPACE" in answer.stderr) == (where == ("-A",))


def test_only_the_holder_s_namespace_and_what_belongs_to_it_is_read() -> None:
    shelf = holder()
    typed(shelf, "impact", "ws/population-register", *HOLDER)
    near = {"webservicegrants", "agentassignments", "services", "controllerrevisions"}
    assert not [
        query
        for query in shelf.asked
        if query.namespace == "" and near & {name.partition(".")[0] for name in query.resources}
    ]


def test_names_are_completed() -> None:
    answer = typed(holder(), "impact", "wsg/a", *HOLDER)
    assert answer.exit_code == 1
    context = click.Context(module.command, obj=Session())
    context.obj.__dict__["kubectl"] = holder()
    context.obj.namespace = access.HOLDER
    found = [item.value for item in module.target_names(context, module.command.params[0], "wsg/a")]
    assert found == ["wsg/address-declaration", "wsg/addresses"]


@pytest.mark.parametrize(
    "words, expected",
    [
        (["agent/evry", "--customer", "9000002"], [CODES["rezekne"], CODES["ogre"]]),
        (["ws/population-register", "--version", ""], ["v4", "v5"]),
        (["wsg", "address-declaration", "--version", "v5"], ["v5"]),
        (["--version", ""], []),
        (["act/x", "--version", ""], []),
        (["ws/unknown", "--version", ""], []),
    ],
    ids=" ".join,
)
def test_what_can_end_of_an_object_is_completed(words: list[str], expected: list[str]) -> None:
    session = Session()
    session.__dict__["kubectl"] = holder()
    completion = ShellComplete(module.command, {"obj": session}, "impact", "")
    found = completion.get_completions([*HOLDER, *words[:-1]], words[-1])
    assert [item.value for item in found] == expected
