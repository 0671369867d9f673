"""Whether the dashboard lives and is ready, and its metrics, for monitors."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dashboard.record import Record
from dashboard.view import Views
from db.queries import shop
from db.turns import since_asked
from errors import SpectrumError
from permissions import callback_name
from settings import Settings

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def register(server: Flask, settings: Settings, views: Views, record: Record) -> None:
    """Add the routes, and measure every request."""
    checks: dict[str, Callable[[], dict[str, Any]]] = {
        "database": lambda: {"schema": record.schema()},
        "snapshot": lambda: _snapshot(views),
        "run": lambda: _runs(views),
    }

    @server.get("/health/live")
    def live() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @server.get("/health/ready")
    def ready() -> Response:
        """Each check with what it found; 503 where one fails. A snapshot is served even while the database is away."""
        told = {name: _tried(check) for name, check in checks.items()}
        reply = jsonify(ready=all(of["ok"] for of in told.values()), **told)
        reply.status_code = 200 if all(of["ok"] for of in told.values()) else 503
        return reply

    registry = CollectorRegistry()
    _measure(server, registry)
    ages = Gauge("spectrum_data_age_seconds", "Since the end of the last day with an order", registry=registry)
    versions = Gauge("spectrum_snapshot_version", "The snapshot that is served", registry=registry)
    runs = Gauge("spectrum_published_run", "The published run of a kind", ["kind"], registry=registry)
    up = Gauge("spectrum_database_up", "Whether Postgres answers", registry=registry)

    @server.get("/metrics")
    def metrics() -> Response:
        token = settings.metrics_token
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token is None or not hmac.compare_digest(sent.encode(), token.get_secret_value().encode()):
            return Response("Not Found.\n", 404, mimetype="text/plain")
        up.set(_tried(checks["database"])["ok"])
        found = _tried(checks["snapshot"])
        if found["ok"]:
            versions.set(found["version"])
            ages.set(found["age_hours"] * 3600)
            for kind, run in views.snapshot().manifest.runs.items():
                runs.labels(kind).set(run)
        return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")


def _tried(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"ok": True, **check()}
    except SpectrumError as error:
        return {"ok": False, "why": type(error).__name__}  # the sentence may name hosts; the log has it


def _snapshot(views: Views) -> dict[str, Any]:
    """The snapshot that is served, up to when its data reach, and how long ago that is."""
    snapshot = views.snapshot()
    span = shop.span(snapshot)
    if span is None:
        return {"version": snapshot.version, "data_to": None, "age_hours": 0.0}
    ended = datetime(span.end.year, span.end.month, span.end.day, tzinfo=UTC)
    hours = max((datetime.now(UTC) - ended).total_seconds() / 3600 - 24, 0)
    return {"version": snapshot.version, "data_to": span.end.isoformat(), "age_hours": round(hours, 1)}


def _runs(views: Views) -> dict[str, Any]:
    return {"published": dict(views.snapshot().manifest.runs)}


def _measure(server: Flask, registry: CollectorRegistry) -> None:
    """Count requests by route and status, and their seconds; of callbacks by the callback."""
    counted = Counter("spectrum_requests", "Requests", ["route", "status"], registry=registry)
    took = Histogram("spectrum_request_seconds", "Seconds of a request", ["route"], buckets=_SECONDS, registry=registry)
    failed = Counter("spectrum_parts_failed", "Parts of pages that could not be shown", registry=registry)

    @server.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        if route == "/_dash-update-component":
            route = f"callback {callback_name(g.get('callback', ''))}"
        counted.labels(route, str(response.status_code)).inc()
        took.labels(route).observe(since_asked())
        if g.get("part_failed"):
            failed.inc()
        return response
