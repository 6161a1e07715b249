"""
Tasks out.
"""
