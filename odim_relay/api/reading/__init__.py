"""
What bodies about events may hold, and what they mean.
"""
