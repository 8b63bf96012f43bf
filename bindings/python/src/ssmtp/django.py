"""A Django e-mail backend over libssmtp.

    EMAIL_BACKEND = "ssmtp.django.EmailBackend"

It takes the EMAIL_ settings of Django's own SMTP backend, which it extends, and behaves as that does: messages of one
`send_messages` share a connection, `fail_silently` works, the number of messages sent comes back, errors are those of
smtplib. The server's certificate is always checked. Beside those:

    SSMTP_SIGN_CERT = "/etc/mail/me.pfx"      a file with a certificate and its key: messages are signed with it
    SSMTP_SIGN_CERT_PASSWORD = "…"
    SSMTP_SIGN_CERT_SUBJECT = "*"             which one of the file; the first with a key
    SSMTP_ENCRYPT_CERTS = ["/etc/mail/you.pem", …]   certificates of recipients: messages are encrypted for them
    SSMTP_CONFIG = ["SASLMechanism=SCRAM-SHA-256", "FirewallType=fwSOCKS5", "FirewallHost=proxy.example.com"]
                                              any setting of the library

A message may say otherwise for itself: `message.ssmtp_sign = False`, `message.ssmtp_encrypt = False`. With certificates
to encrypt for, a message to somebody who has none among them is not sent (SMTPException).
"""

# Django has no types of its own.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from typing import Any, Dict, Optional, Sequence

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.smtp import EmailBackend as DjangoBackend
from django.core.mail.utils import DNS_NAME

from . import smtplib
from ._certificate import Certificate
from ._client import Ssmtp
from ._enums_gen import CertStoreType
from ._errors import SsmtpError

__all__ = ["EmailBackend"]


class EmailBackend(DjangoBackend):
    """Django's SMTP backend with libssmtp below. Arguments of `get_connection` go before the settings of their names."""

    connection: Any

    def __init__(
        self,
        *arguments: Any,
        sign_cert: Optional[str] = None,
        sign_cert_password: Optional[str] = None,
        sign_cert_subject: Optional[str] = None,
        encrypt_certs: Optional[Sequence[str]] = None,
        config: Optional[Sequence[str]] = None,
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        self.sign_cert = _setting(sign_cert, "SSMTP_SIGN_CERT", "")
        self.sign_cert_password = _setting(sign_cert_password, "SSMTP_SIGN_CERT_PASSWORD", "")
        self.sign_cert_subject = _setting(sign_cert_subject, "SSMTP_SIGN_CERT_SUBJECT", "*")
        self.encrypt_certs = list(_setting(encrypt_certs, "SSMTP_ENCRYPT_CERTS", ()))
        self.config = list(_setting(config, "SSMTP_CONFIG", ()))
        self._component: Optional[Ssmtp] = None

    @property
    def connection_class(self) -> Any:
        """The stand-in for smtplib."""
        return smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP

    def component(self) -> Ssmtp:
        """The component below, set up; for what no setting names, such as `on_pi_trail`."""
        with self._lock:
            if self._component is None:
                self._component = self._prepared()
            return self._component

    def open(self) -> Optional[bool]:
        """Connects, unless there is a connection; True says that there was none."""
        if self.connection:
            return False
        # A mistake in the settings is told, however silently messages may fail.
        component = self.component()
        named: Dict[str, Any] = {"local_hostname": DNS_NAME.get_fqdn(), "ssmtp": component}
        if self.timeout is not None:
            named["timeout"] = self.timeout
        # A subclass may have a context of its own; the usual one checks as the library does.
        own = type(self).ssl_context is not DjangoBackend.ssl_context
        context = self.ssl_context if own else None
        if self.use_ssl:
            named["context"] = context
        connection = self.connection_class(**named)
        try:
            code, text = connection.connect(self.host, self.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, text)
            if self.use_tls:
                connection.starttls(context=context)
            if self.username and self.password:
                connection.login(self.username, self.password)
        except OSError:
            connection.close()
            if not self.fail_silently:
                raise
            return None
        self.connection = connection
        return True

    def _send(self, email_message: Any) -> bool:
        if self.connection is not None:
            self.connection.sign = bool(self.sign_cert) and getattr(email_message, "ssmtp_sign", True)
            self.connection.encrypt = bool(self.encrypt_certs) and getattr(email_message, "ssmtp_encrypt", True)
        sent: bool = super()._send(email_message)
        return sent

    def _prepared(self) -> Ssmtp:
        component = Ssmtp()
        try:
            for line in self.config:
                component.config(line)
            if self.ssl_certfile:
                component.ssl_cert = _pem(self.ssl_certfile, self.ssl_keyfile)
            if self.sign_cert:
                component.certificate = Certificate(
                    CertStoreType.AUTO, self.sign_cert, self.sign_cert_password, self.sign_cert_subject
                )
            for name in self.encrypt_certs:
                with open(name, "rb") as file:
                    component.add_recipient_cert(file.read())
        except (SsmtpError, OSError) as error:
            component.close()
            raise ImproperlyConfigured(f"ssmtp.django: {error}") from error
        return component


def _setting(given: Any, name: str, default: Any) -> Any:
    return getattr(settings, name, default) if given is None else given


def _pem(certificate: str, key: Optional[str]) -> Certificate:
    octets = b""
    for name in filter(None, (certificate, key)):
        with open(name, "rb") as file:
            octets += file.read() + b"\n"
    return Certificate(CertStoreType.PEM_KEY_BLOB, octets, "", "*")
