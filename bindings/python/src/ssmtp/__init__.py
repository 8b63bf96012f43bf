"""Sends Internet mail through libssmtp.

>>> from ssmtp import Ssmtp
>>> with Ssmtp() as smtp:
...     smtp.mail_server = "mail.example.com"
...     smtp.from_, smtp.send_to = "me@example.com", "you@example.com"
...     smtp.subject, smtp.message_text = "Hello", "Hi\\r\\n"
...     smtp.send()

Every failing call raises SsmtpError with the component's `.code` and a line of text in `.message`.
"""

from . import _enums_gen, _events_gen
from ._certificate import Certificate
from ._client import Ssmtp
from ._enums_gen import *  # noqa: F403
from ._errors import SsmtpError
from ._event import Event
from ._events_gen import *  # noqa: F403
from ._firewall import Firewall
from ._headers import Header, MessageHeaders
from ._library import version
from ._recipients import MessageRecipient, MessageRecipients
from ._results import RecipientResult

__version__ = "0.1.0"

__all__ = [
    "Certificate",
    "Event",
    "Firewall",
    "Header",
    "MessageHeaders",
    "MessageRecipient",
    "MessageRecipients",
    "RecipientResult",
    "Ssmtp",
    "SsmtpError",
    "version",
]
__all__ += _enums_gen.__all__
__all__ += _events_gen.__all__
