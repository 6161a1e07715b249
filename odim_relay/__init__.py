"""
odim-relay: delivers infrastructure events from Kafka to their subscribers over HTTPS, and loses none.
"""

__version__ = "0.1.0"
