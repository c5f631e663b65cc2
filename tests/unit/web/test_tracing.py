"""A request is one span, of the caller's trace, with its case on it."""

from collections.abc import Callable
from typing import Annotated
from uuid import uuid4

import httpx2
from fastapi import APIRouter, Depends, FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from libs.telemetry import tracing
from libs.web.app import make_app
from libs.web.auth import Verifier
from libs.web.edge import Edge
from libs.web.writes import Write, write

from .conftest import MakeToken

MakeClient = Callable[[FastAPI], httpx2.AsyncClient]
router = APIRouter()


@router.post("/things/{name}")
async def create(
    name: str, wish: Annotated[Write, Depends(write("t:write", "make", versioned=False))]
) -> str | None:
    return wish.cause.traceparent


async def test_a_write_continues_the_callers_trace_and_hands_it_on(
    verifier: Verifier, client_of: MakeClient, bearer: MakeToken
) -> None:
    made = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):  # a process can have only one
        provider = TracerProvider()
        provider.add_span_processor(tracing.CorrelationOnSpans())
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(made))
    app = make_app("Trial", edge=Edge(verifier=verifier), routers=(router,), ready={})
    case, origin = uuid4(), "00-11111111111111111111111111111111-2222222222222222-01"
    answer = await client_of(app).post(
        "/things/one",
        headers=bearer("t:write")
        | {"Idempotency-Key": "k", "Yakkan-Correlation": str(case), "traceparent": origin},
    )
    (span,) = made.get_finished_spans()
    assert (span.name, span.kind) == ("POST /things/{name}", SpanKind.SERVER)
    assert span.parent is not None
    assert trace.format_span_id(span.parent.span_id) == "2222222222222222"
    assert (span.attributes or {})["yakkan.correlation_id"] == str(case)
    span_id = trace.format_span_id(span.context.span_id)
    assert answer.json() == f"00-11111111111111111111111111111111-{span_id}-01"
