# SPDX-License-Identifier: Apache-2.0
"""What a language has to give, and the facts its sentences are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from eservice_operator.api.notices import Audience, NoticeKind
from eservice_operator.core.cleaning import one_line
from eservice_operator.core.letters import Letter
from eservice_operator.notify.periods import Case, Periods, in_words


@dataclass(frozen=True, slots=True)
class Saying:
    """One notice in one language: plain sentences, no markup."""

    subject: str
    """A few words for the subject of a mail, in lower case."""
    what: str
    """What happens, and when."""
    why: str
    todo: str
    """What the institution is to do now."""
    agency: str = ""
    """What the Agency is to do now, where that differs."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a letter as one language writes them: every value is one clean line, empty if unknown."""

    letter: Letter
    language: Language

    @property
    def title(self) -> str:
        """What it is called, in quotation marks; the object's name when it has no title."""
        return self.language.quoted(self.bare_title)

    @property
    def bare_title(self) -> str:
        """What it is called, in this language if it can be."""
        title = self.letter.title
        own, other = (title.lv, title.en) if self.language.code == "lv" else (title.en, title.lv)
        return one_line(own or "") or one_line(other or "") or self.name

    @property
    def name(self) -> str:
        """The name of the object that the letter is about."""
        return one_line(self.letter.source.rpartition(" ")[2].rpartition("/")[2])

    @property
    def number(self) -> str:
        """Number of the e-service."""
        return one_line(self.letter.identifier)

    @property
    def held(self) -> str:
        """The reason by which the decision is held, such as Brake."""
        return self.letter.facts.get("held", "")

    @property
    def due(self) -> str:
        """The day that the letter is about, with its weekday."""
        return self.language.day(self.letter.due)

    @property
    def due_date(self) -> str:
        """That day without the weekday, for a subject."""
        return self.letter.due.isoformat() if self.letter.due else ""

    def date(self, name: str) -> str:
        """A further fact that is a day, without its weekday."""
        return one_line(self.letter.facts.get(name, ""))

    def period(self, name: str, case: Case) -> str:
        """A further fact that is a period, in words; empty when it is none."""
        return in_words(self.letter.facts.get(name, ""), self.language.periods, case)

    def fact(self, name: str) -> str:
        """A further fact; a day comes with its weekday."""
        text = one_line(self.letter.facts.get(name, ""))
        try:
            return self.language.day(date.fromisoformat(text))
        except ValueError:
            return text


@dataclass(frozen=True, slots=True)
class Language:
    """A language that notices are written in."""

    code: str
    """Of BCP 47, for ``lang``."""
    weekdays: tuple[str, ...]
    """From Monday on."""
    quotes: tuple[str, str]
    headings: Mapping[str, str]
    """Of the parts of a notice: ``what``, ``why``, ``todo``, ``details``, ``ask``."""
    labels: Mapping[str, str]
    """Of the details, by name."""
    ask: Callable[[str], str]
    """Whom to ask, for the address of the Agency's contact; empty if there is none."""
    footer: Callable[[str], str]
    """The last line, for the id of the notice."""
    sayings: Mapping[NoticeKind, Callable[[Facts], Saying]]
    periods: Periods

    def day(self, day: date | None) -> str:
        """``2027-01-01 (Friday)``."""
        return f"{day.isoformat()} ({self.weekdays[day.weekday()]})" if day else ""

    def quoted(self, text: str) -> str:
        """In the quotation marks of the language."""
        return f"{self.quotes[0]}{text}{self.quotes[1]}"

    def say(self, letter: Letter) -> tuple[Facts, Saying]:
        """What the letter says in this language."""
        facts = Facts(letter, self)
        return facts, self.sayings[letter.kind](facts)

    def duty(self, saying: Saying, audience: Audience) -> str:
        """What the reader is to do now."""
        return saying.agency if audience is Audience.AGENCY and saying.agency else saying.todo


def after(word: str, value: str) -> str:
    """A space, the word, a space and the value; nothing when there is no value."""
    return f" {word} {value}" if value else ""


def spaced(value: str) -> str:
    """A space and the value; nothing when there is no value."""
    return f" {value}" if value else ""


def bracketed(value: str) -> str:
    """A space and the value in brackets; nothing when there is no value."""
    return f" ({value})" if value else ""


def sentences(*parts: str) -> str:
    """The sentences that there are, as one paragraph."""
    return " ".join(part for part in parts if part)
