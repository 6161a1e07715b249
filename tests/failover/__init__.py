"""
The fault matrix: `make failover`. What the suite shows once, it shows often, under load, at random moments.
"""
