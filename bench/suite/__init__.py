# SPDX-License-Identifier: Apache-2.0
"""The parts of bench/run.py. They use the harness of the integration tests."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/integration"))
