"""How S3 says no: every refusal the edge can make, with the status, code, wording and details that S3 gives it.

Codes and wordings are those that S3 was seen to answer, where its reference says something else: clients match on them.
"""

from http import HTTPStatus


class Refusal(Exception):
    """An answer S3 would give instead of doing what was asked; `details` become elements of the error document."""

    def __init__(self, status: HTTPStatus, code: str, message: str, **details: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details


def refused(status: int, code: str, message: str) -> Refusal:
    """What another store said, passed on."""
    return Refusal(HTTPStatus(status), code, message)


def unavailable() -> Refusal:
    """503: the store behind the edge is not there, which is nobody's form's fault."""
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", "Please reduce your request rate.")


def bad_request(code: str, message: str, **details: str) -> Refusal:
    """400 with any code."""
    return Refusal(HTTPStatus.BAD_REQUEST, code, message, **details)


def bad_argument(message: str, name: str, value: str, **details: str) -> Refusal:
    """400 InvalidArgument, about one field of the form."""
    return bad_request("InvalidArgument", message, ArgumentName=name, ArgumentValue=value, **details)


def missing_field(name: str) -> Refusal:
    """400: a field is not there, or comes after the file, which is the same to S3."""
    message = (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )
    return bad_argument(message, name, "")


def not_one_file(count: int) -> Refusal:
    """400: a form without a file, or with several."""
    return bad_argument("POST requires exactly one file upload per request.", "file", str(count))


def malformed_form() -> Refusal:
    """400: the body is no form, or ends before the form does."""
    return bad_request("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")


def incomplete() -> Refusal:
    """400: the connection ended before the body did."""
    message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
    return bad_request("IncompleteBody", message)


def not_a_form() -> Refusal:
    """412: the request does not even claim to be a form."""
    return Refusal(
        HTTPStatus.PRECONDITION_FAILED,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        Condition="Bucket POST must be of the enclosure-type multipart/form-data",
    )


def malformed_policy(detail: str) -> Refusal:
    """400: the policy's signature is right, but it is no policy."""
    return bad_request("InvalidPolicyDocument", f"Invalid Policy: {detail}")


def forbidden(code: str, message: str, **details: str) -> Refusal:
    """403 with any code."""
    return Refusal(HTTPStatus.FORBIDDEN, code, message, **details)


def denied(message: str = "Access Denied") -> Refusal:
    """403 AccessDenied, which is all that a stranger is told."""
    return forbidden("AccessDenied", message)


def against_policy(detail: str) -> Refusal:
    """403: the form does not keep to its policy."""
    return denied(f"Invalid according to Policy: {detail}")


def too_large(size: int, limit: int) -> Refusal:
    """400: more bytes than the policy, or S3, takes."""
    message = "Your proposed upload exceeds the maximum allowed size"
    return bad_request("EntityTooLarge", message, ProposedSize=str(size), MaxSizeAllowed=str(limit))


def too_small(size: int, limit: int) -> Refusal:
    """400: fewer bytes than the policy asks for."""
    message = "Your proposed upload is smaller than the minimum allowed size"
    return bad_request("EntityTooSmall", message, ProposedSize=str(size), MinSizeAllowed=str(limit))
