# SPDX-License-Identifier: Apache-2.0
"""What every test shares. Fixtures that only one folder needs live in that folder's conftest."""

from hypothesis import settings

# No deadline: how long one example takes says more about the machine's load than about the code.
# Both inherit Hypothesis' own choice: with CI=true it repeats the same examples on every run.
settings.register_profile("usual", deadline=None, print_blob=True)
settings.register_profile("full", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile("usual")  # more with: pytest --hypothesis-profile full
