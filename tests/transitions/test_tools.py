# SPDX-License-Identifier: Apache-2.0
"""The parts of the machine that need no cluster: it can see a difference, and it knows every kind."""

from __future__ import annotations

import json

from eservice_operator.api.names import API_VERSION
from eservice_operator.cluster.resources import OWN
from eservice_operator.core.actions import Manifest
from tests.transitions import hostile, valid
from tests.transitions.fresh import is_forgotten
from tests.transitions.machine import BY_KIND, REVERSIBLE
from tests.transitions.normal_form import difference, of_now, plain


def line(name: str = "address", **spec: object) -> str:
    obj = {"kind": "Service", "metadata": {"namespace": "pmlp", "name": name}, "spec": spec}
    return json.dumps(obj, sort_keys=True)


def test_equal_forms_do_not_differ() -> None:
    assert difference([line(), line("tax")], [line("tax"), line()]) == ""


def test_a_field_that_differs_is_told_by_its_path() -> None:
    found = difference([line(ports=[80, 81])], [line(ports=[80, 82])])
    assert found == "~ ('Service', 'pmlp', 'address', ''): .spec.ports[1]: 81 against 82"


def test_what_is_on_one_side_only_is_told() -> None:
    assert difference([line()], []).startswith("- ")
    assert difference([], [line()]).startswith("+ ")


def test_every_kind_of_the_contract_is_edited() -> None:
    assert {resource.kind for resource in OWN} <= set(BY_KIND)
    assert {"child", "Namespace"} <= set(BY_KIND)


def test_edits_have_names_of_their_own() -> None:
    names = [edit.name for edit in (*valid.EDITS, *hostile.EDITS)]
    assert len(names) == len(set(names))
    assert len(REVERSIBLE) == 5


def test_what_somebody_holds_is_not_forgotten() -> None:
    child = {"name": "address"}
    assert is_forgotten("NetworkPolicy", child)
    assert not is_forgotten("NetworkPolicy", child | {"finalizers": ["example.com/held"]})
    assert not is_forgotten("NetworkPolicy", {"name": "access.address"})
    assert not is_forgotten("Service", child)


def test_of_requests_those_of_now_are_compared() -> None:
    asked = [{"eService": "address", "contractVersion": version} for version in ("v5", "v6")]
    web_service = {"kind": "WebService", "status": {"requests": asked, "observedGeneration": 2}}
    status = {"requests": asked[1:], "observedGeneration": 2}
    assert of_now(web_service, {("address", "v6"), ("tax", "v5")}) == {"kind": "WebService", "status": status}


def test_what_follows_from_history_makes_no_difference() -> None:
    verified = {"type": "Verified", "status": "True", "reason": "Verified", "message": ""}
    changed = verified | {"reason": "ConfigChangedSinceVerified", "message": "its configuration changed"}
    unverified = verified | {"status": "False", "reason": "NotVerified"}
    assert plain(service(verified)) == plain(service(changed)) != plain(service(unverified))


def test_a_list_that_is_empty_says_as_much_as_none() -> None:
    verified = {"type": "Verified", "status": "True", "reason": "Verified", "message": ""}
    assert plain(service(verified, gates=[])) == plain(service(verified))
    assert plain(service(verified, gates=[{"gate": "Accepted"}])) != plain(service(verified))
    specs: tuple[Manifest, ...] = ({}, {"uses": []}, {"uses": ["v5"]})
    absent, empty, one = (plain({**service(verified), "spec": spec}) for spec in specs)
    assert absent == empty != one


def service(condition: Manifest, **status: object) -> Manifest:
    metadata = {"name": "address", "uid": "1"}
    status |= {"conditions": [dict(condition)], "notices": [1]}
    return {"apiVersion": API_VERSION, "kind": "EService", "metadata": metadata, "spec": {}, "status": status}
