"""Why a Spark Connect server cannot be used, derived from the error of a call: what is wrong, and what to do next."""

import re

import grpc

from lakelocal.program import PROGRAM

_CODES = grpc.StatusCode
_ANOTHER = "the program that listens there is not a Spark Connect server. Correct the host and the port."
# (status, pattern of its details) -> what is wrong; the first match counts.
_KNOWN = (
    (
        _CODES.UNAVAILABLE,
        r"DNS|[Nn]ame or service not known|nodename nor servname|getaddrinfo|[Nn]ame resolution",
        "no such host name. Correct the name, or make sure that this machine can resolve it.",
    ),
    (
        _CODES.UNAVAILABLE,
        r"[Cc]onnection refused",
        "nothing listens at this port. Start the server, or correct the port.",
    ),
    (
        _CODES.UNAVAILABLE,
        r"handshake|SSL|TLS|wrong version number|CERTIFICATE",
        "no secure connection (a token is sent over TLS only, except to `localhost`). Make sure that the server uses "
        "TLS with a certificate that this machine trusts, or connect to `localhost`, for example through a tunnel.",
    ),
    (
        _CODES.UNAVAILABLE,
        r"[Nn]o route|unreachable|[Tt]imed? ?out|[Dd]eadline|before any|FD shutdown|settings",
        "no answer: the address cannot be reached from here, or the program that listens there is not a Spark Connect "
        "server. Make sure that the server runs, and that no firewall blocks the connection.",
    ),
    (
        _CODES.UNAUTHENTICATED,
        "",
        f"the token is refused. Correct `token=` in the URL (for a local server, `{PROGRAM} status --json` has it).",
    ),
    (_CODES.PERMISSION_DENIED, "", "the user of this token may not use it. Ask for access, or use another token."),
    (_CODES.UNIMPLEMENTED, "", _ANOTHER),
    (_CODES.UNAVAILABLE, r"parsing HTTP/2|[Pp]rotocol|GOAWAY", _ANOTHER),
)


def reason(error: grpc.RpcError, seconds: float) -> str:
    """What is wrong if a call that waited for at most *seconds* ended with *error*; one line."""
    if error.code() is _CODES.DEADLINE_EXCEEDED:
        return (
            f"no answer within {seconds:.0f} seconds: something accepts connections there but does not speak Spark "
            "Connect, or the address cannot be reached. Make sure that the server runs, and that no firewall blocks "
            "the connection."
        )
    details = str(error.details() or "").strip()
    for code, words, text in _KNOWN:
        if error.code() is code and re.search(words, details):
            return text
    first = details.splitlines()[0][:300] if details else "no reason given"
    return f"{error.code().name}: {first}. Make sure that the server runs and that the URL is correct."
