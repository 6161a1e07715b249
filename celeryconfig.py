"""
Celery's settings, plain, made from ours. Importable from a checkout and from an installed wheel.

Why each value is as it is: docs/adr/0002-celery-is-the-engine.md.
"""

from kombu import Queue

from odim_relay.settings import load

_settings = load()

broker_url = _settings.broker_url
result_backend = None
task_ignore_result = True
task_serializer = "json"
accept_content = ["json"]
timezone = "UTC"
enable_utc = True

task_default_queue = "deliveries"
task_queues = [Queue("deliveries", routing_key="deliveries"), Queue("maintenance", routing_key="maintenance")]
task_create_missing_queues = False
task_routes = {
    "odim_relay.deliver": {"queue": "deliveries", "routing_key": "deliveries"},
    **{
        f"odim_relay.{name}": {"queue": "maintenance", "routing_key": "maintenance"}
        for name in ("reap", "replay", "expire", "examine", "heartbeat", "sample", "tell")
    },
}

# The ledger repairs what the broker loses, so the broker need not remember what it handed out: that costs two more
# round trips per task, and with it a worker of Celery 5.7.0 exits when Redis goes away.
broker_transport_options = (
    {
        "ack_emulation": False,
        "priority_steps": [0],
        "max_connections": _settings.delivery.concurrency + 20,
        "socket_keepalive": True,
        "socket_connect_timeout": 3,
        "socket_timeout": 5,
        "health_check_interval": 25,
    }
    if not _settings.broker_url.startswith("amqp")
    # RabbitMQ: no confirms, each of which is a round trip: what the broker lost is published again by the reaper.
    # Without the timeouts whoever asks a broker that hangs would wait for ever.
    else {"read_timeout": 5, "write_timeout": 5}
)
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_channel_error_retry = True
# A retry that the broker does not take is found by the reaper: no worker slot waits long for it.
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
broker_pool_acquire_timeout = 5

worker_pool = "threads"
worker_concurrency = _settings.delivery.concurrency
worker_prefetch_multiplier = 4
worker_disable_rate_limits = True
worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_send_task_events = _settings.flower.task_events
worker_cancel_long_running_tasks_on_connection_loss = False
# With threads, Celery 5.7.0 restores the count from the thread of each task, on the connection that the worker's loop
# reads at the same time: each then gets half of RabbitMQ's frames, and the worker connects again and again.
worker_enable_prefetch_count_reduction = False

beat_schedule = {
    name: {
        "task": f"odim_relay.{name}",
        # No `expires`: it would be judged by another host's clock. A duty that comes too often ends at once.
        "schedule": interval_s,
    }
    for name, interval_s in {
        "reap": _settings.ledger.reap_interval_s,
        "replay": _settings.dead_letters.replay_interval_s,
        "expire": _settings.dead_letters.expire_interval_s,
        "examine": 60,
        "heartbeat": 10,
        "sample": 10,
        "tell": 2,
    }.items()
}
beat_scheduler = "odim_relay.adapters.celery.beat:SharedScheduler"
