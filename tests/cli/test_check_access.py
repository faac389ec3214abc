# SPDX-License-Identifier: Apache-2.0
"""``check`` on web services, grants, agents and uses: what two files say of one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_check import DAY, PRUDENT, check, written
from tests.support import access, worlds

Objects = list[dict[str, Any]]


def grant(*versions: str, **spec: Any) -> dict[str, Any]:
    return access.grant(spec={"contractVersions": access.granted(*versions) or None, **spec})


def ending(end: str) -> dict[str, Any]:
    """The register, of which v4 ends on that day."""
    contracts = [{"version": "v4", "endOfLife": end}, {"version": "v5"}]
    return access.web_service(spec={"contracts": contracts})


def asking(*uses: dict[str, Any]) -> dict[str, Any]:
    return worlds.eservice(spec={"uses": list(uses)})


AS_AGENT = access.use(name="for-others", as_agent=access.AGENT)


def said_of(folder: Path, *bodies: dict[str, Any]) -> tuple[int, str]:
    """The exit code, and what is said of access."""
    answer = check("-f", written(folder, worlds.template(lifecycle=PRUDENT), *bodies), "--at", DAY)
    return answer.exit_code, "".join(f"{line}\n" for line in answer.output.splitlines() if "(R8)" not in line)


def test_of_both_sides_in_good_order_nothing_is_said(tmp_path: Path) -> None:
    sides = [
        *(access.web_service(), access.web_service_in_test(), access.grant(), access.grant_in_test()),
        *(access.rest_service(), access.rest_grant("addresses"), access.assignment()),
        access.grant("evry", spec={"agent": {"assignment": "evry"}}),
        asking(access.use(), AS_AGENT, access.use(None, name="addresses", web_service=access.ADDRESSES)),
    ]
    code, output = said_of(tmp_path, *sides)
    assert (code, output.splitlines()[:-1]) == (0, []), output


@pytest.mark.parametrize(
    "bodies, code, said",
    [
        (
            [access.web_service(), grant()],
            1,
            "error: WebServiceGrant ur-production/address-declaration (R10)",
        ),
        (
            [access.rest_service(), grant("v1", webService=access.ADDRESSES)],
            1,
            "for REST a grant covers every",
        ),
        ([access.web_service(), grant("v6")], 1, "population-register has no contract version v6"),
        (
            [access.web_service(), grant(contractVersions=access.granted("v5", evidence=None))],
            0,
            "warning: WebServiceGrant ur-production/address-declaration (R10): v5 lacks in Production",
        ),
        (
            [ending("2025-10-31"), grant("v4")],
            0,
            "note: WebServiceGrant ur-production/address-declaration (R10)",
        ),
        (
            [access.web_service(), grant("v5", validUntil="2026-10-12")],
            0,
            "the grant's last day was 2026-10-12",
        ),
        ([grant("v5")], 0, "WebService population-register is not among the files: what it grants is not"),
        ([access.web_service(), grant("v5", agent={"assignment": "evry"})], 0, "AgentAssignment evry is not"),
        (
            [
                *(access.web_service(), access.assignment(spec={"webService": "other"})),
                grant("v5", agent={"assignment": "evry"}),
            ],
            1,
            "AgentAssignment evry is for other, the grant for population-register",
        ),
        (
            [access.web_service(), access.assignment(spec={"pilotCustomers": [access.PILOTS[0]]})],
            0,
            "warning: AgentAssignment ur-production/evry (R9): two pilot customers are needed",
        ),
        ([access.web_service(), access.assignment(spec={"agreement": None})], 0, "agreement is not signed"),
        (
            [access.web_service(), access.web_service_in_test(spec={"protocol": "REST"})],
            0,
            "ur-test/population-register is REST, which has no contract versions to test, so that",
        ),
        (
            [access.web_service(), asking(access.use()), grant("v5", consumer={"registration": "another"})],
            1,
            "is of registration address-declaration, the grant for another",
        ),
        (
            [access.web_service(spec={"testedAs": {"namespace": access.HOLDER}})],
            0,
            "ur-production/population-register is the web service itself, so that a test there",
        ),
        (
            [access.rest_service(spec={"backend": {"service": None, "url": "https://169.254.169.254/"}})],
            1,
            "error: WebService ur-production/address-register (R3): 169.254.169.254 is never outside",
        ),
    ],
)
def test_what_cannot_open_is_said(tmp_path: Path, bodies: Objects, code: int, said: str) -> None:
    answered, output = said_of(tmp_path, *bodies)
    assert (answered, said in output) == (code, True), output


def test_what_is_refused_is_an_answer(tmp_path: Path) -> None:
    answered, output = said_of(tmp_path, access.web_service(), grant(refused={"reason": "no ground in law"}))
    assert (answered, "WebServiceGrant" in output) == (0, False)


@pytest.mark.parametrize(
    "asked, others, code, said",
    [
        (
            access.use(),
            [],
            0,
            "note: EService pmlp-production/address-declaration (R3): a grant of ur-production",
        ),
        (
            access.use(),
            [access.web_service()],
            0,
            "ur-production/population-register v5 is not among the files",
        ),
        (
            access.use("v4"),
            [access.web_service(), grant("v4")],
            0,
            "v4 reaches its end of life on 2027-10-31: m",
        ),
        (
            access.use("v4"),
            [ending("2026-10-12")],
            0,
            "warning: EService pmlp-production/address-declaration",
        ),
        (
            access.use("v6"),
            [access.web_service()],
            1,
            "there is no contract version v6 of population-register",
        ),
        (
            access.use(None),
            [access.web_service()],
            1,
            "SOAP: name the contractVersion that is asked for, one of",
        ),
        (
            access.use(namespace="ur-test"),
            [access.web_service_in_test()],
            1,
            "is of Test, the e-service of Production: they have to be the same",
        ),
        (access.use("v5"), [access.web_service(), grant("v4")], 0, "does not ask for population-register v4"),
        (
            access.use(None, agent="evry"),
            [access.web_service()],
            0,
            "population-register through evry is not",
        ),
    ],
)
def test_what_is_asked_for_is_held_against_what_is_offered(
    tmp_path: Path, asked: dict[str, Any], others: Objects, code: int, said: str
) -> None:
    answered, output = said_of(tmp_path, asking(asked), *others)
    assert (answered, said in output) == (code, True), output


@pytest.mark.parametrize(
    "asked, others",
    [
        (access.use(None, web_service=access.ADDRESSES), [access.rest_service(), access.rest_grant()]),
        (access.use(None, agent="evry"), [access.web_service(), access.assignment()]),
    ],
)
def test_what_is_answered_is_not_spoken_of(tmp_path: Path, asked: dict[str, Any], others: Objects) -> None:
    answered, output = said_of(tmp_path, asking(asked), *others)
    assert (answered, "(R3)" in output) == (0, False), output


def test_a_grant_names_the_line_of_the_version_that_is_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, access.web_service(), grant("v5", "v6"))
    lines = path.read_text().splitlines()
    (at,) = (number for number, text in enumerate(lines, 1) if "version: v6" in text)
    assert f"{path}:{at}: error:" in check("-f", path, "--at", DAY).output
