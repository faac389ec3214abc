# SPDX-License-Identifier: Apache-2.0
"""Our labels on what is not ours: not adopted, not deleted, not counted; and the labels of a namespace."""

from __future__ import annotations

import pytest

from eservice_operator.api.names import (
    ENVIRONMENT_LABEL,
    ESERVICE_LABEL,
    GRANT_LABEL,
    INSTITUTION_LABEL,
    MANAGED_BY_LABEL,
    MANAGER,
    OWNER_UID_LABEL,
    WEB_SERVICE_LABEL,
)
from eservice_operator.core.actions import Manifest, Ref
from tests.access.forgeries import contents, open_door, right_to_invoke
from tests.adversarial.cast import Cast, Part
from tests.support import objects
from tests.support.register import CODE, NAME, Register
from tests.support.resting import Rested
from tests.support.site import Site, condition, says

pytestmark = pytest.mark.cluster


def marked(owner: str, name: str, place: str, register: Register) -> list[Manifest]:
    """What says of itself that it belongs to an object of ours, by that object's UID."""
    labels = {
        MANAGED_BY_LABEL: MANAGER,
        OWNER_UID_LABEL: owner,
        ESERVICE_LABEL: "mine",
        WEB_SERVICE_LABEL: NAME,
        GRANT_LABEL: "mine",
    }
    planned = register.site.planned("nobody")
    metadata = {"name": name, "namespace": place, "labels": labels}
    return [
        objects.deployment(place, name, owner),
        objects.service_account(place, name, owner),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mine": "1"}},
        open_door(place, name, labels=labels),
        *right_to_invoke(place, name, planned, labels=labels),
    ]


def rolled_out(deployment: Manifest) -> bool:
    """Whether its controllers have said all that they have to say of it."""
    progressing = condition(deployment, "Progressing") or {}
    return progressing.get("reason") == "NewReplicaSetAvailable"


async def counted(site: Site) -> int:
    """How many e-services the template has."""
    return int((await site.see(site.template_ref))["status"].get("eServices", 0))


async def test_what_only_says_that_it_is_ours_stays_as_it_is(
    register: Register, cast: Cast, rests: Rested
) -> None:
    """By the UIDs of an e-service and a web service elsewhere, and of nothing; also when these end."""
    site, holder = register.site, cast[Part.HOLDER]
    planned = site.planned("theirs")
    await site.published(planned)
    await rests()
    eservice = (await site.see(planned.ref))["metadata"]["uid"]
    web_service = (await site.see(register.ref))["metadata"]["uid"]
    before, many = await contents(site, site.namespace), await counted(site)
    for owner, name, part in (
        (eservice, "of-theirs", holder),
        ("00000000-0000-4000-8000-000000000000", "of-nothing", holder),
        (web_service, "of-register", cast[Part.ADMIN]),
    ):
        for manifest in marked(owner, name, part.namespace, register):
            await part.apply(manifest)
        made = Ref("apps/v1", "Deployment", part.namespace, name)
        await site.until(made, rolled_out, "nobody has anything to write to it any more")
    await rests()
    forged = {place: await contents(site, place) for place in (site.namespace, register.namespace)}
    assert {key: one for key, one in forged[site.namespace].items() if key in before} == before
    await site.delete(planned.ref)
    await site.gone(planned.ref)
    await rests()
    for name, place in (("of-theirs", register.namespace), ("of-register", site.namespace)):
        after = await contents(site, place)
        mine = {key: one for key, one in forged[place].items() if key.endswith(f" {name}")}
        assert len(mine) == len(
            {"Deployment", "ServiceAccount", "ConfigMap", "NetworkPolicy", "Role", "Binding"}
        )
        assert {key: after.get(key) for key in mine} == mine
    left = many - 1
    await site.until(
        site.template_ref, lambda obj: obj["status"].get("eServices", 0) == left, f"it has {left} e-services"
    )


async def test_until_issue_8_who_labels_its_own_namespace_gains_nothing_of_others(
    register: Register, cast: Cast, rests: Rested
) -> None:
    """Rules of ``*`` cover the Namespace itself: it says that it is the holder's, and is no such thing."""
    site, admin = register.site, cast[Part.ADMIN]
    planned = site.planned("relabelled")
    await site.published(planned)
    await rests()
    before = await contents(site, register.namespace)
    labels = {INSTITUTION_LABEL: CODE, ENVIRONMENT_LABEL: "production"}
    own = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": admin.namespace, "labels": labels}}
    await admin.apply(own)
    told = await site.until(
        planned.registered, lambda obj: says(obj, "Ready", "True", "NamespaceConflict"), "the Agency is told"
    )
    assert "belongs to another institution" in str(told["status"])
    await rests()
    assert await contents(site, register.namespace) == before
    assert says(await site.see(planned.ref), "Published", "True"), "and nothing is taken down by it"
