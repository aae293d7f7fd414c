"""What a server does not do, as an exception that becomes an answer. Knows no route."""

from __future__ import annotations


class Refused(Exception):
    """A request that is not carried out. `status` is HTTP's; `code` is for programs, `message` for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)
