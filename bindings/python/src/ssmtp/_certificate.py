"""Certificate: a certificate, with its private key where there is one."""

import base64
import os
from ctypes import byref, c_void_p
from typing import Any, Optional, Tuple, Union, cast, overload

from . import _signers
from ._access import Unique, error, member, octets, text
from ._enums_gen import CertStoreType
from ._library import native
from ._objects_gen import CertificateFields

Octets = Union[bytes, bytearray, memoryview]


class Certificate(Unique, CertificateFields):
    """Made in one of these ways:

    - `Certificate()`: empty, to be filled by setting its fields;
    - `Certificate("file.pem")`, `Certificate(octets)`: the first certificate in a file or in bytes;
    - `Certificate(store_type, store, password, subject)`: out of a store, which is a file or a
      folder (str) or its content (bytes); `"*"` takes the first entry with a key;
    - `Certificate(store_type, store, password, octets)`: a given certificate, whose private key is
      searched for in the store.
    """

    _handle: Optional[int] = None

    @overload
    def __init__(self) -> None: ...

    @overload
    def __init__(self, source: Union[str, "os.PathLike[str]", Octets]) -> None: ...

    @overload
    def __init__(
        self,
        source: CertStoreType,
        store: Union[str, "os.PathLike[str]", Octets],
        password: str = "",
        subject: Union[str, Octets] = "*",
        config: str = "",
    ) -> None: ...

    def __init__(
        self,
        source: Any = None,
        store: Any = None,
        password: str = "",
        subject: Any = "*",
        config: str = "",
    ) -> None:
        if store is not None:
            function, arguments = _from_store(source, store, password, subject, config)
        elif source is None:
            function, arguments = "ssmtp_cert_new", ()
        elif isinstance(source, (str, os.PathLike)):
            function, arguments = "ssmtp_cert_new_file", (text("source", os.fspath(source)),)
        else:
            function, arguments = "ssmtp_cert_new_data", octets("source", source)
        out = c_void_p()
        code = getattr(native(), function)(*arguments, byref(out))
        if code:
            raise error(code, None)
        self._handle = out.value

    @classmethod
    def adopt(cls, handle: Optional[int]) -> "Certificate":
        """Takes over a certificate that the library gave out."""
        certificate = cls.__new__(cls)
        certificate._handle = handle
        return certificate

    @staticmethod
    def handle_of(certificate: Optional["Certificate"]) -> Optional[int]:
        """What the library takes for it; None takes the certificate away."""
        if certificate is None:
            return None
        if not isinstance(certificate, Certificate):
            raise TypeError(f"a Certificate is wanted, not {type(certificate).__name__}")
        return certificate._handle

    def _call(self, function: str, *arguments: Any) -> None:
        code = getattr(native(), function)(self._handle, *arguments)
        if code:
            raise error(code, None)

    def set_signer(self, signer: Any) -> None:
        """Lets something else sign for this certificate, wherever its private key is wanted.

        `signer` is a private key of the package `cryptography`, or a function that takes a
        `SignScheme` and a digest (for Ed25519 and Ed448 the message) and returns the signature. The
        digest's length tells its hash. It is called in the threads of the operations, several at a
        time. What it raises is the cause of the error that the operation ends with. None takes the
        key away; setting `subject` or `encoded` ends it too.
        """
        if signer is None:
            self._call("ssmtp_cert_set_signer", _signers.NO_SIGN, _signers.NO_CLOSE, None)
            return
        number = _signers.add(_signers.function_of(signer))
        try:
            self._call("ssmtp_cert_set_signer", _signers.SIGN, _signers.CLOSE, number)
        except BaseException:
            _signers.forget(number)
            raise

    def close(self) -> None:
        """Releases it now instead of when it is collected. A second time does nothing."""
        if self._handle is not None and not self._closed:
            self._closed = True
            native().ssmtp_cert_delete(self._handle)

    _closed = False

    def __enter__(self) -> "Certificate":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return "Certificate()" if self._closed else f"Certificate({self.subject!r})"


def _path(store: Any) -> str:
    return os.fspath(cast("os.PathLike[str]", store))


def _from_store(
    kind: Any, store: Any, password: str, subject: Any, config: str
) -> Tuple[str, Tuple[Any, ...]]:
    """The constructor for a store and what it takes, less the output."""
    kind = member("source", CertStoreType, kind)
    secret = text("password", password)
    by_name = isinstance(store, (str, os.PathLike))
    if isinstance(subject, str):
        rest = (secret, text("subject", subject), text("config", config))
        if by_name:
            return "ssmtp_cert_new_store", (kind, text("store", _path(store)), *rest)
        return "ssmtp_cert_new_store_data", (kind, *octets("store", store), *rest)
    if not by_name:
        # This constructor takes a store's content as Base64.
        store = base64.b64encode(octets("store", store)[0]).decode()
    name = text("store", _path(store))
    return "ssmtp_cert_new_store_encoded", (kind, name, secret, *octets("subject", subject))
