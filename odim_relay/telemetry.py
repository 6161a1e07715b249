"""
Logs: structlog; JSON lines, or a console on a terminal. Event names are `noun.verbed`; ids, never bodies or headers.
"""

import logging
import sys

import structlog

# Celery's two lines per task cost more than the claim does; Flower shows tasks, and our own lines tell of failures.
_CHATTY = ("celery.worker.strategy", "celery.app.trace")


def configure_logs(*, level: str = "INFO", style: str = "auto") -> None:
    """
    Set up logging of this process, also of libraries; to stderr, so that commands may print their answer to stdout.

    Args:
        style: `json`, `console`, or `auto` for console on a terminal.
    """
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks without the values of variables: among them are bodies, headers and passwords.
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.RichTracebackFormatter(show_locals=False))
        if console
        else structlog.processors.JSONRenderer()
    )
    exceptions: list[structlog.typing.Processor] = (
        []
        if console
        else [structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *exceptions, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """
    The logger of a module.
    """
    log: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return log
