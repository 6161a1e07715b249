"""
What the protocol validator cannot test of this service, and why that is so. Anything else that it does not test fails.
"""

from types import MappingProxyType

_NO_SSDP = "the service is not announced by SSDP, which is optional"
_NO_FORCED_CHANGE = "no account has PasswordChangeRequired: nobody starts with a password that all services have"

NOT_TESTED = MappingProxyType(
    {
        "REQ_QUERY_INVALID_VALUES": "the query parameters `only` and `excerpt` are not offered",
        "REQ_DATA_MOD_ERRORS": "no POST that the validator counts here fails",
        "RESP_HEADERS_X_AUTH_TOKEN": "tokens are base64url; the test of their randomness takes hexadecimal ones alone",
        "RESP_STATUS_INTERNAL_SERVER_ERROR": "nothing was answered with 500",
        "SERV_SSDP_CAN_BE_DISABLED": _NO_SSDP,
        "SERV_SSDP_USN_MATCHES_SERVICE_ROOT_UUID": _NO_SSDP,
        "SERV_SSDP_UUID_IN_CANONICAL_FORMAT": _NO_SSDP,
        "SERV_SSDP_MSEARCH_RESPONDS_TO_REDFISH_OR_ALL": _NO_SSDP,
        "SERV_SSDP_ST_HEADER_FORMAT": _NO_SSDP,
        "SERV_SSDP_AL_HEADER_POINTS_TO_SERVICE_ROOT": _NO_SSDP,
        "SERV_SSDP_M_SEARCH_RESPONSE_FORMAT": _NO_SSDP,
        "SERV_SSE_JSON_METRIC_REPORT_FORMAT": "test events are all that is on the stream, and no metric report",
        "PROTO_REDIRECT_ENFORCES_TARGET_PRIVS": "nothing is redirected",
        "SEC_PWD_CHANGE_REQ_ALLOW_SESSION_LOGIN": _NO_FORCED_CHANGE,
        "SEC_PWD_CHANGE_REQ_ALLOW_GET_ACCOUNT": _NO_FORCED_CHANGE,
        "SEC_PWD_CHANGE_REQ_DISALLOW_ALL_OTHERS": _NO_FORCED_CHANGE,
        "SEC_PWD_CHANGE_REQ_ALLOW_PATCH_PASSWORD": _NO_FORCED_CHANGE,
        "SEC_DEFAULT_CERT_REPLACE": "certificates are replaced by settings, not by a CertificateService",
    }
)
