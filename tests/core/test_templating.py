# SPDX-License-Identifier: Apache-2.0
"""The status of a template: current version, stages, publication dates that are kept."""

from __future__ import annotations

from datetime import date, datetime

from eservice_operator.api.reasons import Reason
from eservice_operator.api.template import EServiceTemplate, EServiceTemplateStatus, VersionStage
from eservice_operator.core.actions import Manifest
from eservice_operator.core.templating import catalogue_of, template_status
from eservice_operator.core.world import TemplateWorld
from tests.support import worlds
from tests.support.pure_cluster import status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import NOW, at, version


def told(
    body: Manifest, now: datetime = NOW, in_use: dict[str, int] | None = None
) -> tuple[EServiceTemplateStatus, date | None]:
    template = EServiceTemplate.model_validate(body)
    world = TemplateWorld(template, catalogue_of(template), in_use or {})
    status, following = template_status(world, now, worlds.POLICY)
    assert_status_sound(body | {"status": status_body(status)}, before=template.status)
    return status, following


def test_it_tells_the_current_version_the_stages_and_the_use() -> None:
    three = (*worlds.VERSIONS, version("3.1.0", "2026-06-01"), version("1.0.0", "2022-01-01", "2022-01-01"))
    status, following = told(worlds.template(three), in_use={"2.0.0": 4, "3.0.0": 3})
    assert status.current_version == "3.0.0"
    assert {entry.version: entry.stage for entry in status.versions} == {
        "1.0.0": VersionStage.OVERDUE,
        "2.0.0": VersionStage.OVERDUE,
        "3.0.0": VersionStage.CURRENT,
        "3.1.0": VersionStage.PREVIEW,
    }
    assert {entry.version: entry.e_services for entry in status.versions}["2.0.0"] == 4
    assert status.e_services == 7
    assert status.conditions[0].reason == Reason.SUCCEEDED
    assert following is None
    assert status.next_transition is None


def test_it_tells_what_changes_next() -> None:
    status, following = told(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)))
    assert following == date(2027, 6, 1)
    assert status.next_transition is not None
    assert status.next_transition.message == "3.0.0: Current to Overdue; 4.0.0: Preview to Current"


def test_a_template_without_instructions_has_no_current_version() -> None:
    status, _ = told(worlds.template([version("1.0.0", "2024-01-01")]))
    assert status.current_version is None
    assert status.conditions[0].reason == Reason.NO_CURRENT_VERSION
    assert told(worlds.template(()))[0].versions == ()


def test_a_publication_that_took_effect_is_recorded_on_its_day_and_kept() -> None:
    body = worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION))
    before, _ = told(body, at("2027-05-31", "23:59"))
    assert {entry.version: entry.published_at for entry in before.versions}["4.0.0"] is None
    after, _ = told(body, at("2027-06-01", "00:00"))
    assert {entry.version: entry.published_at for entry in after.versions}["4.0.0"] == date(2027, 6, 1)
    for edited in (version("4.0.0", "2027-05-01", "2028-01-01"), version("4.0.0", "2027-05-01")):
        changed = worlds.template((*worlds.VERSIONS, edited), status=status_body(after))
        status, _ = told(changed, at("2027-06-02"))
        assert status.current_version == "4.0.0"
        assert status.conditions[0].reason == Reason.HISTORY_CHANGED
        assert "4.0.0 stays published on 2027-06-01" in status.conditions[0].message


def test_a_clock_that_goes_back_makes_it_forget_nothing() -> None:
    body = worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION))
    after, _ = told(body, at("2027-06-01"))
    moved = version("4.0.0", "2027-05-01", "2028-01-01")
    back, following = told(
        worlds.template((*worlds.VERSIONS, moved), status=status_body(after)), at("2027-05-01")
    )
    assert {entry.version: entry.published_at for entry in back.versions}["4.0.0"] == date(2027, 6, 1)
    assert back.current_version == "3.0.0"
    assert following == date(2027, 6, 1)


def test_a_publication_that_changes_no_stage_is_looked_at_on_its_day() -> None:
    late = version("1.5.0", "2023-01-01", "2027-01-01")
    status, following = told(worlds.template((*worlds.VERSIONS, late)))
    assert following == date(2027, 1, 1), "it has to be recorded"
    assert status.next_transition is None


def test_a_date_that_has_not_come_may_still_be_moved() -> None:
    body = worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION))
    before, _ = told(body)
    moved = version("4.0.0", "2027-05-01", "2027-09-01")
    status, following = told(worlds.template((*worlds.VERSIONS, moved), status=status_body(before)))
    assert following == date(2027, 9, 1)
    assert status.conditions[0].reason == Reason.SUCCEEDED


def test_a_very_long_list_of_changes_fits() -> None:
    same_day = [version(f"1.{minor}.0-{'x' * 55}", "2024-01-01", "2030-01-01") for minor in range(120)]
    status, _ = told(worlds.template([*same_day, version("1.0.0", "2024-01-01", "2024-01-01")]))
    assert status.current_version == "1.0.0"
    many = [version(f"{major}.0.0", "2024-01-01", "2024-01-01", at="2030-01-01") for major in range(1, 120)]
    status, _ = told(worlds.template(many))
    assert status.next_transition is not None
    assert len(status.next_transition.message) <= 4096
