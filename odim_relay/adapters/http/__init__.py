"""
POSTs to destinations.
"""
