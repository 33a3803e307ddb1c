"""Errors as the REST API answers them: `{"error_code": ..., "message": ...}` with a status.

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
    """An answer that refuses the request; *status* follows from the *code* unless an endpoint has one of its own.

    *reason* is for clients that look for a reason beside the code.
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
    """The answer to a value that the API does not take."""
    return ApiError("INVALID_PARAMETER_VALUE", message)


def not_there(message: str) -> ApiError:
    """The answer to a name or an id of nothing."""
    return ApiError("RESOURCE_DOES_NOT_EXIST", message)


def of_local_error(error: LocalError) -> ApiError:
    """The answer to a request that the engine refuses with *error*; its own exit code says whose fault it is."""
    if isinstance(error, UnknownRunError):
        return not_there(str(error))
    return ApiError("INVALID_PARAMETER_VALUE" if error.exit_code == 2 else "INVALID_STATE", str(error))
