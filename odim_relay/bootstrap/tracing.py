"""
Traces, where they are wanted.
"""

from functools import cache

from odim_relay import __version__
from odim_relay.bootstrap.process import new_id, settings
from odim_relay.errors import ConfigurationError
from odim_relay.ports import Tracer
from odim_relay.use_cases.untraced import Untraced


@cache
def tracer() -> Tracer:
    """
    What traces events in this process.

    Raises:
        ConfigurationError: tracing is on, and what it needs is not installed.
    """
    chosen = settings().tracing
    if not chosen.enabled:
        return Untraced()
    try:
        # An extra, and not needed by who does not trace.
        from odim_relay.adapters.otel.tracer import OpenTelemetryTracer  # noqa: PLC0415
    except ImportError as exc:
        raise ConfigurationError(
            f"TRACING__ENABLED is true, and {exc.name} is not installed: pip install 'odim-relay[tracing]'"
        ) from exc
    return OpenTelemetryTracer(
        endpoint=chosen.otlp_endpoint, sample_ratio=chosen.sample_ratio, version=__version__, instance=new_id()
    )


def close_tracer() -> None:
    """
    Tell what was not told yet, where anything was traced.
    """
    if tracer.cache_info().currsize:
        tracer().close()
