# SPDX-License-Identifier: Apache-2.0
"""Mails part by part; and that nothing anybody wrote gets out of its place in one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from html.parser import HTMLParser

import pytest
from aiosmtplib.email import parse_address
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from eservice_operator.api.notices import Audience, NoticeKind
from eservice_operator.core.cleaning import link
from eservice_operator.core.letters import Letter
from eservice_operator.notify.addresses import Address, Mailbox, NotOneAddress, address_of, mailbox_of
from eservice_operator.notify.entry import calendar_of
from eservice_operator.notify.message import mail_of
from eservice_operator.notify.texts import texts_of
from tests.notify import ics
from tests.notify.letters import LETTER, NASTY, NOW, OPERATOR, letter, letters

WRITTEN = {
    "MIME-Version", "Content-Type", "Subject", "From", "To", "Reply-To", "Date", "Message-ID",
    "Auto-Submitted",
    "Content-Language",
}  # fmt: skip
TAGS = {
    "html", "head", "meta", "title", "body", "article", "h1", "h2", "p", "table", "tr", "th", "td", "a",
    "hr", "small",
}  # fmt: skip
ATTRIBUTES = {"lang", "charset", "scope", "align", "href"}
PARTS = ["text/plain", "text/html"]
DATED = [*PARTS, "text/calendar", "application/ics"]


def received(given: Letter, sender: Mailbox = OPERATOR) -> EmailMessage:
    message = message_from_bytes(mail_of(given, sender).content, policy=policy.SMTPUTF8)
    assert isinstance(message, EmailMessage)
    assert not any(part.defects for part in message.walk())
    return message


def leaves(message: EmailMessage) -> list[EmailMessage]:
    return [part for part in message.walk() if not part.is_multipart()]


def content(message: EmailMessage, kind: str) -> str:
    (part,) = [part for part in leaves(message) if part.get_content_type() == kind]
    text = part.get_content()
    return (text.decode() if isinstance(text, bytes) else str(text)).replace("\r\n", "\n")


class Page(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        assert {name for name, _ in attrs} <= ATTRIBUTES, attrs
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name == "href"]
        if tag not in {"meta", "hr"}:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.words += data

    @override
    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def test_the_headers() -> None:
    message = received(LETTER)
    assert sorted(message.keys()) == sorted(WRITTEN)
    assert message["Subject"] == (
        "EP-000042: publicēšana tiks pārtraukta 2027-05-03 / to be unpublished on 2027-05-03"
    )
    assert message["From"] == "E-pakalpojumu operators <e-pakalpojumi@agency.example>"
    assert message["To"] == "a.berzina@pmlp.example"
    assert message["Reply-To"] == "j.ozols@agency.example"
    assert parsedate_to_datetime(message["Date"]) == NOW
    assert message["Message-ID"] == "<5b1c0f6a9d3e4c7788aa00bb11cc22dd@agency.example>"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_dated_letter_has_its_entry_beside_the_texts_and_as_a_file() -> None:
    message = received(LETTER)
    assert message.get_content_type() == "multipart/mixed"
    alternative, attachment = message.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in leaves(message)] == DATED
    calendar = leaves(message)[2]
    assert (calendar.get_param("method"), calendar.get_content_charset()) == ("PUBLISH", "utf-8")
    assert attachment.get_filename() == "unpublication.ics"
    assert attachment.get_content_disposition() == "attachment"
    assert content(message, "application/ics") == content(message, "text/calendar")


@pytest.mark.parametrize(
    "changes", [{"due": None}, {"kind": NoticeKind.UNPUBLISHED}, {"kind": NoticeKind.BRAKE_ENGAGED}]
)
def test_what_has_no_day_or_is_over_has_no_entry(changes: dict[str, object]) -> None:
    message = received(letter(**changes))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in leaves(message)] == PARTS


def test_the_texts_say_the_same_in_both_languages_and_forms() -> None:
    message = received(LETTER)
    page = Page(content(message, "text/html"))
    plain = " ".join(content(message, "text/plain").split())
    assert page.tags.count("article") == 2
    assert not page.open
    assert '<article lang="lv">' in content(message, "text/html")
    assert '<article lang="en">' in content(message, "text/html")
    for words in (
        "E-pakalpojuma „Dzīvesvietas deklarēšana” publicēšana tiks pārtraukta 2027-05-03 (pirmdiena).",
        "The e-service “Declaration of residence” will be unpublished on 2027-05-03 (Monday).",
        "Jautājiet Aģentūras kontaktpersonai: j.ozols@agency.example",
    ):
        assert words in plain
        assert words in page.words
    assert plain.index("KAS NOTIEK") < plain.index("WHAT HAPPENS")
    assert set(page.links) == {LETTER.facts[name] for name in ("instruction", "catalogue", "publicURL")}


def test_the_same_letter_gives_the_same_bytes_and_a_later_one_only_another_date() -> None:
    assert mail_of(LETTER, OPERATOR) == mail_of(replace(LETTER), OPERATOR)
    assert mail_of(LETTER, OPERATOR) != mail_of(letter(at=NOW + timedelta(1)), OPERATOR)


@pytest.mark.parametrize("recipient", ["a.berzina@pmlp.example", "a.bērziņa@pmlp.example"])
def test_only_an_address_outside_ascii_makes_a_mail_outside_ascii(recipient: str) -> None:
    content = mail_of(letter(recipient=recipient), OPERATOR).content
    assert f"\r\nTo: {recipient}\r\n".encode() in content
    assert content.isascii() is recipient.isascii()


ASCII, LATVIAN = "j.ozols@agency.example", "j.ozoliņš@agency.example"


@pytest.mark.parametrize(
    "recipient, contact, answered",
    [
        (ASCII, ASCII, True),
        (ASCII, LATVIAN, False),
        (LATVIAN, ASCII, True),
        (LATVIAN, LATVIAN, True),
    ],
)
def test_whom_to_answer_is_no_harder_to_write_to_than_the_recipient(
    recipient: str, contact: str, *, answered: bool
) -> None:
    mail = mail_of(letter(recipient=recipient, agency_contact=contact), OPERATOR)
    assert (f"\r\nReply-To: {contact}\r\n".encode() in mail.content) is answered
    assert (b"Reply-To:" in mail.content) is answered


def test_every_text_is_in_seven_bits_that_people_can_read() -> None:
    texts = [part for part in leaves(received(LETTER)) if part.get_content_maintype() == "text"]
    assert [part["Content-Transfer-Encoding"] for part in texts] == ["quoted-printable"] * 3


def test_nothing_but_what_holds_other_parts_has_a_boundary() -> None:
    parts = list(received(LETTER).walk())
    assert {part.get_boundary() is None for part in parts if not part.is_multipart()} == {True}
    boundaries = [part.get_boundary() for part in parts if part.is_multipart()]
    assert boundaries == [f"=_{LETTER.id}_{number}" for number in range(len(boundaries))]


def test_a_contact_of_the_agency_that_is_no_address_is_named_and_not_answered() -> None:
    message = received(letter(agency_contact="J. Ozols <j@agency.example>"))
    assert "Reply-To" not in message
    assert "J. Ozols <j@agency.example>" in content(message, "text/plain")


def test_the_agency_reads_what_it_has_to_do_and_who_else_knows() -> None:
    message = received(letter(audience=Audience.AGENCY, recipient="j.ozols@agency.example"))
    text = content(message, "text/plain")
    assert "UnpublishDeferral" in text
    assert "a.berzina@pmlp.example, j.kalnins@pmlp.example" in text
    assert "UnpublishDeferral" not in content(received(LETTER), "text/plain")


# the entry for the calendar


def entry(given: Letter) -> ics.Component:
    calendar = ics.read(calendar_of(given, texts_of(given), OPERATOR.address).encode())
    (event,) = calendar.parts
    method = "CANCEL" if event.properties["STATUS"] == "CANCELLED" else "PUBLISH"
    assert (calendar.properties["VERSION"], calendar.properties["METHOD"]) == ("2.0", method)
    assert (event.name, event.parts) == ("VEVENT", [])
    return event


def test_the_entry_is_that_whole_day() -> None:
    event = entry(LETTER).properties
    assert (event["DTSTART"], event["DTEND"]) == ("20270503", "20270504")
    assert event["DTSTAMP"] == "20261102T093000Z"
    assert event["SUMMARY"].startswith("EP-000042: publicēšana tiks pārtraukta")
    assert "„Dzīvesvietas deklarēšana”" in event["DESCRIPTION"]
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "TRANSPARENT")
    assert event["ORGANIZER"] == "mailto:e-pakalpojumi@agency.example"


def test_a_moved_day_moves_the_entry_and_a_cancelled_one_cancels_it() -> None:
    first = entry(LETTER).properties
    moved = entry(
        letter(kind=NoticeKind.UNPUBLISH_MOVED, due=date(2027, 8, 1), at=NOW + timedelta(days=3))
    ).properties
    gone = entry(letter(kind=NoticeKind.UNPUBLISH_CANCELLED, at=NOW + timedelta(days=4))).properties
    assert first["UID"] == moved["UID"] == gone["UID"]
    assert int(first["SEQUENCE"]) < int(moved["SEQUENCE"]) < int(gone["SEQUENCE"]) < 2**31
    assert (moved["DTSTART"], gone["STATUS"]) == ("20270801", "CANCELLED")


COME = dict(LETTER.facts) | {"late": "yes"}


def test_a_day_that_has_come_makes_no_entry_and_can_still_be_cancelled() -> None:
    assert [part.get_content_type() for part in leaves(received(letter(facts=COME)))] == PARTS
    gone = letter(kind=NoticeKind.UNPUBLISH_CANCELLED, facts=COME)
    assert entry(gone).properties["STATUS"] == "CANCELLED"
    part = leaves(received(gone))[2]
    assert (part.get_content_type(), part.get_param("method")) == ("text/calendar", "CANCEL")


def test_a_held_day_is_tentative_until_it_has_come() -> None:
    held = dict(LETTER.facts) | {"held": "Brake"}
    for kind in (NoticeKind.UNPUBLISH_SCHEDULED, NoticeKind.UNPUBLISH_HELD):
        assert entry(letter(kind=kind, facts=held)).properties["STATUS"] == "TENTATIVE"
    over = letter(kind=NoticeKind.UNPUBLISH_HELD, facts=held | COME)
    assert entry(over).properties["STATUS"] == "CANCELLED"
    assert entry(over).properties["UID"] == entry(LETTER).properties["UID"]
    again = letter(kind=NoticeKind.UNPUBLISH_SCHEDULED, facts=held | COME)
    assert [part.get_content_type() for part in leaves(received(again))] == PARTS


@pytest.mark.parametrize("changes", [{"uid": "another"}, {"kind": NoticeKind.MIGRATION_DUE}])
def test_another_object_or_matter_is_another_entry(changes: dict[str, object]) -> None:
    assert entry(LETTER).properties["UID"] != entry(letter(**changes)).properties["UID"]


def test_a_clock_that_is_years_behind_makes_an_entry_that_calendars_take() -> None:
    assert entry(letter(at=datetime(1970, 1, 1, tzinfo=UTC))).properties["SEQUENCE"] == "0"


def test_an_entry_needs_a_day() -> None:
    with pytest.raises(ValueError, match="has no day"):
        calendar_of(letter(due=None), (), OPERATOR.address)


# what somebody with bad intentions could write


@given(letters(st.just(LETTER.recipient), st.just(LETTER.id)))
def test_nothing_that_anybody_wrote_gets_out_of_its_place(given: Letter) -> None:
    mail = mail_of(given, OPERATOR)
    assert mail.content.isascii()
    lines = mail.content.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines)
    assert max(map(len, lines)) <= 998
    message = received(given)
    assert set(message.keys()) <= WRITTEN
    assert len(set(message.keys())) == len(message.keys())
    assert [one.addr_spec for one in message["To"].addresses] == [LETTER.recipient]
    assert [one.addr_spec for one in message["From"].addresses] == [OPERATOR.address.plain]
    assert message["Message-ID"] == f"<{LETTER.id}@agency.example>"
    kinds = [part.get_content_type() for part in leaves(message)]
    assert kinds in (PARTS, DATED)
    page = Page(content(message, "text/html"))
    assert page.tags.count("article") == 2
    assert set(page.links) <= {link(text) for text in given.facts.values()} - {""}
    assert all(letter.isprintable() or letter == "\n" for letter in content(message, "text/plain"))
    if kinds == DATED:
        assert set(entry(given).properties) == set(entry(LETTER).properties)
    assert mail_of(given, OPERATOR) == mail


@given(NASTY | st.builds("{}@{}".format, NASTY, NASTY | st.just("pmlp.example")) | st.emails())
def test_a_recipient_is_one_plain_address_or_refused(recipient: str) -> None:
    try:
        mail = mail_of(letter(recipient=recipient), OPERATOR)
    except NotOneAddress:
        return
    to = mail.recipient.plain
    assert recipient.count("@") == 1
    assert parse_address(to) == to == parseaddr(to)[1]
    message = message_from_string(mail.content.decode(), policy=policy.SMTPUTF8)
    assert [one.addr_spec for one in message["To"].addresses] == [to]
    assert set(message.keys()) <= WRITTEN


LONG_DOMAIN = ".".join(["d" * 61] * 4)
"""With six characters and the @ the 254 that an address can have."""


@pytest.mark.parametrize(
    "text,plain",
    [
        ("a@b.lv", "a@b.lv"),
        ("A.Bērziņa@PMLP.gov.lv", "A.Bērziņa@pmlp.gov.lv"),
        ("o'neil+x=y@b.lv", "o'neil+x=y@b.lv"),
        ("a@iestāde.lv", "a@xn--iestde-6za.lv"),
        ("a@relay", "a@relay"),
        (f"{'a' * 64}@b.lv", f"{'a' * 64}@b.lv"),
        (f"{'ā' * 32}@b.lv", f"{'ā' * 32}@b.lv"),
        (f"{'a' * 6}@{LONG_DOMAIN}", f"{'a' * 6}@{LONG_DOMAIN}"),
    ],
)
def test_addresses(text: str, plain: str) -> None:
    assert address_of(text).plain == plain


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "@", "a@", "@b.lv", "a@b@c.lv", "a@b.lv,c@d.lv", "a@b.lv;c@d.lv", "A <a@b.lv>", "<a@b.lv>",
        '"a b"@b.lv', "a b@b.lv", "a@b.lv ", "a@b.lv\r\nBcc: x@y.lv", "a\0@b.lv",
        "a\u2028@b.lv", "a@b\u2028.lv", "¹@b.lv", "ﬁ@b.lv",
        "a@b_c.lv", "a@-b.lv", "a@b..lv", "a@.lv", "a@b.lv.", "a@[127.0.0.1]", "a@b.lv(x)", ".a@b.lv",
        "a..b@b.lv",
        "a\u202e@b.lv", "a\u200b@b.lv", "a\ud800@b.lv", "e\u0301@b.lv", f"{'a' * 65}@b.lv",
        f"{'ā' * 33}@b.lv", f"{'a' * 7}@{LONG_DOMAIN}", f"a@{'b.' * 130}lv",
        "mailto:a@b.lv", "a＠b.lv", "a@b.lv>", "a😀@b.lv",
    ],
)  # fmt: skip
def test_what_is_not_one_plain_address(text: str) -> None:
    with pytest.raises(NotOneAddress):
        address_of(text)


@pytest.mark.parametrize(
    "text,mailbox",
    [
        ("a@b.lv", Mailbox("", Address("a", "b.lv"))),
        ("Valsts aģentūra <a@aģentūra.lv>", Mailbox("Valsts aģentūra", Address("a", "xn--aentra-w6a39c.lv"))),
        ("<a@b.lv>", Mailbox("", Address("a", "b.lv"))),
        (" a@b.lv\n", Mailbox("", Address("a", "b.lv"))),
        ("\tA <a@b.lv> ", Mailbox("A", Address("a", "b.lv"))),
        (f"{'A' * 64} <a@b.lv>", Mailbox("A" * 64, Address("a", "b.lv"))),
    ],
)
def test_whom_mails_come_from(text: str, mailbox: Mailbox) -> None:
    assert mailbox_of(text) == mailbox


@pytest.mark.parametrize(
    "text",
    ["A, B <a@b.lv>", "A <a@b.lv> <c@d.lv>", "A\nB <a@b.lv>", "A <ā@b.lv>", "A", f"{'A' * 65} <a@b.lv>"],
)
def test_a_sender_that_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(NotOneAddress):
        mailbox_of(text)


@pytest.mark.parametrize("name", ["", "5b1c@x", "a b", "a\r\nBcc: x@y.lv", ">", "a" * 129])
def test_an_id_that_is_unfit_for_a_header_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="the id of a notice"):
        mail_of(letter(id=name), OPERATOR)
