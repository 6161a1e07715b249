"""
Redfish over HTTP, whatever the resources are: from a request to a `Call`, from a `Reply` or an error to an answer.
"""
