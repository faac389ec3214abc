# SPDX-License-Identifier: Apache-2.0
"""The console script ``kubectl-eservice``, which kubectl finds as its plugin ``kubectl eservice``."""

from __future__ import annotations

from eservice_operator.cli.program import COMPLETE_VARIABLE, PROGRAM, program


def main() -> None:
    """Run one command and end with its exit code."""
    program.main(prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE)


if __name__ == "__main__":
    main()
