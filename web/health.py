"""For whoever runs the service: alive, ready, measured."""

import os
import time
from collections.abc import Callable, Sequence

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.registry import Collector

log = structlog.get_logger("web.health")
Check = Callable[[], str | None]  # None when well, else what is wrong, for the log

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


def register(app: Flask, checks: dict[str, Check], collectors: Sequence[Collector] = ()) -> None:
    """/healthz, /readyz, /metrics (with what `collectors` know), and counting of every request by route template."""
    shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    registry = CollectorRegistry()
    own = None if shared else registry
    count = Counter(
        "http_requests", "Requests", ["method", "route", "status"], registry=own or CollectorRegistry()
    )
    latency = Histogram("http_request_seconds", "Latency", ["route"], registry=own or CollectorRegistry())
    if shared:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for collector in collectors:
        registry.register(collector)

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def measure(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        count.labels(request.method, route, str(response.status_code)).inc()
        if "began" in g:
            latency.labels(route).observe(time.perf_counter() - g.began)
        return response

    @app.get("/readyz")
    def ready() -> Response:
        states = {name: _well(name, check) for name, check in checks.items()}
        response = jsonify(ready=all(states.values()), checks=states)
        response.status_code = 200 if all(states.values()) else 503
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    app.register_blueprint(pages)


def _well(name: str, check: Check) -> bool:
    try:
        problem = check()
    except Exception as error:  # noqa: BLE001 - a check that cannot run is a failed check
        problem = str(error)
    if problem:
        log.warning("not ready", check=name, problem=problem)
    return not problem
