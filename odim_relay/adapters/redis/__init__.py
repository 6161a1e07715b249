"""
The ledger, subscriptions and listings in Redis.
"""
