"""Which seeds are for what. Used by evaluation and the command.

Development seeds may be looked at at will; fitting seeds teach rho, drift and the shipped prior. Hold-out seeds are in a file of their own
and are run seldom, every run of them written down; one that taught a change is burnt and gets replaced.
"""

import json
from pathlib import Path

DEVELOPMENT = range(40)
FITTING = range(100, 110)
HOLD_OUT_FILE = Path(__file__).with_name("hold-out.json")


def hold_out() -> range:
    """The hold-out seeds in force."""
    found = json.loads(HOLD_OUT_FILE.read_text())
    return range(found["first"], found["first"] + found["count"])
