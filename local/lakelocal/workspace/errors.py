"""Errors in the format of the REST API: `{"error_code": ..., "message": ...}` with a status.

Source: Databricks SDK, `databricks.sdk.errors`: which exception a client raises for which code.
"""

from typing import Any

from lakelocal.errors import LocalError, UnknownRunError

STATUS = {
    "MALFORMED_REQUEST": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "INVALID_STATE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "FEATURE_DISABLED": 404,
    "REQUEST_TIMEOUT": 408,
    "ALREADY_EXISTS": 409,
    "RESOURCE_CONFLICT": 409,
    "MAX_REQUEST_SIZE_EXCEEDED": 413,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
}


_REASON = "type.googleapis.com/google.rpc.ErrorInfo"


class ApiError(Exception):
    """An answer that refuses the request; *status* follows from *code* unless an endpoint uses a different one.

    *reason* is for clients that look for a reason in addition to the code.
    """

    def __init__(self, code: str, message: str, status: int | None = None, *, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or STATUS[code]
        self.reason = reason

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        found: dict[str, Any] = {"error_code": self.code, "message": self.message}
        return found | ({"details": [{"@type": _REASON, "reason": self.reason}]} if self.reason else {})


def wrong_value(message: str) -> ApiError:
    """The error for a value that the API does not accept."""
    return ApiError("INVALID_PARAMETER_VALUE", message)


def not_there(message: str) -> ApiError:
    """The error for a name or an id that does not exist."""
    return ApiError("RESOURCE_DOES_NOT_EXIST", message)


def of_local_error(error: LocalError) -> ApiError:
    """The error for a request that the engine refuses with *error*, whose exit code says who caused it."""
    if isinstance(error, UnknownRunError):
        return not_there(str(error))
    return ApiError("INVALID_PARAMETER_VALUE" if error.exit_code == 2 else "INVALID_STATE", str(error))
