# SPDX-License-Identifier: Apache-2.0
"""What is said in English of access to web services: to who asks for it, and to the holder (R3, R10)."""

from __future__ import annotations

from eservice_operator.api.reasons import Reason
from eservice_operator.notify.language import Facts, Saying, after, bracketed, sentences, spaced

ANSWER = (
    "Answer with a WebServiceGrant, or say no in it with the reason (spec.refused). Who waits for an answer "
    "is in the status of the WebService."
)
LIST = (
    "Answer by listing the institution among the customers of the AgentAssignment (spec.customers). Who "
    "waits for an answer is in the status of the WebService."
)
WHY: dict[str, str] = {
    Reason.CLOSING: "The holder withdrew the grant.",
    Reason.EXPIRED: "The grant was limited to a day, and that is over.",
    Reason.REFUSED: "The holder refuses it.",
    Reason.CONTRACT_RETIRED: "The contract version has reached its end of life.",
    Reason.VERSION_NOT_GRANTED: "The holder took the contract version out of the grant.",
    Reason.CONTRACT_UNKNOWN: "The web service does not have the contract version any more.",
    Reason.WEB_SERVICE_UNKNOWN: "The web service does not exist any more.",
    Reason.ASSIGNMENT_ENDED: "The assignment of the agent has ended.",
    Reason.ASSIGNMENT_NOT_FOUND: "The assignment of the agent does not exist any more.",
    Reason.ASSIGNMENT_PENDING: "Something that the assignment of the agent needs is missing.",
    Reason.OTHER_AGENT: "The assignment is for another agent than the institution of the e-service.",
    Reason.NOT_REQUESTED: "The e-service does not ask for it any more.",
    Reason.TEST_MISSING: "The proof of the connection test does not hold any more.",
    Reason.OTHER_REGISTRATION: "The e-service has another registration now than the one that was let in.",
    Reason.CONSUMER_NOT_REGISTERED: "The registration of the e-service does not hold any more.",
    Reason.HOLDER_NOT_CONFIRMED: "The holder's namespace is not confirmed any more.",
    Reason.BACKEND_NOT_ALLOWED: "The address that the holder names is not outside of the cluster.",
    Reason.BACKEND_NOT_FOUND: "What the web service runs on is not there.",
}


def _web_service(f: Facts) -> str:
    version = f.fact("contractVersion")
    shown = bracketed(f"contract version {version}" if version else "")
    return f"the web service{spaced(f.fact('webService'))}{shown}"


def _holder(f: Facts) -> str:
    contact = f.fact("holderContact")
    return f"the holder of the web service: {contact}" if contact else "the holder of the web service"


def _stated(f: Facts) -> str:
    reason = f.fact("reason").rstrip(".")
    return f"Stated reason: {reason}." if reason else ""


def access_requested(f: Facts) -> Saying:
    """An e-service asks for a web service (R3); to its holder."""
    asking, agent, count = f.fact("asking"), f.fact("agent"), f.fact("count")
    who = f"{asking} asks" if asking else "An institution asks"
    return Saying(
        f"access asked for{after('by', asking)}",
        f"{who} for access to {_web_service(f)}, for its e-service{spaced(f.fact('consumer'))}"
        f"{', through the agent ' + agent if agent else ''}.",
        "An e-service asks by naming the web service in its specification (spec.uses). Only the holder "
        "grants access.",
        sentences(LIST if agent else ANSWER, f"Requests without an answer now: {count}." if count else ""),
        "There is nothing for you to do: the holder answers.",
    )


def access_granted(f: Facts) -> Saying:
    """The holder lets the e-service in (R3)."""
    until, holder = f.fact("until"), f.fact("holder")
    return Saying(
        "access to a web service granted",
        f"The e-service {f.title} may now call {_web_service(f)}."
        f"{' The last day is ' + until + '.' if until else ''}",
        f"It was granted by the holder of the web service{spaced(holder)}.",
        "There is nothing that you have to restart: address and token are in the folder of the binding, "
        "below $SERVICE_BINDING_ROOT.",
        "There is nothing for you to do.",
    )


def access_refused(f: Facts) -> Saying:
    """The holder says no (R3)."""
    return Saying(
        "access to a web service refused",
        f"The e-service {f.title} is not given access to {_web_service(f)}.",
        sentences("The holder of the web service refused it.", _stated(f)),
        f"Ask {_holder(f)}. If the e-service can do without it, take it out of spec.uses.",
        "There is nothing for you to do: holder and institution settle it.",
    )


def access_ending(f: Facts) -> Saying:
    """The last day of a grant comes nearer (R3)."""
    return Saying(
        f"access to a web service ends{after('on', f.due_date)}",
        f"The e-service {f.title} may call {_web_service(f)}{after('until', f.due)}, that day included. "
        "After that its calls are refused.",
        "The holder granted access, or an agent's assignment, up to that day.",
        f"If the e-service needs it for longer, ask {_holder(f)}.",
        "Make sure that the institution knows.",
    )


def access_ended(f: Facts) -> Saying:
    """The e-service may not call any more (R3)."""
    return Saying(
        "access to a web service ended",
        f"The e-service {f.title} may not call {_web_service(f)} any more. It keeps running, and its calls "
        "are refused.",
        sentences(WHY.get(f.fact("ended"), "The grant does not allow it any more."), _stated(f)),
        f"Find out what the e-service cannot do now. If it still needs access, ask {_holder(f)}.",
        "Make sure that the institution knows.",
    )


def contract_retiring(f: Facts) -> Saying:
    """The last day of a contract version comes nearer (R10); to its holder with who is left."""
    version = f"Contract version{spaced(f.fact('contractVersion'))} of the web service"
    if f.letter.source.startswith("WebService "):
        return _remaining(f, version)
    return Saying(
        f"contract version ends{after('on', f.due_date)}",
        f"{version}{spaced(f.fact('webService'))} is served{after('until', f.due)}, that day included. The "
        f"e-service {f.title} may call it now; after that day its calls are refused.",
        "The holder has set the end of life of the contract version.",
        "If the e-service calls this version, move it to another one in time: ask for that in spec.uses, and "
        f"have it granted. Questions are answered by {_holder(f)}.",
        "Make sure that the institution knows.",
    )


def _remaining(f: Facts, version: str) -> Saying:
    count, consumers = f.fact("count"), f.letter.facts.get("consumers", "")
    left = f"E-services that may still call it: {count or '0'}."
    return Saying(
        f"contract version ends{after('on', f.due_date)}",
        f"{version} {f.title} is served{after('until', f.due)}, that day included. After that nobody may "
        f"call it. {left}",
        "This day is the end of life in the specification of the WebService (spec.contracts).",
        "Agree with those that are left on when they move. If the day is wrong, correct it."
        if consumers
        else "There is nothing for you to do. If the day is wrong, correct it.",
        "There is nothing for you to do: holder and institutions settle it.",
    )
