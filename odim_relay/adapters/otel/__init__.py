"""
OpenTelemetry: an extra, imported only where tracing is on.
"""
