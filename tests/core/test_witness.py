# SPDX-License-Identifier: Apache-2.0
"""What the look from outside makes of Published: final where nobody sees otherwise; blindness never lasts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.api.base import Condition, ConditionStatus
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.seen import Answered, PublicationStatus
from eservice_operator.core import conditions as c
from eservice_operator.core.conditions import Verdict, merge
from eservice_operator.core.faces import Face
from eservice_operator.core.sightings import (
    FACELESS,
    PATIENCE,
    Answer,
    Known,
    Question,
    Sighting,
    Witnessed,
    answered_by,
    fits,
    hear,
    recalled,
)
from eservice_operator.core.witness import Finding, finding_of, findings, publication_seen, witnessed
from tests.support.worlds import HOST, NOW

OTHER_HOST = "adrese.latvija.example"
MARK = "pmlp-production.address-declaration"
LIVE = Question(Face.LIVE, 3, (HOST,), "/", MARK, marked=True)
NOTICE = Question(Face.NOTICE, 4, (HOST,), "/", MARK, marked=True)
NOTHING = Question(Face.NOTHING, 0, (HOST,), "/", MARK, marked=True)
PLAIN_LIVE = Question(Face.LIVE, 3, (HOST,), "/", MARK, marked=False)
PLAIN_OFF = Question(Face.NOTICE, 4, (HOST,), "/", MARK, marked=False)
BLIND = (None, *FACELESS)
SERVED = c.true(ConditionType.PUBLISHED, Reason.PUBLISHED, "served by Gateway gateway-system/public")
PAUSED = c.false(ConditionType.PUBLISHED, Reason.PAUSED, "paused by the institution: holidays")
AGREES, NOT_YET, SILENT = Finding.AGREES, Finding.NOT_YET, Finding.DOES_NOT_ANSWER
STILL, BY_OTHER, UNREACHABLE = Finding.STILL_ANSWERS, Finding.ANSWERED_BY_OTHER, Finding.UNREACHABLE


def answer(code: int = 200, mark: str = "", failure: Answered | None = None, second: int = 0) -> Answer:
    return Answer(NOW + timedelta(seconds=second), 0.01, code, mark, failure)


def sighting(answered: Answered | None) -> Sighting | None:
    return None if answered is None else Sighting(answered, 200, NOW)


@pytest.mark.parametrize(
    "given_, answered",
    [
        (answer(200, MARK), Answered.E_SERVICE),
        (answer(302, MARK), Answered.E_SERVICE),
        (answer(404, MARK), Answered.E_SERVICE),
        (answer(503, MARK), Answered.E_SERVICE),
        (answer(503, "notice"), Answered.NOTICE),
        (answer(200, "notice"), Answered.UNMARKED),
        (answer(404, "notice"), Answered.NOTHING),
        (answer(500, "notice"), Answered.NOTHING),
        (answer(200, "elsewhere.other"), Answered.OTHER),
        (answer(200), Answered.UNMARKED),
        (answer(301), Answered.UNMARKED),
        (answer(403), Answered.UNMARKED),
        (answer(404), Answered.NOTHING),
        (answer(500), Answered.NOTHING),
        (answer(503), Answered.NOTHING),
        (answer(0, "", Answered.REFUSED), Answered.REFUSED),
        (answer(0, "", Answered.UNTRUSTED), Answered.UNTRUSTED),
    ],
)
def test_who_answered_is_told_by_the_mark_and_else_by_the_status(given_: Answer, answered: Answered) -> None:
    assert answered_by(given_, LIVE) is answered


@pytest.mark.parametrize(
    "given_, answered",
    [
        (answer(503, "notice"), Answered.NOTICE),
        (answer(200, "notice"), Answered.UNMARKED),
        (answer(404, "notice"), Answered.NOTHING),
        (answer(200, "elsewhere.other"), Answered.UNMARKED),
        (answer(503, "elsewhere.other"), Answered.NOTHING),
        (answer(200, MARK), Answered.E_SERVICE),
    ],
)
def test_without_marks_an_e_service_does_not_sign_itself_away(given_: Answer, answered: Answered) -> None:
    """No route writes the header then, so what is in it is the backend's own word."""
    assert answered_by(given_, PLAIN_OFF) is answered


@pytest.mark.parametrize(
    "question, answered, early, late",
    [
        (LIVE, Answered.E_SERVICE, AGREES, AGREES),
        (LIVE, Answered.NOTICE, NOT_YET, SILENT),
        (LIVE, Answered.NOTHING, NOT_YET, SILENT),
        (LIVE, Answered.OTHER, NOT_YET, BY_OTHER),
        (LIVE, Answered.UNMARKED, NOT_YET, BY_OTHER),
        (LIVE, Answered.REFUSED, NOT_YET, UNREACHABLE),
        (PLAIN_LIVE, Answered.E_SERVICE, AGREES, AGREES),
        (PLAIN_LIVE, Answered.UNMARKED, AGREES, AGREES),
        (PLAIN_LIVE, Answered.OTHER, NOT_YET, BY_OTHER),
        (PLAIN_LIVE, Answered.NOTICE, NOT_YET, SILENT),
        (PLAIN_LIVE, Answered.NOTHING, NOT_YET, UNREACHABLE),
        (NOTICE, Answered.NOTICE, AGREES, AGREES),
        (NOTICE, Answered.NOTHING, AGREES, AGREES),
        (NOTICE, Answered.REFUSED, AGREES, AGREES),
        (NOTICE, Answered.E_SERVICE, NOT_YET, STILL),
        (NOTICE, Answered.OTHER, BY_OTHER, BY_OTHER),
        (NOTICE, Answered.UNMARKED, BY_OTHER, BY_OTHER),
        (PLAIN_OFF, Answered.NOTICE, AGREES, AGREES),
        (PLAIN_OFF, Answered.UNMARKED, NOT_YET, STILL),
        (NOTHING, Answered.E_SERVICE, NOT_YET, STILL),
        (NOTHING, Answered.OTHER, BY_OTHER, BY_OTHER),
        (NOTHING, Answered.UNMARKED, BY_OTHER, BY_OTHER),
        (NOTHING, Answered.NOTHING, AGREES, AGREES),
        *((question, blind, NOT_YET, UNREACHABLE) for question in (LIVE, NOTICE, NOTHING) for blind in BLIND),
    ],
)
def test_how_a_host_stands_to_its_route(
    question: Question, answered: Answered | None, early: Finding, late: Finding
) -> None:
    assert finding_of(sighting(answered), question, late=False) is early
    assert finding_of(sighting(answered), question, late=True) is late


def seen(
    question: Question, answered: Answered | None, since: datetime = NOW, other: Answered | None = None
) -> Witnessed:
    hosts = {HOST: sighting(answered), OTHER_HOST: sighting(other)}
    known = {host: one for host, one in hosts.items() if one is not None}
    return Witnessed(question.face, question.generation, since, known)


def before(verdict: Verdict | None) -> Condition | None:
    return None if verdict is None else merge((), (verdict,), 1, NOW)[0]


LATER = NOW + PATIENCE


@pytest.mark.parametrize(
    "said, question, answered, early, late",
    [
        (SERVED, LIVE, Answered.E_SERVICE, "True Published", "True Published"),
        (SERVED, LIVE, Answered.NOTHING, "Unknown AwaitingProbe", "Unknown DoesNotAnswer"),
        (SERVED, LIVE, Answered.NOTICE, "Unknown AwaitingProbe", "Unknown DoesNotAnswer"),
        (SERVED, LIVE, Answered.UNMARKED, "Unknown AwaitingProbe", "Unknown AnsweredByOther"),
        (SERVED, LIVE, Answered.TIMED_OUT, "Unknown AwaitingProbe", "True Published"),
        (SERVED, LIVE, None, "Unknown AwaitingProbe", "True Published"),
        (PAUSED, NOTICE, Answered.NOTICE, "False Paused", "False Paused"),
        (PAUSED, NOTICE, Answered.E_SERVICE, "Unknown AwaitingProbe", "Unknown StillAnswers"),
        (PAUSED, NOTICE, Answered.UNMARKED, "False Paused", "False Paused"),
        (PAUSED, NOTICE, Answered.NO_ADDRESS, "Unknown AwaitingProbe", "False Paused"),
        (PAUSED, NOTHING, Answered.REFUSED, "False Paused", "False Paused"),
        (PAUSED, NOTHING, Answered.UNMARKED, "False Paused", "False Paused"),
        (PAUSED, NOTHING, Answered.E_SERVICE, "Unknown AwaitingProbe", "Unknown StillAnswers"),
    ],
)
def test_published_is_final_when_it_was_seen_or_nobody_could_look(
    said: Verdict, question: Question, answered: Answered | None, early: str, late: str
) -> None:
    for now, wanted in ((NOW, early), (LATER - timedelta(seconds=1), early), (LATER, late)):
        verdict = witnessed(said, None, question, seen(question, answered), now)
        assert f"{verdict.status} {verdict.reason}" == wanted
        assert verdict.message.startswith(said.message)


def test_what_was_not_confirmed_is_said_with_its_cause() -> None:
    verdict = witnessed(SERVED, None, LIVE, seen(LIVE, Answered.NO_ADDRESS), LATER)
    assert verdict.message == (
        f"{SERVED.message}; not confirmed from outside: {HOST} (it has no address in DNS, 200)"
    )
    verdict = witnessed(SERVED, None, LIVE, Witnessed(Face.LIVE, 3, NOW), LATER)
    assert verdict.message == f"{SERVED.message}; not confirmed from outside: {HOST} (no answer yet)"


def test_what_is_seen_instead_is_said() -> None:
    verdict = witnessed(PAUSED, None, NOTICE, seen(NOTICE, Answered.E_SERVICE), LATER)
    assert verdict.message == (
        f"{PAUSED.message}; but this is not final, the e-service still answers: "
        f"{HOST} (the e-service answers, 200)"
    )
    verdict = witnessed(PAUSED, None, NOTICE, seen(NOTICE, Answered.OTHER), LATER)
    assert verdict.message == (
        f"{PAUSED.message}; instead of the notice page: {HOST} (the route of another e-service answers, 200)"
    )


@pytest.mark.parametrize(
    "said, question, answered, told",
    [
        (SERVED, LIVE, None, "not seen from outside yet: {} (no answer yet)"),
        (SERVED, LIVE, Answered.NOTICE, "not seen from outside yet: {} (the notice page answers, 200)"),
        (PAUSED, NOTICE, None, "not yet seen from outside to be off: {} (no answer yet)"),
        (
            PAUSED,
            NOTICE,
            Answered.E_SERVICE,
            "not yet seen from outside to be off: {} (the e-service answers, 200)",
        ),
        (
            PAUSED,
            NOTHING,
            Answered.E_SERVICE,
            "not yet seen from outside to be off: {} (the e-service answers, 200)",
        ),
    ],
)
def test_what_is_waited_for_is_said_of_what_the_route_shows(
    said: Verdict, question: Question, answered: Answered | None, told: str
) -> None:
    """Off the route, an e-service that answers was seen; what was not is that it is gone."""
    verdict = witnessed(said, None, question, seen(question, answered), NOW)
    assert verdict.message == f"{said.message}; {told.format(HOST)}"


def test_off_the_route_without_a_notice_page_somebody_else_is_no_silence() -> None:
    """It may be the e-service by a way past the route: an Ingress of the institution's has no mark."""
    verdict = witnessed(PAUSED, None, NOTHING, seen(NOTHING, Answered.UNMARKED), NOW)
    assert verdict.message == (
        f"{PAUSED.message}; though nothing is routed there: "
        f"{HOST} (an answer without the mark of its route, 200)"
    )


def test_of_several_hosts_the_worst_counts_and_only_three_are_named() -> None:
    hosts = (HOST, OTHER_HOST, "c.example", "d.example", "e.example")
    question = Question(Face.LIVE, 3, hosts, "/", MARK, marked=True)
    known = seen(question, Answered.E_SERVICE, NOW, other=Answered.UNMARKED)
    verdict = witnessed(SERVED, None, question, known, LATER)
    assert verdict.reason is Reason.ANSWERED_BY_OTHER
    assert OTHER_HOST in verdict.message
    assert HOST not in verdict.message
    verdict = witnessed(SERVED, None, question, Witnessed(Face.LIVE, 3, NOW), LATER)
    assert verdict.message.endswith("c.example (no answer yet) and 2 more")


@pytest.mark.parametrize("said, question", [(SERVED, LIVE), (PAUSED, NOTICE)])
@pytest.mark.parametrize("known", ["nothing", "no host", "another face"])
def test_a_probe_that_is_switched_on_takes_nothing_back_before_it_has_looked(
    said: Verdict, question: Question, known: str
) -> None:
    other = NOTICE if question is LIVE else LIVE
    witness = {
        "nothing": None,
        "no host": seen(question, None),
        "another face": seen(other, Answered.E_SERVICE, NOW - timedelta(days=1)),
    }[known]
    assert witnessed(said, before(said), question, witness, NOW) == said
    assert witnessed(said, None, question, witness, NOW).reason is Reason.AWAITING_PROBE


def test_what_contradicts_a_long_standing_route_counts_at_once() -> None:
    known = seen(LIVE, Answered.NOTHING, NOW - timedelta(days=1))
    assert witnessed(SERVED, before(SERVED), LIVE, known, NOW).reason is Reason.DOES_NOT_ANSWER
    known = seen(NOTICE, Answered.E_SERVICE, NOW - timedelta(days=1))
    assert witnessed(PAUSED, before(PAUSED), NOTICE, known, NOW).reason is Reason.STILL_ANSWERS


ANSWERS = st.builds(
    answer,
    st.sampled_from((200, 302, 404, 500, 503)),
    st.sampled_from(("", MARK, "notice", "x.y")),
    st.none() | st.sampled_from((*FACELESS, Answered.REFUSED)),
)
QUESTIONS = st.sampled_from((LIVE, NOTICE, NOTHING, PLAIN_LIVE, PLAIN_OFF))


@given(QUESTIONS, st.lists(ANSWERS, max_size=12))
def test_what_is_known_is_the_last_that_fitted_or_was_heard_twice(
    question: Question, heard: list[Answer]
) -> None:
    known: Known | None = None
    for index, one in enumerate(heard):
        was, known = known, hear(known, one, question)
        now = answered_by(one, question)
        if was is None or fits(now, question.face, marked=question.marked):
            assert known.sighting.answered is now
        elif known.sighting.answered is not was.sighting.answered:
            assert now is answered_by(heard[index - 1], question) is known.sighting.answered
            assert known.sighting.since == heard[index - 1].at
        if known.doubt is not None:
            assert known.doubt.answered is now is not known.sighting.answered
        if was is not None and known.sighting.answered is was.sighting.answered:
            recovered = was.sighting.code >= 500 > known.sighting.code
            assert known.sighting == was.sighting or recovered, (
                "the same answer is no change, whatever its code"
            )
            assert known.sighting.since == was.sighting.since


def test_an_error_in_the_moment_of_a_change_is_not_written_down_for_good() -> None:
    """A gateway may answer 503 with the route's mark while it follows; later errors are no news."""
    known = None
    for code, written in ((503, 503), (503, 503), (200, 200), (500, 200), (404, 200)):
        known = hear(known, answer(code, MARK), LIVE)
        assert (known.sighting.answered, known.sighting.code) == (Answered.E_SERVICE, written)


@given(QUESTIONS, st.sampled_from(list(Answered)) | st.none(), st.booleans())
def test_a_host_that_fits_agrees_or_is_named_and_no_blindness_lasts(
    question: Question, answered: Answered | None, late: bool
) -> None:
    finding = finding_of(sighting(answered), question, late=late)
    if answered is not None and fits(answered, question.face, marked=question.marked):
        assert finding is AGREES or (finding is BY_OTHER and question.face is not Face.LIVE)
    if answered is None or answered in FACELESS:
        assert finding is (UNREACHABLE if late else NOT_YET)
    if late and question.face is not Face.LIVE:
        assert finding is not NOT_YET, "off is final, or the e-service still answers"
    if answered is Answered.E_SERVICE and question.face is not Face.LIVE:
        assert finding in {NOT_YET, STILL}


@given(
    st.sampled_from(((SERVED, LIVE), (PAUSED, NOTICE), (PAUSED, NOTHING))),
    st.sampled_from(list(Answered)) | st.none(),
    st.integers(0, 120),
)
def test_published_is_never_turned_round(
    about: tuple[Verdict, Question], answered: Answered | None, age: int
) -> None:
    said, question = about
    known = seen(question, answered, NOW - timedelta(seconds=age))
    verdict = witnessed(said, before(said), question, known, NOW)
    assert verdict.status in {said.status, ConditionStatus.UNKNOWN}
    again = witnessed(said, before(verdict), question, known, NOW)
    if age >= PATIENCE.total_seconds():
        assert again == verdict, "nothing is written again for what was written"


def test_what_was_seen_is_written_down_and_read_back_the_same() -> None:
    assert publication_seen(PublicationStatus(), LIVE, None) == PublicationStatus()
    assert recalled(PublicationStatus()) is None
    known = seen(LIVE, Answered.E_SERVICE, NOW, other=Answered.UNMARKED)
    question = Question(Face.LIVE, 3, (HOST, OTHER_HOST), "/", MARK, marked=True)
    written = publication_seen(PublicationStatus(), question, known)
    assert [(one.host, one.answer, one.code) for one in written.hosts] == [
        (HOST, Answered.E_SERVICE, 200),
        (OTHER_HOST, Answered.UNMARKED, 200),
    ]
    back = recalled(written)
    assert back == known
    assert publication_seen(written, question, back) == written
    assert findings(question, back, LATER) == findings(question, known, LATER)


def test_until_another_face_was_looked_at_what_was_written_stays() -> None:
    written = publication_seen(PublicationStatus(), LIVE, seen(LIVE, Answered.E_SERVICE))
    assert publication_seen(written, NOTICE, None) == written
    assert publication_seen(written, NOTICE, seen(LIVE, Answered.E_SERVICE)) == written
    assert publication_seen(written, NOTICE, seen(NOTICE, None)) == written
    after = publication_seen(written, NOTICE, seen(NOTICE, Answered.NOTICE))
    assert (after.route is not None and after.route.face, after.hosts[0].answer) == (
        "Notice",
        Answered.NOTICE,
    )


def test_instants_are_written_in_whole_seconds() -> None:
    half = NOW + timedelta(milliseconds=500)
    known = Witnessed(Face.LIVE, 3, NOW, {HOST: Sighting(Answered.REFUSED, 0, half)})
    (written,) = publication_seen(PublicationStatus(), LIVE, known).hosts
    assert (written.since, written.code) == (NOW, None)
