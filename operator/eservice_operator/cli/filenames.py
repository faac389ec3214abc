# SPDX-License-Identifier: Apache-2.0
"""Files of manifests as commands take them: ``-f PATH``, a folder, or ``-`` for what is piped in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

PATH: Final = click.Path(path_type=Path, allow_dash=True)


def filenames_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option ``-f`` with its help; it may be repeated, and the command gets it as ``filenames``."""
    return click.option(
        "-f",
        "--filename",
        "filenames",
        type=PATH,
        multiple=True,
        metavar="PATH",
        help=f"{text} May be repeated.",
    )
