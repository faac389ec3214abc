# SPDX-License-Identifier: Apache-2.0
"""What the page on access says of states, files and rights is what there is."""

from __future__ import annotations

import re

import pytest

from eservice_operator.api.grant import GrantState, WebServiceGrant
from eservice_operator.api.names import GRANT_FINALIZER
from eservice_operator.api.parse import parse
from eservice_operator.api.uses import Use
from eservice_operator.core.access.binding import ROOT_VARIABLE, binding_for
from eservice_operator.core.access.case import UseCase
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.using import use_standing
from eservice_operator.core.access.walls import build_role
from tests.contract.manifests import base_samples
from tests.contract.test_docs import DOCS, section, table, words
from tests.support import access
from tests.support.worlds import NAME, NOW, POLICY

PAGE = (DOCS / "access.md").read_text()
TESTS = DOCS.parent / "tests"
PUT_BESIDE = {"token"}
"""What the volume adds to the ConfigMap."""


def test_every_state_of_a_grant_has_its_line() -> None:
    listed = [words(row["state of a grant"])[0] for row in table(PAGE, "state of a grant")]
    assert listed == list(GrantState)


def test_every_file_of_a_binding_has_its_line() -> None:
    case, consumer = access.case(), access.consumer()
    use = Use.model_validate(access.use("v5"))
    standing = use_standing(UseCase(use, case.offer, (case,)), consumer, Times(NOW, POLICY.zone))
    binding = binding_for(NAME, standing, consumer, ())
    assert binding is not None
    listed = [word for row in table(PAGE, "file") for word in words(row["file"])]
    assert sorted(listed) == sorted({*binding.data, *PUT_BESIDE})
    assert f"${ROOT_VARIABLE}/" in PAGE


def test_the_rights_of_the_page_are_those_of_a_grant() -> None:
    (row,) = (row for row in table(section(PAGE, "## SOAP and REST"), "") if "invoke" in row[""])
    grants = (access.grant(), access.rest_grant())
    roles = [
        build_role(grant, versions)
        for grant, versions in zip(
            map(WebServiceGrant.model_validate, grants), (("v5",), ("*",)), strict=True
        )
    ]
    given = [role["rules"][0]["resources"] for role in roles]
    assert given == [["webservices/v5"], ["webservices"]]
    assert [words(row[kind]) for kind in ("SOAP", "REST")] == [["webservices/<version>"], ["webservices"]]


def test_the_finalizer_is_named() -> None:
    assert f"`{GRANT_FINALIZER}`" in section(PAGE, "## Ending")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\b(?:wsg|ws|agent)/([a-z-]+)", PAGE))))
def test_commands_speak_of_the_samples(name: str) -> None:
    read = [
        parse(obj["kind"], obj)
        for obj in base_samples()
        if obj["metadata"]["name"] == name and "." in obj["apiVersion"]
    ]
    assert read


PERSONAS = ("test_consumers", "test_holders", "test_credentials", "test_leaks", "test_nobody_*")


def test_every_test_by_people_with_rights_is_told_of_and_is_there() -> None:
    told = {name for row in table(PAGE, "tried") for name in words(list(row.values())[1])}
    modules = [path for pattern in PERSONAS for path in (TESTS / "access").glob(f"{pattern}.py")]
    written = [re.findall(r"^async def (test_\w+)", path.read_text(), re.MULTILINE) for path in modules]
    assert told == {name for names in written for name in names}
