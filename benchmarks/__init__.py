"""
How fast odim-relay is, beside what a good engineer would write with Celery in ten lines. See README.md.
"""
