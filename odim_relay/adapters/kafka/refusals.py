"""
What to do about a broker that can be reached and refuses all the same: which setting of ours it minds.
"""

import re

_PREFIX = "KAFKA__SECURITY__"
_TIMES = re.compile(r" \(after \d+ms in state \w+[^)]*\)")

# What is said of it, by OpenSSL or librdkafka, and what to look at; the first that fits counts.
_REMEDIES = (
    (
        re.compile(r"certificate verify failed|broker certificate could not be verified"),
        f"the broker's certificate is not signed by {_PREFIX}CA_FILE",
    ),
    (
        re.compile(r"alert (?:bad certificate|certificate required|certificate unknown|unknown ca|handshake failure)"),
        f"the broker wants a certificate of ours that it trusts: see {_PREFIX}CERT_FILE and {_PREFIX}KEY_FILE",
    ),
    (
        re.compile(r"connecting to a (?:SSL|PLAINTEXT)|wrong version number|incorrect security\.protocol"),
        f"the broker speaks another protocol than {_PREFIX}PROTOCOL says",
    ),
    (re.compile(r"SASL authentication|Authentication failed"), f"see {_PREFIX}SASL_USERNAME and its neighbours"),
)

WITHOUT_A_WORD = f"no broker keeps a connection open; one that wants TLS says no more: see {_PREFIX}PROTOCOL"
"""
What is left to say when all are gone and none has told why.
"""


def explained(told: str) -> str:
    """
    An error of librdkafka's, with the setting to look at where it is told by the words; without times, so that one
    cause has one text.
    """
    text = _TIMES.sub("", told)
    for sign, remedy in _REMEDIES:
        if sign.search(text):
            return f"{remedy} ({text})"
    return text
