# SPDX-License-Identifier: Apache-2.0
"""Which language and which form: RFC 9110 as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eservice_operator.notice.preferences import LANGUAGES, Form, form_of, languages_of

LV, EN, BOTH = ("lv",), ("en",), ("lv", "en")


@pytest.mark.parametrize(
    "header, languages",
    [
        ("", BOTH),
        ("lv", LV),
        ("en", EN),
        ("LV", LV),
        ("lv-LV", LV),
        ("en-GB", EN),
        ("en-Latn-US-x-private", EN),
        ("lv-LV,lv;q=0.9,en;q=0.8", LV),
        ("en-US,en;q=0.9,lv;q=0.8", EN),
        ("ru,en;q=0.3,lv;q=0.4", LV),
        ("ru,en;q=0.4,lv;q=0.3", EN),
        ("ru;q=1, lv;q=0.001", LV),
        ("ru", BOTH),
        ("ltg", BOTH),  # Latgalian: its speakers read Latvian, and what they prefer is not ours to say
        ("lvs, eng", BOTH),  # other tags than lv and en
        ("de, fr;q=0.9", BOTH),
        ("*", BOTH),
        ("de, *;q=0.1", BOTH),
        ("*;q=0", BOTH),
        ("en, *;q=0.5", EN),
        ("lv;q=0.1, *", EN),
        ("en;q=0.1, *", LV),
        ("lv;q=0, *", EN),
        ("en;q=0", BOTH),  # there is nobody who reads neither
        ("lv;q=0, en;q=0", BOTH),
        ("lv;q=0, en", EN),
        ("lv, en", LV),
        ("en, lv", EN),
        ("en;q=0.8, lv;q=0.8", EN),
        ("lv-LV;q=0.2, en;q=0.5, lv;q=0.9", LV),
        ("lv ; q=0.5 , en ;q=0.6", EN),
        ("lv;Q=0.5, en;Q=0.6", EN),
        ("en;q=0.50, lv;q=0.500", EN),
        ("lv;q=1.000, en;q=0.999", LV),
        # what is not written as it has to be does not count
        ("lv;q=2, en", EN),
        ("lv;q=, en", EN),
        ("lv;q=0.1234, en;q=0.1", EN),
        ("lv;q=-1, en;q=0.1", EN),
        ("lv;q=nan, en;q=0.1", EN),
        ("lv_LV, en;q=0.1", EN),
        ("lv LV, en;q=0.1", EN),
        (",,, lv,,", LV),
        (";q=1, en", EN),
        ("ē, en", EN),
        ("\udcff, lv", LV),
    ],
)
def test_languages(header: str, languages: tuple[str, ...]) -> None:
    assert languages_of(header) == languages


@pytest.mark.parametrize(
    "header, form",
    [
        ("", Form.HTML),
        ("*/*", Form.HTML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", Form.HTML),
        ("text/*", Form.HTML),
        ("image/png", Form.HTML),
        ("application/json", Form.JSON),
        ("application/problem+json", Form.JSON),
        ("application/vnd.api+json", Form.JSON),
        ("application/*", Form.JSON),
        ("APPLICATION/JSON", Form.JSON),
        ("application/json, text/plain, */*", Form.JSON),
        ("application/json, text/html", Form.HTML),
        ("application/json, text/html;q=0.9", Form.JSON),
        ("text/html;q=0, */*", Form.JSON),
        ("application/json;q=0", Form.HTML),
        ("application/json;q=0, application/problem+json", Form.JSON),
        ("application/problem+json;q=0, application/json", Form.JSON),
        ("text/plain", Form.TEXT),
        ("text/plain;charset=utf-8", Form.TEXT),
        ("text/plain, text/*;q=0.3", Form.TEXT),
        ("text/json", Form.HTML),
        ("application/json;q=7, text/plain;q=0.1", Form.TEXT),
        ("json", Form.HTML),
        ("a/b/c, text/plain", Form.TEXT),
    ],
)
def test_forms(header: str, form: Form) -> None:
    assert form_of(header) == form


@given(st.text())
def test_any_text_has_an_answer(header: str) -> None:
    assert languages_of(header) in (LV, EN, LANGUAGES)
    assert form_of(header) in Form


def test_a_list_without_end_is_not_read_to_its_end() -> None:
    assert languages_of("de," * 64 + "lv") == BOTH
    assert languages_of("de," * 63 + "lv") == LV
