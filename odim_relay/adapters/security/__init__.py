"""
Secrets: passwords, certificates.
"""
