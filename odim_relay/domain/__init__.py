"""
Rules: pure, without I/O, clock, randomness, logging or third-party client.
"""
