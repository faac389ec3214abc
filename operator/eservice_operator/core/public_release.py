# SPDX-License-Identifier: Apache-2.0
"""Facts about the public release: which one it is, how it last ran, and whose word that is taken from."""

from __future__ import annotations

from dataclasses import dataclass

from eservice_operator.api import names
from eservice_operator.api.base import TemplateRef
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.core.once import once
from eservice_operator.core.owner import deployment_name
from eservice_operator.core.public_record import PublicRecord, decision_on, record_on
from eservice_operator.core.releases import Snapshot, newest, snapshot_of
from eservice_operator.core.signed import Signed
from eservice_operator.core.versions import CatalogueVersion
from eservice_operator.core.world import Observed


@dataclass(frozen=True)
class PublicRelease(Signed):
    """The part of `Facts` that is about the release which the public is served.

    The Service remembers it, as the one write of a switch. Whoever may write in the e-service's namespace may
    write that too: where the route of a Gateway is there, what that records is asked.
    """

    @once
    def wanted(self) -> Snapshot:
        """The release that the spec names, as the spec wants it."""
        return snapshot_of(self.world.service)

    @once
    def public_service(self) -> Observed | None:
        """The Service that the public route points to."""
        return self.world.child("Service", self.world.service.metadata.name)

    @once
    def record(self) -> PublicRecord | None:
        """What the public route records, where only the Agency writes it; none from before there was any."""
        return record_on(self.route) if self.driver.far else None

    @once
    def recorded_decision(self) -> RememberedDecision | None:
        """The last UnpublishDecision by the public route, where only the Agency writes it; none of others."""
        return decision_on(self.route) if self.driver.far else None

    @once
    def last_recorded(self) -> RememberedDecision | None:
        """The same, or by the route of an earlier EService of this name: restored, it has another UID."""
        earlier = self.world.leftovers if self.driver.far and self.route is None else ()
        name = self.driver.name(*self.place)
        left = next((route for route in earlier if route.ref.name == name), self.route)
        return decision_on(left) if self.driver.far else None

    @once
    def public_name(self) -> str | None:
        """Name of the release in public use; none where all that says so could be made by hand."""
        name, record = self._remembered_name, self.record
        if record is not None:
            return record.name if self.production or name is None else name
        release = None if name is None else self._remembered(name)
        on_route = self.route is not None and self.driver.far
        return name if release is None or on_route or self.vouched_for(release) else None

    @once
    def unrecorded(self) -> bool:
        """Whether the Service leads to the release that the spec names, and the route records another one.

        The operator ended between the two writes of a switch, or somebody else wrote the Service. The switch
        is decided once more then, by every gate: what may not go public now is taken back.
        """
        record, wanted = self.record, self.wanted.name
        return record is not None and self.production and self._led_to == wanted != record.name

    @property
    def led_astray(self) -> bool:
        """Whether somebody else wrote the Service of a release that is public, and known how it runs."""
        service = self.public_service
        if service is None or self.public is None:
            return False
        return service.edited or self._led_to not in (self.public_name, self.wanted.name)

    @once
    def _remembered_name(self) -> str | None:
        """The Service's selector remembers it.

        Where somebody deleted the Service or edited its selector, our own status is the better memory, until
        the Service is put back. Any other edit is no matter: the status tells of a switch only afterwards.
        """
        remembered = self.world.service.status.release.public
        service = self.public_service
        if service is None or (service.reselected and remembered is not None):
            return remembered.name if remembered else None
        return self._led_to or (remembered.name if remembered else None)

    @property
    def _led_to(self) -> str:
        """The release that the Service's selector names; empty where it names none."""
        service = self.public_service
        selector = {} if service is None else service.spec.get("selector") or {}
        return selector.get(names.RELEASE_LABEL) or ""

    @once
    def public(self) -> Snapshot | None:
        """The public release as it last ran; as the spec wants it where nothing else says how."""
        return None if self.public_name is None else self._remembered(self.public_name)

    def _remembered(self, name: str) -> Snapshot | None:
        """A Service alone proves nothing: whoever may write one could name a release that nobody accepted."""
        found = newest(filter(self._is_told_apart, self.world.snapshots), name)
        if found is not None or name != self.wanted.name or not self._is_told_apart(self.wanted):
            return found
        remembered = self.world.service.status.release.public
        named = remembered is not None and remembered.name == name
        return self.wanted if named or (self.record is not None and self.record.name == name) else None

    def _is_told_apart(self, release: Snapshot) -> bool:
        """Whether a release is the recorded one, or has another name: names are short, and can be hit."""
        record = self.record
        return record is None or record.name != release.name or record.is_of(release)

    def vouched_for(self, release: Snapshot) -> bool:
        """R2: whether a release in Production runs, or was accepted at any time.

        The institution may write Service, snapshots and status: by them alone nothing is installed.
        """
        there = self.deployment(release.name) is not None
        return there or not self.production or self.act(release) is not None

    @once
    def lost(self) -> bool:
        """Whether nobody remembers any more how the public release runs: then it is left as it is."""
        return self.public_name is not None and self.public is None

    @once
    def public_template(self) -> TemplateRef | None:
        """The template version in public use: its lag counts, and decisions are about it (R8).

        As recorded, where it is; else as the Service and the status have it, which institutions may write.
        What closes a decision is asked of `proven_template`.
        """
        if self.public is not None:
            return self.public.template
        if self.record is not None and self.record.name == self.public_name:
            return self.record.template
        remembered = self.world.service.status.release.public
        if self.public_name is not None and remembered is not None and remembered.name == self.public_name:
            return remembered.template
        return None

    @once
    def proven_template(self) -> TemplateRef | None:
        """The same, where more says so than could be made by hand: a record, or an act of any time (R2).

        The one whose word may close a decision as renewed: that is for ever.
        """
        record, public = self.record, self.public
        recorded = record is not None and record.name == self.public_name
        accepted = public is not None and (not self.production or self.act(public) is not None)
        return self.public_template if recorded or accepted else None

    def attested(self, template: TemplateRef, image: str | None = None) -> bool:
        """R2: whether a template version, or a release on it, can be public by more than the status says.

        Nothing goes onto the public route that was not accepted, and what is on it records what it is. An act
        may be deleted later; what is off by then passes every gate before it comes back.
        """
        served = self.route is not None or self.served_by is not None
        return not self.production or served or self.accepted(template, image)

    @once
    def told_template(self) -> TemplateRef:
        """The template version that the status speaks of: the public one, else the one that the spec names.

        A public release that only the status names, and no act, is forgotten with this very look.
        """
        said = self.world.service.status.release.public
        if self.public is None and said is not None and not self.attested(said.template, said.image):
            return self.wanted.template
        return self.public_template or self.wanted.template

    def version(self, template: TemplateRef) -> CatalogueVersion | None:
        """The version in the catalogue; none when the template or the version is unknown."""
        known = self.world.templates.get(template.name)
        return None if known is None else known.catalogue.find(template.version)

    def deployment(self, release: str) -> Observed | None:
        """The Deployment of a release."""
        return self.world.child("Deployment", deployment_name(self.world.service.metadata.name, release))
