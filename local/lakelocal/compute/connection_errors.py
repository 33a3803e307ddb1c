"""Why a Spark Connect server cannot be used, derived from the error of a call: what is wrong, and what to do next."""

import re

import grpc

from lakelocal.program import PROGRAM

_CODES = grpc.StatusCode
_ANOTHER = "what listens there is no Spark Connect server. Correct host and port."
# (status, pattern of its details) -> what is wrong; the first match counts.
_KNOWN = (
    (
        _CODES.UNAVAILABLE,
        r"DNS|[Nn]ame or service not known|nodename nor servname|getaddrinfo|[Nn]ame resolution",
        "no such host name. Correct the name, or see that this machine can resolve it.",
    ),
    (
        _CODES.UNAVAILABLE,
        r"[Cc]onnection refused",
        "nothing listens at this port. Start the server, or correct the port.",
    ),
    (
        _CODES.UNAVAILABLE,
        r"handshake|SSL|TLS|wrong version number|CERTIFICATE",
        "no secure connection (a token is sent over TLS only, but to the name `localhost`). See that the server speaks "
        "TLS with a certificate that this machine trusts, or reach it as `localhost`, for example through a tunnel.",
    ),
    (
        _CODES.UNAVAILABLE,
        r"[Nn]o route|unreachable|[Tt]imed? ?out|[Dd]eadline|before any|FD shutdown|settings",
        "no answer: the address is not reached from here, or what listens there is no Spark Connect server. See that "
        "the server runs, and that no firewall stands between.",
    ),
    (
        _CODES.UNAUTHENTICATED,
        "",
        f"the token is refused. Correct `token=` in the URL (for a local server, `{PROGRAM} status --json` has it).",
    ),
    (_CODES.PERMISSION_DENIED, "", "the user of this token may not use it. Ask for access, or take another token."),
    (_CODES.UNIMPLEMENTED, "", _ANOTHER),
    (_CODES.UNAVAILABLE, r"parsing HTTP/2|[Pp]rotocol|GOAWAY", _ANOTHER),
)


def reason(error: grpc.RpcError, seconds: float) -> str:
    """What is wrong if a call that waited for at most *seconds* ended with *error*; one line."""
    if error.code() is _CODES.DEADLINE_EXCEEDED:
        return (
            f"no answer within {seconds:.0f} seconds: something accepts connections there and does not speak Spark "
            "Connect, or the address is not reached. See that the server runs, and that no firewall stands between."
        )
    details = str(error.details() or "").strip()
    for code, words, text in _KNOWN:
        if error.code() is code and re.search(words, details):
            return text
    first = details.splitlines()[0][:300] if details else "no reason given"
    return f"{error.code().name}: {first}. See that the server runs and that the URL is right."
