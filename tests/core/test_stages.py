# SPDX-License-Identifier: Apache-2.0
"""The stage of each version of a template, and when the next one of them changes."""

from datetime import date
from itertools import islice, pairwise

import pytest
from hypothesis import given

from eservice_operator.api.template import VersionStage
from eservice_operator.core.dates import parse_period
from eservice_operator.core.lag import LagPolicy, Measure, measure_lag
from eservice_operator.core.stages import next_transition, stage_of
from eservice_operator.core.versions import Catalogue, CatalogueVersion, current
from tests.core.oracle_catalogue import ONE_DAY, current_on, every_day, stages
from tests.core.strategies_catalogue import (
    SAMPLE,
    Shuffle,
    any_catalogues,
    any_days,
    any_policies,
    catalogue_of,
    catalogues,
    catalogues_and_used,
    day,
    days,
    policies,
    shuffles,
    version,
)


def policy(measure: Measure = "ReleaseGap") -> LagPolicy:
    return LagPolicy(parse_period("P18M"), measure, parse_period("P12M"))


def stages_on(catalogue: Catalogue, on: str, measure: Measure) -> list[str]:
    return [stage_of(catalogue, one, policy(measure), day(on)).value for one in catalogue.versions]


def test_the_stages_are_called_as_in_the_status() -> None:
    assert [stage.value for stage in VersionStage] == [
        "Preview",
        "Current",
        "Supported",
        "MigrationDue",
        "Overdue",
        "Withdrawn",
    ]


@pytest.mark.parametrize(
    "measure, on, expected",
    [
        ("ReleaseGap", "2024-02-29", ["Preview", "Preview", "Preview"]),
        ("ReleaseGap", "2024-03-01", ["Current", "Preview", "Preview"]),
        ("ReleaseGap", "2025-10-31", ["Current", "Preview", "Preview"]),
        ("ReleaseGap", "2025-11-01", ["Overdue", "Current", "Preview"]),  # 20 months between the releases
        ("ReleaseGap", "2099-01-01", ["Overdue", "Current", "Preview"]),
        ("SinceSuperseded", "2025-10-31", ["Current", "Preview", "Preview"]),
        ("SinceSuperseded", "2025-11-01", ["Supported", "Current", "Preview"]),
        ("SinceSuperseded", "2026-11-01", ["Supported", "Current", "Preview"]),
        ("SinceSuperseded", "2026-11-02", ["MigrationDue", "Current", "Preview"]),
        ("SinceSuperseded", "2027-05-01", ["MigrationDue", "Current", "Preview"]),
        ("SinceSuperseded", "2027-05-02", ["Overdue", "Current", "Preview"]),
    ],
)
def test_the_life_of_the_sample_template(measure: Measure, on: str, expected: list[str]) -> None:
    assert stages_on(SAMPLE, on, measure) == expected


@pytest.mark.parametrize(
    "measure, after, expected",
    [
        ("ReleaseGap", "2020-01-01", "2024-03-01"),
        ("ReleaseGap", "2024-02-29", "2024-03-01"),
        ("ReleaseGap", "2024-03-01", "2025-11-01"),
        ("ReleaseGap", "2025-11-01", None),  # the duty of an overdue version ends unseen
        ("SinceSuperseded", "2025-11-01", "2026-11-02"),
        ("SinceSuperseded", "2026-11-02", "2027-05-02"),
        ("SinceSuperseded", "2027-05-02", None),
    ],
)
def test_the_transitions_of_the_sample_template(measure: Measure, after: str, expected: str | None) -> None:
    found = next_transition(SAMPLE, policy(measure), day(after))
    assert found == (None if expected is None else day(expected))


def test_an_empty_template_never_changes() -> None:
    assert next_transition(Catalogue(()), policy(), date.min) is None


def test_a_pre_release_is_a_preview_for_ever() -> None:
    found = catalogue_of(
        version("1.0.0-rc.1", "2020-01-01", "2020-01-01"), version("2.0.0", "2024-01-01", "2024-01-01")
    )
    assert stages_on(found, "2040-01-01", "SinceSuperseded") == ["Preview", "Current"]


def test_a_lower_number_published_later_is_supported_without_ever_being_current() -> None:
    found = catalogue_of(
        version("2.9.0", "2024-06-01", "2024-07-01"), version("3.0.0", "2024-01-01", "2024-02-01")
    )
    assert stages_on(found, "2024-06-30", "ReleaseGap") == ["Preview", "Current"]
    assert stages_on(found, "2024-07-01", "ReleaseGap") == ["Supported", "Current"]
    assert stages_on(found, "2025-02-02", "ReleaseGap") == ["MigrationDue", "Current"]


def test_a_version_without_instruction_grows_old_like_any_other() -> None:
    found = catalogue_of(version("2.0.0", "2022-01-01"), version("3.0.0", "2024-01-01", "2024-01-01"))
    assert stages_on(found, "2023-12-31", "ReleaseGap") == ["Preview", "Preview"]
    assert stages_on(found, "2024-01-01", "ReleaseGap") == ["Overdue", "Current"]


RECALL = catalogue_of(
    version("1.0.0", "2024-01-01", "2024-01-01"),
    version("2.0.0", "2024-03-01", "2024-04-01", withdrawn_at="2024-09-01", replace_by="2024-12-01"),
)


@pytest.mark.parametrize(
    "on, expected",
    [
        ("2024-03-31", ["Current", "Preview"]),
        ("2024-04-01", ["Supported", "Current"]),
        ("2024-08-31", ["Supported", "Current"]),
        ("2024-09-01", ["Current", "Withdrawn"]),
        ("2024-12-02", ["Current", "Withdrawn"]),  # overdue by then, and shown as what it is
    ],
)
def test_a_recall_comes_first_and_gives_the_place_back(on: str, expected: list[str]) -> None:
    assert stages_on(RECALL, on, "ReleaseGap") == expected


def test_the_transitions_of_a_recall() -> None:
    seen = [day("2024-01-01")]
    while (found := next_transition(RECALL, policy(), seen[-1])) is not None:
        seen.append(found)
    assert seen == [day("2024-01-01"), day("2024-04-01"), day("2024-09-01")]


def test_nothing_comes_after_the_last_day() -> None:
    assert next_transition(SAMPLE, policy(), date.max) is None


# --- properties --------------------------------------------------------------------------------------------


@given(catalogues_and_used(), policies())
def test_the_stage_agrees_with_the_rule_read_day_by_day(
    case: tuple[Catalogue, CatalogueVersion], of: LagPolicy
) -> None:
    catalogue, one = case
    for today, expected in stages(catalogue, one, of).items():
        assert stage_of(catalogue, one, of, today).value == expected


@given(catalogues(), policies())
def test_the_next_transition_is_the_next_day_with_another_answer(catalogue: Catalogue, of: LagPolicy) -> None:
    every = {one.text: stages(catalogue, one, of) for one in catalogue.versions}

    def answers(today: date) -> object:
        return current_on(catalogue, today), [found[today] for found in every.values()]

    changes = [after for before, after in pairwise(every_day()) if answers(before) != answers(after)]
    for today in {*changes, *(change - ONE_DAY for change in changes), *islice(every_day(), 0, None, 50)}:
        expected = next((change for change in changes if change > today), None)
        assert next_transition(catalogue, of, today) == expected


@given(any_catalogues, any_policies, any_days)
def test_total(catalogue: Catalogue, of: LagPolicy, on: date) -> None:
    found = next_transition(catalogue, of, on)
    assert found is None or found > on
    assert found == next_transition(catalogue, of, on)
    for one in catalogue.versions:
        assert stage_of(catalogue, one, of, on) == stage_of(catalogue, one, of, on)


@given(any_catalogues, any_policies, any_days)
def test_exactly_the_current_version_is_at_the_stage_of_that_name(
    catalogue: Catalogue, of: LagPolicy, on: date
) -> None:
    called_current = [
        one for one in catalogue.versions if stage_of(catalogue, one, of, on) is VersionStage.CURRENT
    ]
    found = current(catalogue, on)
    assert called_current == ([] if found is None else [found])


@given(catalogues(), policies(), shuffles, days)
def test_the_order_in_the_template_does_not_matter(
    catalogue: Catalogue, of: LagPolicy, shuffle: Shuffle, on: date
) -> None:
    shuffled = shuffle(catalogue)
    assert next_transition(shuffled, of, on) == next_transition(catalogue, of, on)
    for one in catalogue.versions:
        assert stage_of(shuffled, one, of, on) is stage_of(catalogue, one, of, on)


AGE = [VersionStage.MIGRATION_DUE, VersionStage.OVERDUE, VersionStage.WITHDRAWN]


@given(catalogues_and_used(), policies())
def test_a_version_that_has_to_be_left_never_becomes_good_again(
    case: tuple[Catalogue, CatalogueVersion], of: LagPolicy
) -> None:
    catalogue, one = case
    for before, after in pairwise(stage_of(catalogue, one, of, today) for today in every_day()):
        if before in AGE:
            assert after in AGE
            assert AGE.index(before) <= AGE.index(after)


@given(catalogues_and_used(), policies())
def test_the_stage_is_what_a_service_on_the_version_is_told(
    case: tuple[Catalogue, CatalogueVersion], of: LagPolicy
) -> None:
    catalogue, one = case
    for today in every_day():
        lag = measure_lag(catalogue, one, of, today)
        stage = stage_of(catalogue, one, of, today)
        assert lag.overdue(today) == (stage is VersionStage.OVERDUE) or stage is VersionStage.WITHDRAWN
        assert lag.migration_due(today) == (stage is VersionStage.MIGRATION_DUE) or stage in AGE[1:]
