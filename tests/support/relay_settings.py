"""
The settings of a relay under test.
"""

from collections.abc import Mapping

# Minutes of waiting become seconds. A lease is ten seconds: no process of a busy machine is starved for that long.
QUICK: Mapping[str, object] = {
    "KAFKA__SESSION_TIMEOUT_S": 3,
    "EGRESS__ALLOW": '["127.0.0.0/8", "::1/128"]',
    "DELIVERY__CONCURRENCY": 8,
    "DELIVERY__TIMEOUT_S": 5,
    "LEDGER__LEASE_MARGIN_S": 5,
    "LEDGER__REAP_INTERVAL_S": 1,
    "LEDGER__QUEUE_PATIENCE_S": 2,
    "DELIVERY__RETRY_INTERVAL_S": 0.5,
    "FLOWER__TASK_EVENTS": "false",
    "LOG__FORMAT": "json",
}

# Hours of an outage become seconds.
SHORT_OUTAGES: Mapping[str, object] = {
    "DELIVERY__RETRY_ATTEMPTS": 3,
    "DELIVERY__RETRY_INTERVAL_S": 0.2,
    "BREAKER__PROBE_INTERVAL_S": 0.5,
    "BREAKER__PROBE_MAX_INTERVAL_S": 2,
    "DEAD_LETTERS__REPLAY_INTERVAL_S": 0.5,
}
