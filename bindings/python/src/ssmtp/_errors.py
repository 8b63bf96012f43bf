"""SsmtpError: what every failing call raises."""

from ._enums_gen import ErrorCode


class SsmtpError(Exception):
    """A call failed. `code` is the component's number (see ErrorCode), `message` one line of text.

    >>> try:
    ...     smtp.send()
    ... except SsmtpError as error:
    ...     if error.code == ErrorCode.TIMEOUT: ...
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def name(self) -> str:
        """The name of the number, such as `TIMEOUT`; empty for one that this version doesn't know."""
        try:
            return ErrorCode(self.code).name
        except ValueError:
            return ""

    def __str__(self) -> str:
        return f"{self.message} (error {self.code})"
