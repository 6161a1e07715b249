"""
What the program does, told over ports.
"""
