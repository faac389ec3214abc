# SPDX-License-Identifier: Apache-2.0
"""What holds for every registration, template and record: total, sound, quiet, in any order."""

from __future__ import annotations

from datetime import datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api import names
from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.decisions import UnpublishDeferral
from eservice_operator.api.eservice import EService
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.core.actions import Create, Manifest, Outcome, SetLabels
from eservice_operator.core.dates import start_of_day
from eservice_operator.core.records import next_change, record_status
from eservice_operator.core.registering import decide_registration, registration_status
from eservice_operator.core.templating import catalogue_of, template_status
from eservice_operator.core.world import Observed, RecordWorld, RegistrationWorld, TemplateWorld
from tests.core.strategies_worlds import acts, deferrals, instants, maybe, services, templates, verifications
from tests.support import worlds
from tests.support.pure_cluster import status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import NAME, POLICY, SECOND, TEMPLATE

NUMBERS = st.sampled_from(["EP-000001", "EP-000002", "EP-000007", "EP-999999"])
SPACES = ("pmlp-test", "pmlp-production", "kube-system", "shared")
ENVIRONMENTS = ("Test", "Acceptance", "Production")
OWNERS = st.sampled_from([NAME, "another", "third"])

identifiers = st.lists(
    st.builds(
        lambda number, owner: EServiceIdentifier.model_validate(
            {
                "metadata": {"name": number.lower()},
                "spec": {"identifier": number, "registration": owner},
            }
        ),
        NUMBERS,
        OWNERS,
    ),
    max_size=4,
    unique_by=lambda one: one.spec.identifier,
)
claims = st.lists(
    st.tuples(st.sampled_from(ENVIRONMENTS), st.sampled_from(SPACES)),
    max_size=3,
    unique_by=(lambda claim: claim[0], lambda claim: claim[1]),
)
labels = st.dictionaries(
    st.sampled_from([names.INSTITUTION_LABEL, names.ENVIRONMENT_LABEL, "other"]),
    st.sampled_from(["90000054163", "40000000000", "test", "production"]),
)


@st.composite
def registrations(draw: st.DrawFn, name: str) -> EServiceRegistration:
    """A registration of that name that claims any namespaces and may bring a number with it."""
    spec = {
        "identifier": draw(maybe(NUMBERS)),
        "namespaces": [{"environment": environment, "name": space} for environment, space in draw(claims)],
        "suspended": draw(st.sampled_from([None, {"reason": "an incident"}])),
    }
    created = draw(st.sampled_from(["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"]))
    metadata = {"name": name, "uid": name, "creationTimestamp": created}
    return EServiceRegistration.model_validate(worlds.registration(metadata=metadata, spec=spec, status=None))


@st.composite
def registers(draw: st.DrawFn) -> RegistrationWorld:
    """A registration, numbers and namespaces, in any state."""
    spaces = {}
    for space in draw(st.lists(st.sampled_from(SPACES), unique=True)):
        metadata = {"name": space, "uid": space, "labels": draw(labels)}
        if draw(st.integers(0, 5)) == 0:
            metadata["deletionTimestamp"] = "2026-10-01T00:00:00Z"
        spaces[space] = Observed({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    return RegistrationWorld(
        registration=draw(registrations(NAME)),
        identifiers=tuple(draw(identifiers)),
        namespaces=spaces,
        others=tuple(draw(registrations(other)) for other in draw(st.sampled_from([(), ("rival",)]))),
    )


def carried_out(world: RegistrationWorld) -> RegistrationWorld:
    """The world once the decision's actions are done."""
    numbers, spaces = list(world.identifiers), dict(world.namespaces)
    for action in decide_registration(world).actions:
        match action:
            case Create(manifest={"kind": "EServiceIdentifier"} as manifest):
                made = EServiceIdentifier.model_validate(manifest)
                assert made.spec.identifier not in {one.spec.identifier for one in numbers}, "never reused"
                numbers.append(made)
            case Create(manifest={"kind": "Namespace"} as manifest):
                name = manifest["metadata"]["name"]
                spaces[name] = Observed(manifest | {"metadata": manifest["metadata"] | {"uid": name}})
            case SetLabels(ref=ref, labels=wanted):
                body = dict(spaces[ref.name].body)
                body["metadata"] = body["metadata"] | {"labels": {**spaces[ref.name].labels, **wanted}}
                spaces[ref.name] = Observed(body)
            case _:
                raise AssertionError(f"a registration does not do {action}")
    return RegistrationWorld(world.registration, tuple(numbers), spaces, world.others, world.reserved)


@given(registers(), instants(), st.randoms(use_true_random=False))
def test_a_registration_comes_to_rest_and_says_so(
    world: RegistrationWorld, now: datetime, random: Random
) -> None:
    decision = decide_registration(world)
    shuffled = RegistrationWorld(
        world.registration,
        tuple(random.sample(world.identifiers, len(world.identifiers))),
        dict(random.sample(sorted(world.namespaces.items()), len(world.namespaces))),
        world.others,
    )
    assert decide_registration(shuffled).actions == decision.actions
    body = {"kind": "EServiceRegistration", "metadata": {"name": NAME, "generation": 1}}
    for outcome in (Outcome(()), *_failures(world)):
        assert_status_sound(
            body | {"status": status_body(registration_status(decision, outcome, now, worlds.POLICY))}
        )

    rest = carried_out(world)
    settled = decide_registration(rest)
    assert not settled.actions
    assert (settled.identifier is None) is (settled.taken_by is not None)
    if decision.identifier is not None:
        assert settled.identifier == decision.identifier, "a number stays"


def _failures(world: RegistrationWorld) -> tuple[Outcome, ...]:
    actions = decide_registration(world).actions
    return tuple(
        Outcome((), worlds.failure(action, "Forbidden", "", transient=False)) for action in actions[:1]
    )


@given(templates(TEMPLATE), instants(), st.integers(0, 20 * 86_400))
def test_a_template_is_told_soundly_and_nothing_changes_before_its_next_instant(
    body: Manifest, now: datetime, later: int
) -> None:
    template = EServiceTemplate.model_validate(body)
    status, following = template_status(TemplateWorld(template, catalogue_of(template)), now, POLICY)
    assert_status_sound(body | {"status": status_body(status)}, before=template.status)
    settled = template.model_copy(update={"status": status})
    world = TemplateWorld(settled, catalogue_of(settled))
    assert template_status(world, now, POLICY) == (status, following), (
        "recorded dates are the dates in effect"
    )
    then = now + (later + 1) * SECOND
    if following is None or then < start_of_day(following, POLICY.zone):
        assert template_status(world, then, POLICY) == (status, following)
    else:
        after, _ = template_status(world, start_of_day(following, POLICY.zone), POLICY)
        recorded = {entry.version for entry in status.versions if entry.published_at == following}
        assert after != status or recorded, "the day that is named is one on which something changes"


@given(st.one_of(acts, verifications, deferrals), maybe(services(), 2), st.booleans(), instants(), instants())
def test_a_record_is_told_soundly_and_nothing_changes_before_its_next_instant(
    body: Manifest, service: Manifest | None, newest: bool, one: datetime, other: datetime
) -> None:
    models = (AcceptanceAct, ProductionVerification, UnpublishDeferral)
    model = next(model for model in models if model.__name__ == body["kind"])
    now, then = sorted((one, other))
    found = None if service is None else EService.model_validate(service)
    world = RecordWorld(model.model_validate(body), found, newest=newest)
    status = record_status(world, now, POLICY)
    assert_status_sound(body | {"status": status_body(status)})
    settled = RecordWorld(world.record.model_copy(update={"status": status}), found, newest=newest)
    following = next_change(settled, now, POLICY)
    if following is None or then < following:
        assert record_status(settled, then, POLICY) == status
