# SPDX-License-Identifier: Apache-2.0
"""``kubectl eservice``: what a person asks of e-services at a terminal, and writes for them."""
