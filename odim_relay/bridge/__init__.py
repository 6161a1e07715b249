"""
The bridge process: Kafka to ledger to Celery.
"""
