"""A process that was set up leaves its modules out of the search for garbage."""

import gc
import subprocess
import sys

_SET_UP = """
import gc
from libs.telemetry.setting_up import set_up
set_up("some")
print(gc.get_freeze_count(), gc.get_threshold()[0], gc.isenabled())
"""


def test_a_process_that_is_set_up_searches_rarely_and_not_through_its_modules() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _SET_UP], check=True, capture_output=True, text=True
    )
    frozen, threshold, enabled = ran.stdout.split()
    assert int(frozen) > 10_000
    assert int(threshold) > gc.get_threshold()[0]
    assert enabled == "True"
