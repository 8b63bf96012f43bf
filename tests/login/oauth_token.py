#!/usr/bin/env python3
"""OAuth tokens for the tests: JSON Web Tokens with HS256 (RFC 7519, RFC 7518).

usage: oauth_token.py key | good | stale      the key in Base64; a token for alice that holds an hour; one that held until an hour ago
"""

import base64
import hashlib
import hmac
import json
import sys
import time

KEY = b"a key that nothing but this test uses"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(end):
    now = int(time.time())
    claims = {"sub": "alice", "iat": now - 7200, "nbf": now - 7200, "exp": now + end}
    text = encode(b'{"alg":"HS256","typ":"JWT"}') + "." + encode(json.dumps(claims).encode())
    return text + "." + encode(hmac.new(KEY, text.encode(), hashlib.sha256).digest())


print({"key": base64.b64encode(KEY).decode(), "good": token(3600), "stale": token(-3600)}[sys.argv[1]])
