# SPDX-License-Identifier: Apache-2.0
"""The catalogue of a template: order of versions, and which one is current when."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from eservice_operator.core.versions import (
    Catalogue,
    CatalogueVersion,
    became_current,
    current,
    is_withdrawn,
    precedence,
)
from tests.core.oracle_catalogue import current_on, every_day
from tests.core.strategies_catalogue import (
    SAMPLE,
    Shuffle,
    any_catalogues,
    any_days,
    any_numbers,
    catalogue_of,
    catalogues,
    day,
    days,
    more_examples,
    shuffles,
    siblings,
    version,
)


def text_of(found: CatalogueVersion | None) -> str | None:
    return None if found is None else found.text


# --- order -----------------------------------------------------------------------------------------------


def test_the_order_of_the_semver_specification() -> None:
    ascending = [
        "0.9.10",
        "1.0.0-0",
        "1.0.0-2",
        "1.0.0-11",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1-rc.1",
        "1.9.0",
        "1.10.0",
        "2.0.0",
        "10.0.0",
    ]
    for lower, higher in pairwise(precedence(Version.parse(text)) for text in ascending):
        assert lower < higher


@more_examples
@given(st.one_of(st.tuples(any_numbers, any_numbers), st.tuples(siblings, siblings)))
def test_precedence_agrees_with_the_semver_library(pair: tuple[Version, Version]) -> None:
    one, other = pair
    assert (precedence(one) < precedence(other)) == (one < other)
    assert (precedence(one) == precedence(other)) == (one == other)


# --- find ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, found",
    [
        ("2.0.0", "2.0.0"),
        ("3.1.0", "3.1.0"),
        ("2.0.0+build.7", "2.0.0"),  # equal precedence; the schema refuses build metadata in a template
        ("2.0.1", None),
        ("2.0.0-rc.1", None),
        ("2.0", None),
        ("v2.0.0", None),
        ("02.0.0", None),
        ("", None),
        ("latest", None),
        ("2.0.0\n", None),
        ("9" * 5000 + ".0.0", None),
    ],
)
def test_find(text: str, found: str | None) -> None:
    assert text_of(SAMPLE.find(text)) == found


def test_nothing_is_found_in_an_empty_catalogue() -> None:
    assert Catalogue(()).find("2.0.0") is None


@given(any_catalogues, st.text(max_size=20))
def test_find_is_total_and_finds_every_version_by_its_own_text(catalogue: Catalogue, text: str) -> None:
    found = catalogue.find(text)
    assert found is None or found.number == Version.parse(text)
    for one in catalogue.versions:
        assert catalogue.find(one.text) is one


# --- current ---------------------------------------------------------------------------------------------

PRE_RELEASE = catalogue_of(
    version("2.0.0", "2024-02-01", "2024-03-01"), version("3.0.0-rc.1", "2024-06-01", "2024-06-01")
)
LOWER_LATER = catalogue_of(
    version("3.0.0", "2024-02-01", "2024-03-01"), version("2.9.0", "2025-02-01", "2025-03-01")
)
RECALLED = catalogue_of(
    version("2.0.0", "2024-02-01", "2024-03-01"),
    version("3.0.0", "2024-06-01", "2024-07-01", withdrawn_at="2025-01-15"),
)
NUMERIC = catalogue_of(
    version("10.0.0", "2024-01-01", "2024-01-01"), version("9.0.0", "2024-02-01", "2024-02-01")
)


@pytest.mark.parametrize(
    "catalogue, on, expected",
    [
        (Catalogue(()), "2026-01-01", None),
        (SAMPLE, "2024-02-29", None),  # released, its instruction not yet published
        (SAMPLE, "2024-03-01", "2.0.0"),
        (SAMPLE, "2025-10-31", "2.0.0"),
        (SAMPLE, "2025-11-01", "3.0.0"),
        (SAMPLE, "2030-01-01", "3.0.0"),  # 3.1.0 never, without an instruction
        (PRE_RELEASE, "2026-01-01", "2.0.0"),
        (LOWER_LATER, "2026-01-01", "3.0.0"),
        (RECALLED, "2025-01-14", "3.0.0"),
        (RECALLED, "2025-01-15", "2.0.0"),
        (NUMERIC, "2024-02-01", "10.0.0"),
    ],
)
def test_the_current_version(catalogue: Catalogue, on: str, expected: str | None) -> None:
    assert text_of(current(catalogue, day(on))) == expected


@pytest.mark.parametrize(
    "catalogue, text, expected",
    [
        (SAMPLE, "2.0.0", "2024-03-01"),
        (SAMPLE, "3.0.0", "2025-11-01"),
        (SAMPLE, "3.1.0", None),
        (PRE_RELEASE, "3.0.0-rc.1", None),
        (LOWER_LATER, "2.9.0", None),
        (RECALLED, "2.0.0", "2024-03-01"),
        (RECALLED, "3.0.0", "2024-07-01"),
    ],
)
def test_when_a_version_became_current(catalogue: Catalogue, text: str, expected: str | None) -> None:
    found = catalogue.find(text)
    assert found is not None
    assert became_current(catalogue, found) == (None if expected is None else day(expected))


@pytest.mark.parametrize(
    "withdrawn_at, expected",
    [
        ("2025-06-01", "2025-06-01"),  # 3.0.0 steps aside for it
        ("2025-02-01", "2025-03-01"),  # 3.0.0 was gone when it was published
        ("2024-03-01", "2025-03-01"),  # 3.0.0 never was current at all
        ("2099-01-01", "2099-01-01"),  # announced, and so already known
    ],
)
def test_a_lower_version_becomes_current_when_the_higher_one_is_withdrawn(
    withdrawn_at: str, expected: str
) -> None:
    lower = version("2.9.0", "2025-02-01", "2025-03-01")
    higher = version("3.0.0", "2024-02-01", "2024-03-01", withdrawn_at=withdrawn_at)
    assert became_current(catalogue_of(lower, higher), lower) == day(expected)


def test_a_version_withdrawn_before_its_publication_or_its_turn_never_becomes_current() -> None:
    stillborn = version("2.0.0", "2024-01-01", "2024-06-01", withdrawn_at="2024-06-01")
    assert became_current(catalogue_of(stillborn), stillborn) is None
    waiting = version("2.0.0", "2024-01-01", "2024-06-01", withdrawn_at="2024-12-01")
    higher = version("3.0.0", "2024-01-01", "2024-01-01", withdrawn_at="2024-12-01")
    assert became_current(catalogue_of(waiting, higher), waiting) is None
    assert current(catalogue_of(waiting, higher), day("2024-12-01")) is None


def test_a_version_that_is_not_in_the_catalogue_never_became_current() -> None:
    assert became_current(SAMPLE, version("2.5.0", "2024-06-01", "2024-06-01")) is None


def test_withdrawn_from_its_day_on() -> None:
    recalled = RECALLED.versions[1]
    assert not is_withdrawn(recalled, day("2025-01-14"))
    assert is_withdrawn(recalled, day("2025-01-15"))
    assert not is_withdrawn(RECALLED.versions[0], date.max)


# --- properties ------------------------------------------------------------------------------------------


@given(catalogues())
def test_the_current_version_agrees_with_the_rule_read_day_by_day(catalogue: Catalogue) -> None:
    first_seen: dict[str, date] = {}
    for on in every_day():
        expected = current_on(catalogue, on)
        assert current(catalogue, on) is expected
        if expected is not None:
            first_seen.setdefault(expected.text, on)
    for one in catalogue.versions:
        assert became_current(catalogue, one) == first_seen.get(one.text)


@given(any_catalogues, any_days)
def test_the_current_version_is_total(catalogue: Catalogue, on: date) -> None:
    found = current(catalogue, on)
    assert found is None or (found.number.prerelease is None and not is_withdrawn(found, on))
    for one in catalogue.versions:
        since = became_current(catalogue, one)
        assert since is None or current(catalogue, since) is one


@given(catalogues(), shuffles, days)
def test_the_order_in_the_template_does_not_matter(catalogue: Catalogue, shuffle: Shuffle, on: date) -> None:
    shuffled = shuffle(catalogue)
    assert current(shuffled, on) == current(catalogue, on)
    for one in catalogue.versions:
        assert became_current(shuffled, one) == became_current(catalogue, one)
        assert shuffled.find(one.text) is one
