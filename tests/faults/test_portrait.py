# SPDX-License-Identifier: Apache-2.0
"""Portraits of two sites differ where their operators did something else, and in nothing besides."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, cast

import pytest

from eservice_operator.core.actions import Manifest
from tests.faults.scenarios import names_of
from tests.support.fleet import sha
from tests.support.portrait import picture
from tests.support.site import Site

if TYPE_CHECKING:
    from eservice_operator.cluster.client import KubeApi

IMAGE = f"registry.example/address@sha256:{sha('a')}"


def decided(site: Site, **said: str) -> Manifest:
    """A decision about an e-service of the site, as it might be recorded there."""
    spec = {"inputsHash": sha(site.mark)[:16], "decidedAt": "2026-11-23T12:00:01Z", "image": IMAGE}
    metadata = {"name": f"address-{site.mark}-production-001"}
    return {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "UnpublishDecision",
        "metadata": metadata,
        "spec": spec | said,
    }


def of_two_sites(one: dict[str, str], other: dict[str, str]) -> tuple[list[str], list[str]]:
    """What is seen of a decision of each."""
    sites = [Site(cast("KubeApi", None), mark) for mark in ("0000aa", "0000bb")]
    first, second = (
        picture([decided(site, **said)], names_of(site))
        for site, said in zip(sites, (one, other), strict=True)
    )
    return first, second


def test_what_two_sites_must_differ_in_is_no_difference() -> None:
    first, second = of_two_sites(
        {"decidedAt": "2026-11-23T12:00:01Z"}, {"decidedAt": "2026-11-23T12:00:07.25Z"}
    )
    assert first == second
    assert len(first) == 1


def packed(**said: str) -> dict[str, str]:
    """As the notice page is told of an e-service."""
    text = json.dumps({"v": "1", **said}).encode()
    return {"header": base64.urlsafe_b64encode(text).rstrip(b"=").decode()}


def test_what_is_packed_is_compared_in_words() -> None:
    marks = ("0000aa", "0000bb")
    first, second = of_two_sites(*(packed(catalogue=f"https://latvija.example/{mark}") for mark in marks))
    assert first == second
    assert "latvija.example/<site>" in first[0]
    first, second = of_two_sites(packed(until="2027-03-28"), packed(until="2027-03-29"))
    assert first != second


@pytest.mark.parametrize(
    "one, other",
    [
        ({"effectiveAt": "2027-03-27T22:00:00Z"}, {"effectiveAt": "2027-03-26T22:00:00Z"}),
        ({"effectiveAt": "2027-03-28T21:00:00Z"}, {"effectiveAt": "2027-03-28T22:00:00Z"}),
        ({"effectiveAt": "2027-03-27T22:00:00Z"}, {"effectiveAt": "2027-03-27T22:00:01Z"}),
        ({"overdueSince": "2027-03-28"}, {"overdueSince": "2027-03-29"}),
        ({"image": IMAGE}, {"image": IMAGE.replace(sha("a"), sha("c"))}),
        ({"message": f"{IMAGE[:60]}"}, {"message": f"{IMAGE[:59]}"}),
    ],
    ids=["a day", "an hour, in summer", "a second", "a date", "a digest", "the beginning of a digest"],
)
def test_an_instant_by_the_rules_and_a_digest_are(one: dict[str, str], other: dict[str, str]) -> None:
    first, second = of_two_sites(one, other)
    assert first != second
