# SPDX-License-Identifier: Apache-2.0
"""What each notice says in English: one function for each kind, sentences only."""

from __future__ import annotations

from eservice_operator.notify.english_held import RENEW, TELL, held_by_brake
from eservice_operator.notify.english_reasons import cause, lag, reason, versions
from eservice_operator.notify.language import Facts, Saying, after, bracketed, sentences, spaced

NOTHING = "There is nothing for you to do."
GATES = (
    "The Agency sees to the installation. Should a condition still be your institution's to fulfil, "
    "fulfil it: the status of the e-service shows what is missing."
)


def identifier_assigned(f: Facts) -> Saying:
    """A registration was given its number (R1)."""
    return Saying(
        "number assigned",
        f"The e-service {f.title} is registered and has the number{spaced(f.number)}.",
        "Each registered e-service has a number of its own; no other e-service will ever be given it.",
        "Quote the number whenever you write to the Agency.",
        NOTHING,
    )


def installation_due(f: Facts) -> Saying:
    """A release is to be installed within the term (R5)."""
    return Saying(
        f"to be installed{after('by', f.due_date)}",
        f"The release of the e-service {f.title} has to be installed in production{after('by', f.due)}.",
        "The acceptance act is signed and the installation is requested; the term is 10 working days.",
        GATES,
        "Fulfil the conditions that are still open, so that the release can be installed in time.",
    )


def installation_overdue(f: Facts) -> Saying:
    """The term of the installation is over (R5)."""
    return Saying(
        "installation is late",
        f"The release of the e-service {f.title} was to be installed in production{after('by', f.due)}; "
        "it is not installed yet.",
        "The term is 10 working days from the signature of the acceptance act and the request.",
        GATES,
        "Find out which condition is still open, and fulfil it.",
    )


def verification_wanted(f: Facts) -> Saying:
    """An installed release waits for the institution (R6)."""
    return Saying(
        "to be verified in production",
        f"The release of the e-service {f.title} is installed in production and waits for your "
        "institution to verify it. The public cannot see this release yet.",
        "The institution's staff verify a release in production before the public sees it.",
        "Check the e-service and record the outcome (ProductionVerification). If it passes, the release "
        "becomes public by itself.",
        "There is nothing for you to do: the institution verifies.",
    )


def migration_due(f: Facts) -> Saying:
    """The yearly move to the latest version is due by a day (R7)."""
    by = f.due or f.fact("migrateBy")
    return Saying(
        f"to be moved to a newer template version{after('by', f.due_date)}",
        f"The e-service {f.title} has to be moved to the latest version of its template{after('by', by)}.",
        sentences(
            "An e-service moves to the latest version of its template at least once a year.",
            versions(f),
            reason(f),
        ),
        RENEW,
        TELL,
    )


def migration_overdue(f: Facts) -> Saying:
    """That day is over (R7)."""
    by = f.due or f.fact("migrateBy")
    return Saying(
        "move to a newer template version is late",
        f"The e-service {f.title} was to be moved to the latest version of its "
        f"template{after('by', by)}; that has not been done.",
        sentences(
            "An e-service moves to the latest version of its template at least once a year.",
            versions(f),
            reason(f),
        ),
        f"Begin the move now. {RENEW} Once it lags behind by more than is allowed, the e-service can be "
        "unpublished.",
        TELL,
    )


def version_withdrawn(f: Facts) -> Saying:
    """The version in public use is recalled, and has no last day (R7)."""
    ground = f.fact("recallReason").rstrip(".")
    return Saying(
        "template version withdrawn",
        f"The template version of the e-service {f.title} is withdrawn{after('as of', f.due)}. No day is set "
        "by which it has to be replaced.",
        sentences(versions(f), f"The reason for the withdrawal: {ground}." if ground else ""),
        f"Move to a supported template version as soon as you can. {RENEW}",
        TELL,
    )


def overdue_expected(f: Facts) -> Saying:
    """The version lags too far behind, and nobody is unpublished for it (R8 under Warn)."""
    return Saying(
        f"template version out of date{after('from', f.due_date)}",
        f"{'From ' + f.due + ' on, the' if f.due else 'The'} template version of the e-service {f.title} "
        "no longer meets the rules. This is a warning: the e-service is not unpublished.",
        sentences(versions(f), cause(f), reason(f)),
        f"Move to a supported template version. {RENEW}",
        TELL,
    )


def _stay(f: Facts) -> str:
    if f.fact("late"):
        return f"It leaves the public route today. For it to come back, publish a supported version. {RENEW}"
    return (
        "For the e-service to stay public, a release with a supported template version has to be "
        f"published{after('before', f.due)}. {RENEW} If that cannot be done in time, ask the Agency for "
        "a deferral early."
    )


DEFER = f"{TELL} With good reason you can defer the unpublication (UnpublishDeferral) or revoke the decision."


def unpublish_scheduled(f: Facts) -> Saying:
    """The decision has been made (R8)."""
    if f.held:
        return held_by_brake(f)
    return Saying(
        f"to be unpublished{after('on', f.due_date)}",
        f"The e-service {f.title} will be unpublished{after('on', f.due)}. From then on the public can "
        "no longer use it.",
        lag(f),
        _stay(f),
        DEFER,
    )


def unpublish_warning(f: Facts) -> Saying:
    """Its day comes nearer (R8)."""
    if f.held:
        return held_by_brake(f)
    return Saying(
        f"reminder: to be unpublished{after('on', f.due_date)}",
        f"A reminder: the e-service {f.title} will be unpublished{after('on', f.due)}. From then on the "
        "public can no longer use it.",
        lag(f),
        _stay(f),
        DEFER,
    )


def unpublish_moved(f: Facts) -> Saying:
    """Its day is another one (R8)."""
    if f.held:
        return held_by_brake(f)
    return Saying(
        f"unpublication moved{after('to', f.due_date)}",
        f"The date on which the e-service {f.title} is to be unpublished has changed. It will be "
        f"unpublished{after('on', f.due)}.",
        lag(f),
        _stay(f),
        DEFER,
    )


def unpublish_cancelled(f: Facts) -> Saying:
    """It is closed before its day (R8)."""
    return Saying(
        "will not be unpublished",
        f"The e-service {f.title} will not be unpublished. The date announced "
        f"earlier{bracketed(f.due_date)} no longer holds.",
        reason(f) or "The decision to unpublish it is closed.",
        NOTHING,
    )


def unpublished(f: Facts) -> Saying:
    """It has been carried out (R8)."""
    return Saying(
        "unpublished",
        f"The e-service {f.title} was unpublished{after('on', f.due)}. The public can no longer use it. "
        "Data and access rights are kept.",
        lag(f),
        f"{RENEW} After that the e-service becomes public again by itself.",
        TELL,
    )


def republished(f: Facts) -> Saying:
    """The e-service is back."""
    return Saying(
        "public again",
        f"The e-service {f.title} is public again.",
        reason(f) or "All conditions for publication are fulfilled again.",
        NOTHING,
    )
