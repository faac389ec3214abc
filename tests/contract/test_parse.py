# SPDX-License-Identifier: Apache-2.0
"""Reading objects: what is wrong comes in words, and a status of ours never makes an object invalid."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.base import Model
from eservice_operator.api.eservice import EService, EServiceStatus
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.parse import MOST_ERRORS, InvalidObject, parse, read
from eservice_operator.api.reasons import Phase
from eservice_operator.core.actions import Manifest
from tests.contract.manifests import changed, example

NOW = "2026-11-22T02:00:00Z"
AMOUNT = "write an amount such as 500m, 2, 512Mi or 1.5Gi, with three decimals at most"
NETWORK = "write a network such as 192.0.2.0/24 or 2001:db8::/32, with no bits beyond its prefix"
GATE = {
    "gate": "Accepted",
    "blocks": "Install",
    "reason": "AwaitingAcceptance",
    "message": "No acceptance act names this release.",
    "owner": "Agency",
    "rule": "R2",
    "since": NOW,
}
STATUS: Manifest = {
    "observedGeneration": 3,
    "phase": "Pending",
    "identifier": "EP-000042",
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "AwaitingAcceptance",
            "message": "Waits for the acceptance act.",
            "lastTransitionTime": NOW,
            "observedGeneration": 3,
        }
    ],
    "template": {"name": "viss-2020", "version": "2.0.0", "migrateBy": "2027-02-02"},
    "gates": [GATE, {**GATE, "gate": "Requested", "rule": "R4"}],
    "history": [{"at": NOW, "phase": "Pending", "reason": "Created", "inputsHash": "0123456789abcdef"}],
}
SERVICE = {**example("EService"), "status": STATUS}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.just(NOW),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, path: str = "") -> list[str]:
    """Every place in an object."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += paths(inner, f"{path}[{index}]")
    return found


SPEC_PATHS = [path for path in paths(SERVICE) if path.startswith("spec")]
STATUS_PATHS = [path for path in paths(SERVICE) if path.startswith("status")]


def errors(changes: dict[str, Any]) -> list[str]:
    """What is wrong with the example after the changes."""
    answer = parse("EService", changed(SERVICE, changes))
    assert isinstance(answer, InvalidObject)
    return list(answer.errors)


NAME = "is not accepted, write a name of a-z, 0-9, - and ., with a letter or a digit at both ends"
VERSION = "is not accepted, write a SemVer 2.0 version without build metadata, such as 3.0.0 or 3.1.0-rc.1"
INSTANT = "is not an instant with its offset from UTC, write it as 2026-10-12T10:00:00Z"


@pytest.mark.parametrize(
    "path,value,error",
    [
        ("registration", None, "is missing, write it"),
        ("registration", "A" * 200, f'"{"A" * 59}… {NAME}'),
        ("workload.port", 70000, "70000 is too high, write at most 65535"),
        ("workload.replicas", 0, "0 is too low, write 1 or more"),
        ("workload.replicas", "two", '"two" is not a whole number, write one'),
        ("workload.replicas", 1.5, "1.5 is not a whole number, write one"),
        ("workload.replicas", float("inf"), "Infinity is not a whole number, write one"),
        ("environment", "Prod", '"Prod" is not known, write Test, Acceptance or Production'),
        ("template.version", "3.0.0+b1", f'"3.0.0+b1" {VERSION}'),
        (
            "productionRequest.requestedAt",
            "2026-02-30",
            '"2026-02-30" is not a day of the calendar, write it as YYYY-MM-DD',
        ),
        (
            "productionRequest.requestedAt",
            "2026-11-13T00:00:00Z",
            (
                '"2026-11-13T00:00:00Z" is more than a day, '
                "write YYYY-MM-DD in quotes: kustomize makes it an instant else"
            ),
        ),
        (
            "productionRequest.requestedAt",
            "2200-01-01",
            '"2200-01-01" is too high, write less than 2200-01-01',
        ),
        (
            "productionRequest.requestedBy",
            "A\nB",
            '"A\\nB" is not accepted, write a single line without control characters',
        ),
        ("publication.paused.until", "2026-11-22T10:00:00", f'"2026-11-22T10:00:00" {INSTANT}'),
        ("publication.hosts", [], "has too few entries, write at least 1"),
        ("publication.hosts", [f"a{n}.example" for n in range(17)], "has too many entries, write at most 16"),
        ("publication.hosts", "a.example", '"a.example" is not a list, write one'),
        ("publication", ["a"], "a list is not a map, write its fields"),
        ("workload.scheduling.nodeSelector", 1, "1 is not a map, write its fields"),
        (
            "workload.resources.limits.cpu",
            "lots",
            f'"lots" is not accepted, {AMOUNT}',
        ),
        (
            "workload.resources.limits.memory",
            {"value": 1},
            f"a map is not accepted, {AMOUNT}",
        ),
        (
            "workload.egress[0].cidr",
            "192.0.2.0/33",
            f'"192.0.2.0/33" is not accepted, {NETWORK}',
        ),
        ("release.image", 7, "7 is not text, write it in quotes"),
        ("release.image", "", "is too short, write 1 or more characters"),
        ("release.image", "a" * 513, "is too long, write at most 512 characters"),
        (
            "workload.volumes[0].readOnly",
            "perhaps",
            '"perhaps" is neither true nor false, write one of them',
        ),
        ("workload.volumes[0].emptyDir.medium", "Disk", '"Disk" is not known, write Memory'),
    ],
)
def test_an_error_names_the_field_and_what_to_write(path: str, value: Any, error: str) -> None:
    assert f"spec.{path}: {error}" in errors({f"spec.{path}": value})


@pytest.mark.parametrize(
    "kind,path,value",
    [
        *(("UnpublishDeferral", f"spec.{field}", "A. B\u200e") for field in ("approvedBy", "ticket")),
        ("AcceptanceAct", "spec.signatories[0].name", "A. B\u061c"),
        ("EServiceRegistration", "spec.institution.name", "A\u2066B"),
        ("EServiceRegistration", "spec.title.lv", "Several\nlines"),
        ("EService", "spec.publication.catalogue.title.en", "Turned \u202e round"),
        ("EService", "spec.publication.paused", {"reason": "A\u200fB"}),
        ("ProductionVerification", "spec.verifiedBy", "A. B\u200e"),
        *(
            ("ProductionVerification", "spec.verifiedAt", at)
            for at in (
                "2026-10-12T10:00:00.1234567891Z",
                "2026-10-12T10:00:00,5Z",
                "2026-10-12T10:00:00-00:00",
                "2026-10-12t10:00:00z",
            )
        ),
    ],
)
def test_what_an_earlier_crd_took_is_still_read(kind: str, path: str, value: Any) -> None:
    """The records among them are immutable: an e-service leaves by R8 if its deferral is not read."""
    assert not isinstance(parse(kind, changed(example(kind), {path: value})), InvalidObject)


def test_all_errors_are_told_at_once_each_place_once() -> None:
    told = errors(
        {"spec.environment": "Prod", "spec.registration": None, "spec.workload.resources": {"limits": []}}
    )
    assert [line.partition(":")[0] for line in told] == [
        "spec.registration",
        "spec.environment",
        "spec.workload.resources.limits",
    ]
    assert str(InvalidObject(tuple(told))) == "; ".join(told)


def test_many_errors_are_cut_and_counted() -> None:
    told = errors({"spec.workload.env": [{"value": "x"}] * (MOST_ERRORS + 5)})
    assert len(told) == MOST_ERRORS + 1
    assert told[-1] == "and 5 more: mend these first"


def test_values_of_environment_variables_are_not_shown() -> None:
    told = errors({"spec.workload.env[0].value": ["s3cret"], "spec.workload.env[1].value": 12345})
    assert told == [
        "spec.workload.env[0].value: the value is not text, write it in quotes",
        "spec.workload.env[1].value: the value is not text, write it in quotes",
    ]


def test_a_kind_that_is_not_ours_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        parse("Pod", SERVICE)


def test_fields_of_a_newer_api_are_ignored() -> None:
    service = read(EService, changed(SERVICE, {"spec.newer": {"a": 1}, "status.newer": 1}))
    assert isinstance(service, EService)
    assert service.status.phase is Phase.PENDING


@pytest.mark.parametrize("status", [None, 3, "x", [], {"conditions": 1}, {"phase": "Sleeping"}])
def test_an_unreadable_status_falls_back_to_the_default(status: Any) -> None:
    service = read(EService, {**SERVICE, "status": status})
    assert isinstance(service, EService)
    assert service.status == EServiceStatus()


def test_what_can_be_read_of_a_status_is_kept() -> None:
    """A newer operator may have written a word that this one does not know; what was promised stays."""
    newer = changed(
        SERVICE,
        {
            "status.phase": "Sleeping",
            "status.gates[0].gate": "Blessed",
            "status.template.migrateBy": "soon",
            "status.history[0].phase": "Sleeping",
        },
    )
    service = read(EService, newer)
    assert isinstance(service, EService)
    assert service.status.phase is None
    assert service.status.identifier == "EP-000042"
    assert service.status.template.version == "2.0.0"
    assert service.status.template.migrate_by is None
    assert [gate.gate.value for gate in service.status.gates] == ["Requested"]
    assert service.status.history == ()
    assert service.status.conditions[0].type == "Ready"


def test_reading_leaves_the_object_as_it_was() -> None:
    newer = changed(SERVICE, {"status.phase": "Sleeping", "status.gates[1].owner": "Nobody"})
    before = copy.deepcopy(newer)
    parse("EService", newer)
    assert newer == before


@given(path=st.sampled_from(STATUS_PATHS), value=JSON, other=st.sampled_from(STATUS_PATHS), more=JSON)
def test_no_status_makes_an_object_invalid(path: str, value: Any, other: str, more: Any) -> None:
    service = copy.deepcopy(SERVICE)
    for place, new in ((path, value), (other, more)):
        try:
            service = changed(service, {place: new})
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # the first change took the second one's place away
    answer = read(EService, service)
    assert isinstance(answer, EService)
    assert answer.spec == read(EService, SERVICE).spec  # type: ignore[union-attr]


@given(path=st.sampled_from(SPEC_PATHS), value=JSON)
def test_whatever_is_written_is_read_or_refused_in_our_words(path: str, value: Any) -> None:
    answer = parse("EService", changed(SERVICE, {path: value}))
    if isinstance(answer, InvalidObject):
        for line in answer.errors:
            assert re.match(r"spec[\w.\-\[\]]*: .+", line, re.DOTALL), line
            assert "Input should" not in line
            assert "write" in line


@given(kind=st.sampled_from(sorted(BY_KIND)), obj=JSON)
def test_anything_at_all_is_refused_without_an_error(kind: str, obj: Any) -> None:
    assert isinstance(parse(kind, obj), InvalidObject)


@pytest.mark.parametrize("kind", BY_KIND)
def test_each_kind_reads_into_its_model(kind: str) -> None:
    answer = parse(kind, example(kind))
    assert isinstance(answer, Model)
    assert type(answer) is BY_KIND[kind].model
