"""
The operator page: what stands where, and what may be done about it, for a person with a browser.
"""
