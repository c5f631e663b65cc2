"""How often Python looks for garbage that holds on to itself."""

import gc

_NEW_OBJECTS = 10_000


def collect_rarely() -> None:
    """Look less often, and never at what is there now; call it when all modules are imported.

    What a process makes of requests and events is freed without a search, so every search is in
    vain: with Python's own 700 new objects it is begun for each hundred events, and goes through
    the objects of every module when many events are on their way.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
