# SPDX-License-Identifier: Apache-2.0
"""R10: the WebService at which consumers test before they are let in in Production (``testedAs``)."""

from __future__ import annotations

from eservice_operator.api.base import Environment
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Protocol, WebService
from eservice_operator.core.access.case import Offer
from eservice_operator.core.access.terms import Finding, waiting


def misfit(here: WebService, there: WebService) -> str | None:
    """Why nobody can test for one web service at another; None where they can."""
    if there.spec.holder.code != here.spec.holder.code:
        return "is of another holder"
    if there.reference == here.reference:
        return "is the web service itself"
    if there.spec.environment is Environment.PRODUCTION:
        return "is of Production, where nobody tests"
    if there.spec.protocol is not Protocol.SOAP:
        return "is REST, which has no contract versions to test"
    return None


def trial_finding(offer: Offer) -> Finding | None:
    """Why nobody can test at the WebService that ``testedAs`` names; None where they can, or it names none.

    Of what is not the holder's nothing is told, not even that it is there. So nothing at all is told before
    administrators have said who the holder is.
    """
    here, there = offer.web_service, offer.trial
    at = here.spec.tested_as
    if at is None or not offer.confirmed:
        return None
    where = f"testedAs names {at.namespace}/{at.name}"
    if there is None or there.web_service.spec.holder.code != here.spec.holder.code:
        text = f"{where}, and {here.spec.holder.institution} has no WebService there that can be read"
        return waiting(Reason.TESTED_AS_NOT_FOUND, f"{text}: its holder corrects it, or makes one")
    why = misfit(here, there.web_service)
    if why is not None:
        text = f"{where}, which {why}: its holder names a SOAP service of its own in Test or Acceptance"
        return waiting(Reason.TESTED_AS_UNUSABLE, text)
    if not there.confirmed:
        text = f"{where}, which opens nothing yet: see its condition HolderConfirmed"
        return waiting(Reason.TESTED_AS_UNUSABLE, text)
    return None
