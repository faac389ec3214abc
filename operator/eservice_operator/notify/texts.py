# SPDX-License-Identifier: Apache-2.0
"""What each notice says, in Latvian and in English, as a page of plain text and as a page of HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eservice_operator.api.notices import Audience, NoticeKind
from eservice_operator.core.cleaning import LONGEST_LINK, link, one_line
from eservice_operator.core.letters import Letter
from eservice_operator.notify.english import ENGLISH
from eservice_operator.notify.language import Facts, Language, Saying
from eservice_operator.notify.latvian import LATVIAN
from eservice_operator.notify.periods import Case

LANGUAGES: Final = (LATVIAN, ENGLISH)
WIDTH: Final = 76
ACCESS: Final = (
    "webService",
    "contractVersion",
    "consumer",
    "asking",
    "agent",
    "holder",
    "holderContact",
)
LISTS: Final = ("decisions", "consumers")
LINKS: Final = ("instruction", "catalogue", "publicURL", "previewURL")


@dataclass(frozen=True, slots=True)
class Detail:
    """A line of the details; ``link`` when the value is a web address that can be followed."""

    label: str
    value: str
    link: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A notice in one language: clean lines without markup."""

    code: str
    """``lv`` or ``en``."""
    subject: str
    parts: tuple[tuple[str, str], ...]
    """Headings with their paragraphs."""
    details_heading: str
    details: tuple[Detail, ...]
    footer: str

    @property
    def heading(self) -> str:
        """The subject as a heading begins."""
        return self.subject[:1].upper() + self.subject[1:]


def texts_of(letter: Letter) -> tuple[Text, ...]:
    """The letter in each language, Latvian first."""
    return tuple(_text(letter, language) for language in LANGUAGES)


def subject_of(letter: Letter) -> str:
    """Number (or name), and in a few words of both languages what happens; one line."""
    facts, saying = LATVIAN.say(letter)
    _, english = ENGLISH.say(letter)
    return one_line(f"{one_line(facts.number or facts.name, 63)}: {saying.subject} / {english.subject}", 200)


def _text(letter: Letter, language: Language) -> Text:
    facts, saying = language.say(letter)
    return Text(
        code=language.code,
        subject=saying.subject,
        parts=tuple(_parts(letter, language, saying)),
        details_heading=language.headings["details"],
        details=tuple(_details(facts)),
        footer=language.footer(one_line(letter.id)),
    )


def _parts(letter: Letter, language: Language, saying: Saying) -> Iterator[tuple[str, str]]:
    written = {
        "what": saying.what,
        "why": saying.why,
        "todo": language.duty(saying, letter.audience),
        "ask": language.ask(one_line(letter.agency_contact)),
    }
    yield from ((language.headings[name], text) for name, text in written.items() if text)


def _details(facts: Facts) -> Iterator[Detail]:
    letter, labels = facts.letter, facts.language.labels
    version = " ".join(value for value in (facts.fact("template"), facts.fact("version")) if value)
    plain = {
        "title": facts.bare_title,
        "number": facts.number,
        "institution": one_line(letter.institution),
        "due": facts.due,
        "version": version,
        "current": facts.fact("current"),
        "maximumLag": facts.period("maximumLag", Case.SUBJECT),
        "decision": facts.fact("decision"),
        **{name: facts.fact(name) for name in ACCESS},
        "source": one_line(letter.source),
        "command": _command(letter),
        "requests": _requests(letter),
    }
    if letter.audience is Audience.AGENCY:
        plain["told"] = one_line(", ".join(letter.contacts), LONGEST_LINK)
    for name in LISTS:
        plain[name] = one_line(letter.facts.get(name, ""), LONGEST_LINK)
    yield from (Detail(labels[name], value) for name, value in plain.items() if value)
    for name in LINKS:
        given = letter.facts.get(name, "")
        if given:
            address = link(given)
            yield Detail(labels[name], address or one_line(given, LONGEST_LINK), link=bool(address))


def _command(letter: Letter) -> str:
    """The command that shows what an e-service lacks; of a grant, what its consumer does."""
    kind, _, where = one_line(letter.source).partition(" ")
    if kind == "WebServiceGrant":
        where = one_line(letter.facts.get("consumer", ""))
    elif kind != "EService":
        return ""
    namespace, _, name = where.partition("/")
    return f"kubectl eservice explain {name} -n {namespace}" if name else ""


def _requests(letter: Letter) -> str:
    """The command that shows a holder who asks."""
    kind, _, where = one_line(letter.source).partition(" ")
    namespace, _, name = where.partition("/")
    asks = kind == "WebService" and letter.kind is NoticeKind.ACCESS_REQUESTED
    return f"kubectl eservice requests -n {namespace}" if asks and name else ""


def as_plain(texts: tuple[Text, ...]) -> str:
    """One page of plain text, the languages one after the other."""
    return f"\n{'-' * WIDTH}\n\n".join(_plain(text) for text in texts)


def _plain(text: Text) -> str:
    parts = [f"{heading.upper()}\n{_wrapped(paragraph)}" for heading, paragraph in text.parts]
    details = "\n".join(f"{detail.label}: {detail.value}" for detail in text.details)
    return "\n\n".join([*parts, f"{text.details_heading.upper()}\n{details}", _wrapped(text.footer)]) + "\n"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)


def as_html(texts: tuple[Text, ...]) -> str:
    """One page of HTML: headings, paragraphs and a table; nothing remote, no script, no style to rely on."""
    title = html.escape(" / ".join(text.subject for text in texts))
    articles = "<hr>\n".join(_article(text) for text in texts)
    return (
        f'<!DOCTYPE html>\n<html lang="{texts[0].code}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n</head>\n<body>\n{articles}</body>\n</html>\n"
    )


def _article(text: Text) -> str:
    parts = "".join(
        f"<h2>{html.escape(heading)}</h2>\n<p>{html.escape(paragraph)}</p>\n"
        for heading, paragraph in text.parts
    )
    rows = "".join(
        f'<tr><th scope="row" align="left">{html.escape(detail.label)}</th><td>{_value(detail)}</td></tr>\n'
        for detail in text.details
    )
    return (
        f'<article lang="{text.code}">\n<h1>{html.escape(text.heading)}</h1>\n{parts}'
        f"<h2>{html.escape(text.details_heading)}</h2>\n<table>\n{rows}</table>\n"
        f"<p><small>{html.escape(text.footer)}</small></p>\n</article>\n"
    )


def _value(detail: Detail) -> str:
    value = html.escape(detail.value)
    return f'<a href="{value}">{value}</a>' if detail.link else value
