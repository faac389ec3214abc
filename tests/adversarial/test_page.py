# SPDX-License-Identifier: Apache-2.0
"""docs/security.md says what the suite holds."""

from __future__ import annotations

import re

from tests.adversarial.cast import Part
from tests.adversarial.page import HELD, PAGE, page
from tests.contract.manifests import ROOT


def test_the_table_is_that_of_the_suite() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.adversarial.page"
    assert set(HELD) == set(Part)


def test_each_claim_names_a_test_that_is_there() -> None:
    named = re.findall(r"`(tests/[a-z_/]+\.py)::([a-z_]+)`", PAGE.read_text())
    assert named
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"
