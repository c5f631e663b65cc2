"""Log lines: JSON on standard error, with the trace and the case at work, and nothing personal.

What an exception says of itself may quote what someone told us (a model that refuses an input
prints the input), so of exceptions only the kind and the place are told. A message that another
library made is cut after its first line for the same reason.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from opentelemetry import trace

from libs.telemetry import tracing

_MOST_PLACES = 30
_MOST_CAUSES = 8

Line = MutableMapping[str, Any]


def set_up_logs() -> None:
    """Write all log lines of this process as JSON, also what ends it."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _add_case,
        structlog.processors.TimeStamper(fmt="iso"),
        _tell_exceptions,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=[_cut, *shared],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    sys.excepthook = _tell_the_end


def told(error: BaseException) -> list[dict[str, Any]]:
    """An exception and what led to it, latest first: each its kind and its places, no text."""
    return [{"kind": _kind(each), "places": _places(each.__traceback__)} for each in _chain(error)]


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    present: BaseException | None = error
    while present is not None and id(present) not in seen and len(seen) < _MOST_CAUSES:
        seen.add(id(present))
        yield present
        if isinstance(present, BaseExceptionGroup):
            present = present.exceptions[0]
        else:
            hidden = present.__suppress_context__
            present = present.__cause__ or (None if hidden else present.__context__)


def _kind(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _places(trail: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trail)[-_MOST_PLACES:]
    return [
        f"{frame.name} ({'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno})"
        for frame in frames
    ]


def _add_case(_logger: object, _method: str, line: Line) -> Line:
    """Put the trace and the case at work on a line."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
    if (correlation := tracing.correlation_id()) is not None:
        line["correlation_id"] = str(correlation)
    return line


def _tell_exceptions(_logger: object, _method: str, line: Line) -> Line:
    """Tell an exception by kinds and places, wherever on a line it stands."""
    given = line.pop("exc_info", None)
    if given:
        error = given if isinstance(given, BaseException) else _in_hand(given)
        if error is not None:
            line["exception"] = told(error)
    for name, value in line.items():
        if isinstance(value, BaseException):
            line[name] = _kind(value)
    return line


def _in_hand(given: object) -> BaseException | None:
    return given[1] if isinstance(given, tuple) else sys.exc_info()[1]


def _cut(_logger: object, _method: str, line: Line) -> Line:
    line["event"] = str(line["event"]).partition("\n")[0]
    return line


def _tell_the_end(
    kind: type[BaseException], error: BaseException, trail: TracebackType | None
) -> None:
    """What ends the process is told as everything else is."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trail)
        return
    structlog.get_logger().critical("the process ends", exc_info=error)
