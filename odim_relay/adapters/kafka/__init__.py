"""
Records in.
"""
