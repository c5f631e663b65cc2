"""How many examples a property is shown: the same few everywhere, many at someone's wish."""

import os

from hypothesis import HealthCheck, Phase, settings

TIMES = int(os.environ.get("YK_PROPERTY_EFFORT", "1"))
"""How many times as many examples as usual; above 1 they are drawn anew each time."""


def effort(examples: int) -> settings:
    """Settings for so many examples, the same ones in every run unless more are asked for."""
    return settings(
        max_examples=examples * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
