# SPDX-License-Identifier: Apache-2.0
"""What is read of a request: of the path its beginning as it stands there, of the headers two."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eservice_operator.authorizer.asked import Place, Unclear, customer_of, place_of, token_of
from eservice_operator.authorizer.claims import Claims, claims_of

PLACE = Place("ur-production", "population-register", "v5")
PATH = "/v1/check/ur-production/population-register/v5"


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "/",
        "?v6",
        "/../v6",
        "/../../../other/service/v6",
        "//v6",
        "/%2e%2e/v6",
        "/..%2fv6",
        "/a?b=/v1/check/x/y/z",
        "/\\..\\v6",
        ";/v6",
    ],
)
def test_what_follows_the_version_belongs_to_the_caller(rest: str) -> None:
    expected = None if rest == ";/v6" else PLACE
    assert place_of(f"{PATH}{rest}") == expected


@given(st.text())
def test_no_rest_whatever_leads_elsewhere(rest: str) -> None:
    assert place_of(f"{PATH}/{rest}") == PLACE


@given(st.text())
def test_no_path_without_the_prefix_names_a_web_service(path: str) -> None:
    assert path.startswith("/v1/check/") or place_of(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "*",
        "/v1/check",
        "/v1/check/ur-production/population-register",
        "/v1/check/ur-production/population-register/",
        "/v1/check/ur-production/population-register/?v5",
        "/v1/check//population-register/v5",
        "//v1/check/ur-production/population-register/v5",
        "/v1/check/../population-register/v5",
        "/v1/check/ur%2dproduction/population-register/v5",
        "/v1/check/UR/population-register/v5",
        "/v1/check/ur-production/population-register/v5\n",
        "/v1/check/ur-production/population-register/..",
        f"/v1/check/{'a' * 64}/population-register/v5",
        f"/v1/check/ur-production/population-register/{'1' * 33}",
        f"http://authorizer{PATH}",
    ],
)
def test_what_names_no_web_service_and_version(path: str) -> None:
    assert place_of(path) is None


def test_the_version_may_be_left_open() -> None:
    assert place_of("/v1/check/ur-production/address-register/-/x") == Place(
        "ur-production", "address-register", ""
    )
    assert PLACE.audience == "webservice.eservice.dev/ur-production/population-register"


@pytest.mark.parametrize("header", ["Bearer a.b.c", "bearer a.b.c", "BEARER  a-_.b.c  "])
def test_a_token(header: str) -> None:
    assert token_of([header]) == header.split()[1]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer a.b"],
        ["Bearer a.b.c.d"],
        ["Bearer a.b.c, Bearer d.e.f"],
        ["Bearer a.b.c d.e.f"],
        ["Bearera.b.c"],
        ["Basic a.b.c"],
        ["Bearer a.b.ç"],
        ["Bearer a.b.c\n"],
        ["Bearer a.b.c", "Bearer a.b.c"],
        ["Bearer a.b." + "c" * 8192],
    ],
)
def test_no_token_or_more_than_one(headers: list[str]) -> None:
    assert token_of(headers) is None


def test_for_whom_an_agent_calls() -> None:
    assert customer_of([]) is None
    assert customer_of(["90000054163"]) == "90000054163"


@pytest.mark.parametrize("headers", [[""], ["1", "1"], ["1, 2"], ["1 "], ["-"], ["a" * 64], ["1\n"], ["ā"]])
def test_for_whom_is_not_clear(headers: list[str]) -> None:
    with pytest.raises(Unclear):
        customer_of(headers)


def jwt(payload: object) -> str:
    text = urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"head.{text}.signature"


GOOD = {"aud": ["a", "b"], "exp": 1000, "sub": "system:serviceaccount:n:s"}


def test_what_a_token_says_of_itself() -> None:
    assert claims_of(jwt(GOOD)) == Claims(("a", "b"), 1000, "system:serviceaccount:n:s")
    assert claims_of(jwt(GOOD | {"aud": "a"})) == Claims(("a",), 1000, "system:serviceaccount:n:s")


@pytest.mark.parametrize("missing", ["aud", "exp", "sub"])
def test_a_token_that_lacks_a_claim(missing: str) -> None:
    assert claims_of(jwt({key: value for key, value in GOOD.items() if key != missing})) is None


@pytest.mark.parametrize(
    "token",
    ["a.b.c", "..", jwt([]), jwt(None), jwt(GOOD | {"exp": "soon"}), jwt(GOOD | {"aud": 1}), "a.////.c"],
)
def test_a_token_that_says_nothing(token: str) -> None:
    assert claims_of(token) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@given(st.fixed_dictionaries({}, optional={"aud": anything, "exp": anything, "sub": anything}) | anything)
@example(GOOD | {"exp": 10**400})
@example(GOOD | {"exp": float("nan")})
def test_no_claim_raises(payload: object) -> None:
    claims = claims_of(jwt(payload))
    if claims is not None:
        claims.worth_asking("a", 999)


@given(st.text(alphabet="abcXYZ019-_", max_size=60))
def test_no_payload_raises(payload: str) -> None:
    claims_of(f"a.{payload}.c")


def test_only_a_living_token_of_a_service_account_for_this_audience_is_asked_about() -> None:
    claims = claims_of(jwt(GOOD))
    assert claims is not None
    assert claims.worth_asking("a", 999)
    assert not claims.worth_asking("c", 999)
    assert not claims.worth_asking("a", 1000)
    assert not claims._replace(subject="system:node:n").worth_asking("a", 999)
