"""
The world: Redis, Kafka, Celery, HTTP. Strangers to each other; they meet in bootstrap.
"""
