# SPDX-License-Identifier: Apache-2.0
"""What can go wrong on the way to the API server, as small values, and the record of what did."""
