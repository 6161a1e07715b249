"""
The resources of the API; each module tells its own as `RESOURCES`.
"""
