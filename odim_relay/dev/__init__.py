"""
The embedded stack, for development and demonstration.
"""
