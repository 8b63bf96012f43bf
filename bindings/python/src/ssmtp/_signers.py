"""Private keys that stay with the caller: what `Certificate.set_signer` takes becomes what C calls."""

import itertools
import threading
from ctypes import memmove, string_at
from importlib import import_module
from typing import Any, Callable, Dict, Optional, cast

from . import _native_gen
from ._enums_gen import SignScheme

#: Signs: the scheme, and the digest (for Ed25519 and Ed448 the message).
Sign = Callable[[SignScheme, bytes], bytes]

_numbers = itertools.count(1)
_signers: Dict[int, Sign] = {}
_thread = threading.local()

_HASHES = {16: "MD5", 20: "SHA1", 28: "SHA224", 32: "SHA256", 48: "SHA384", 64: "SHA512"}


def function_of(signer: Any) -> Sign:
    """What signs: a callable as it is, or a private key of the package `cryptography`."""
    if hasattr(signer, "sign") and hasattr(signer, "public_key"):
        return lambda scheme, data: _by_cryptography(signer, scheme, data)
    if callable(signer):
        return cast(Sign, signer)
    raise TypeError(
        "a signer is a private key of the package cryptography or a function of scheme and digest, "
        f"not {type(signer).__name__}"
    )


def _by_cryptography(key: Any, scheme: SignScheme, data: bytes) -> bytes:
    # Whoever has such a key has the package; nobody else needs it.
    primitives = "cryptography.hazmat.primitives"
    hashes: Any = import_module(primitives + ".hashes")
    ec, padding, utils = (
        cast(Any, import_module(f"{primitives}.asymmetric.{name}"))
        for name in ("ec", "padding", "utils")
    )
    if scheme in (SignScheme.ED25519, SignScheme.ED448):
        return bytes(key.sign(data))
    hash_ = getattr(hashes, _HASHES[len(data)])()
    digest = utils.Prehashed(hash_)
    if scheme is SignScheme.RSA_PKCS1:
        return bytes(key.sign(data, padding.PKCS1v15(), digest))
    if scheme is SignScheme.RSA_PSS:
        salted = padding.PSS(padding.MGF1(hash_), hash_.digest_size)
        return bytes(key.sign(data, salted, digest))
    if scheme is SignScheme.ECDSA:
        return bytes(key.sign(data, ec.ECDSA(digest)))
    return bytes(key.sign(data, digest))


def add(sign: Sign) -> int:
    """Keeps it until C says that it is done. Returns what C hands back."""
    number = next(_numbers)
    _signers[number] = sign
    return number


def forget(number: int) -> None:
    _signers.pop(number, None)


def raised() -> Optional[BaseException]:
    """What a signer raised on this thread since the last time; it becomes the cause of the error."""
    exception = getattr(_thread, "raised", None)
    _thread.raised = None
    return exception


def _sign(number: int, scheme: int, data: int, size: int, out: int, room: Any) -> int:
    try:
        signature = bytes(_signers[number](SignScheme(scheme), string_at(data, size)))
        if len(signature) > room[0]:
            raise ValueError(f"a signature of {len(signature)} bytes")
        memmove(out, signature, len(signature))
        room[0] = len(signature)
        return 0
    except BaseException as exception:
        _thread.raised = exception
        return -1


SIGN = _native_gen.SIGN_CB(_sign)
CLOSE = _native_gen.CLOSE_CB(forget)
NO_SIGN, NO_CLOSE = _native_gen.SIGN_CB(), _native_gen.CLOSE_CB()
