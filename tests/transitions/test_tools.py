# SPDX-License-Identifier: Apache-2.0
"""The parts of the machine that need no cluster: it can see a difference, and it knows every kind."""

from __future__ import annotations

import json

from eservice_operator.cluster.resources import OWN
from tests.transitions import hostile, valid
from tests.transitions.machine import BY_KIND, REVERSIBLE
from tests.transitions.normal_form import difference


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
