# SPDX-License-Identifier: Apache-2.0
"""The command as a process, the same one for all tests of a module that do not end it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notice.noticing import NoticeProcess, serving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NoticeProcess]:
    """``eservice-operator notice``, ready."""
    with serving(tmp_path_factory.mktemp("notice")) as process:
        yield process
