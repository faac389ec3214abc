# SPDX-License-Identifier: Apache-2.0
"""The decisions, pure: from facts and an instant to what should be true, and why.

No clock, network, environment, logging or randomness: `now` and policy are arguments, so the operator, a
forecast and a test get the same answer from the same facts. Dates are calendar days in the policy's zone.
"""
