"""
Celery tasks: decode, call the use case, map its decision.
"""
