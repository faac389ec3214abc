# SPDX-License-Identifier: Apache-2.0
"""What to do where a web service is not granted (R3, R9, R10): who acts, whom to write to, and what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from eservice_operator.api.base import Environment
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import Protocol
from eservice_operator.cli.advising import Advice, Case
from eservice_operator.cli.answering import grant_of
from eservice_operator.core.access.terms import Answer
from eservice_operator.core.access.using import UseStanding

ASK: Final = "spec.uses is the request already: {holder} answers it with a WebServiceGrant"
EXTEND: Final = "it is over: {holder} grants it anew, or take it out of spec.uses"
OTHER: Final = "{holder} completes its answer (message above)"
TO_DO: Final[dict[Reason, str]] = {
    Reason.ACCESS_NOT_GRANTED: ASK,
    Reason.VERSION_NOT_GRANTED: ASK,
    Reason.NOT_REQUESTED: "ask for it in spec.uses with its contract version",
    Reason.REFUSED: "refused: take it out of spec.uses, or turn to {holder}",
    Reason.EVIDENCE_MISSING: "give {holder} the documents that are missing: it writes them into its grant",
    Reason.TEST_MISSING: "test the connection first: be granted it where the web service is tested, or have"
    " the Agency record the test as a ConnectionTest",
    Reason.CONTRACT_UNKNOWN: "ask for a contract version that there is",
    Reason.CONTRACT_RETIRED: "ask for a contract version that has not ended, and move to it",
    Reason.ENVIRONMENT_MISMATCH: "ask for the web service of the same environment",
    Reason.CONSUMER_NOT_REGISTERED: "first the registration: see the gate Registered",
    Reason.HOLDER_NOT_CONFIRMED: "the Agency confirms whose the holder's namespace is (message above)",
    Reason.ASSIGNMENT_ENDED: "the AgentAssignment is over: {holder} writes another one, to name in spec.uses",
    Reason.CUSTOMER_NOT_LISTED: "{holder} lists the institution among the agent's customers",
    Reason.CUSTOMER_NOT_YET: "nothing: it opens by itself on its day",
    Reason.OPENING: "nothing: the operator is opening it; where that does not end, turn to {holder}",
    Reason.NAME_COLLISION: "granted: {holder} removes what stands in its way (message above)",
    Reason.REJECTED: "granted: {holder} has what its namespace refuses let in (message above)",
}


def access_advice(case: Case) -> Advice:
    """What to do about each web service that is missing."""
    missing = case.missing
    if not missing:
        return Advice("each holder that the message names answers with a WebServiceGrant", tuple(_run(case)))
    told = [f"{one.use.name}: {_to_do(one)}" for one in missing]
    asked = next((one for one in missing if _unanswered(one)), None)
    into = "" if asked is None else f"Git of the holder of {asked.use.web_service.namespace}"
    return Advice("; ".join(told), tuple(_run(case)), {} if asked is None else _grant(case, asked), into)


def _to_do(standing: UseStanding) -> str:
    known = TO_DO.get(standing.reason)
    if known is None:
        known = EXTEND if standing.answer is Answer.OVER else OTHER
    return known.format(holder=holder_of(standing) or "its holder")


def holder_of(standing: UseStanding) -> str:
    """Whose the web service is and how to reach them; empty where the consumer may not know."""
    if standing.offer is None:
        return ""
    holder = standing.offer.web_service.spec.holder
    return f"{holder.institution} <{holder.email}>"


def _unanswered(standing: UseStanding) -> bool:
    """Whether a new grant is what is missing."""
    return standing.reason in {Reason.ACCESS_NOT_GRANTED, Reason.VERSION_NOT_GRANTED} and (
        standing.use.agent is None
    )


def _run(case: Case) -> Iterator[str]:
    """The holder's own view, in each namespace that is asked, and how to answer where that is missing."""
    uses = [one.use for one in case.missing] or list(case.service.spec.uses)
    closed = {one.use for one in case.missing if one.answer in (Answer.OVER, Answer.REFUSED)}
    for namespace in dict.fromkeys(use.web_service.namespace for use in uses):
        here = {use for use in uses if use.web_service.namespace == namespace}
        answer = f", who answers with --yaml {case.namespace}/{case.name}" if here - closed else ""
        yield f"kubectl eservice requests -n {namespace}  # the holder{answer}"


def _grant(case: Case, standing: UseStanding) -> dict[str, Any]:
    """The grant that the holder would write."""
    use, known = standing.use, standing.offer
    soap = (
        use.contract_version is not None
        if known is None
        else known.web_service.spec.protocol is Protocol.SOAP
    )
    production = case.service.spec.environment is Environment.PRODUCTION
    return grant_of(
        (use.web_service.namespace, use.web_service.name),
        (case.namespace, case.name),
        [use.contract_version] if soap and use.contract_version else [],
        evidence=soap and production,
        registration=case.service.spec.registration,
        as_agent=use.as_agent,
    )
