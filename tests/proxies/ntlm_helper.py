#!/usr/bin/env python3
"""Checks NTLM logins for Squid, versions 1 and 2 (MS-NLMP section 3.3), by what this file alone knows of them.

usage: ntlm_helper.py FILE      its lines: a user, the password of that user, and so on

Squid's protocol: "YR" or "YR negotiate" is answered with "TT challenge", "KK authenticate" with "AF user" or "NA reason".
"""

import base64
import hashlib
import hmac
import os
import struct
import sys


def md4(data):
    """RFC 1320: OpenSSL 3 keeps its own behind a provider that need not be there."""
    mask = 0xFFFFFFFF
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    data += b"\x80" + bytes((55 - len(data)) % 64) + struct.pack("<Q", 8 * len(data))
    rounds = [
        (lambda x, y, z: (x & y) | (~x & z), 0, (3, 7, 11, 19), range(16)),
        (lambda x, y, z: (x & y) | (x & z) | (y & z), 0x5A827999, (3, 5, 9, 13), [i % 4 * 4 + i // 4 for i in range(16)]),
        (lambda x, y, z: x ^ y ^ z, 0x6ED9EBA1, (3, 9, 11, 15), [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15]),
    ]
    for start in range(0, len(data), 64):
        words = struct.unpack("<16I", data[start : start + 64])
        a, b, c, d = state
        for mix, constant, shifts, order in rounds:
            for step, index in enumerate(order):
                value = (a + mix(b, c, d) + words[index] + constant) & mask
                shift = shifts[step % 4]
                a, b, c, d = d, ((value << shift) | (value >> (32 - shift))) & mask, b, c
        state = [(x + y) & mask for x, y in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


assert md4(b"abc").hex() == "a448017aaf21d8525fc10ae87aa6729d"


def utf16(text):
    return text.encode("utf-16-le")


def challenge(nonce):
    """CHALLENGE_MESSAGE with target information, and a time, so that the client must add its integrity code."""
    pair = lambda kind, value: struct.pack("<HH", kind, len(value)) + value
    target = utf16("PROXY")
    info = pair(2, utf16("PROXY")) + pair(1, utf16("SQUID")) + pair(7, struct.pack("<Q", 133_000_000_000_000_000)) + pair(0, b"")
    flags = 0x00000001 | 0x00000200 | 0x00000004 | 0x00010000 | 0x00080000 | 0x00800000 | 0x02000000
    head = b"NTLMSSP\0" + struct.pack("<I", 2)
    head += struct.pack("<HHI", len(target), len(target), 56) + struct.pack("<I", flags) + nonce + bytes(8)
    head += struct.pack("<HHI", len(info), len(info), 56 + len(target)) + bytes((10, 0, 0, 0, 0, 0, 0, 15))
    return head + target + info


def field(message, at):
    length, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset : offset + length]


def des(key, block):
    """One block by the openssl program's legacy provider, which nothing at run time needs otherwise."""
    import subprocess

    bits = int.from_bytes(key, "big")
    spread = bytes(((bits >> (49 - 7 * i)) & 0x7F) << 1 for i in range(8))
    run = ["openssl", "enc", "-des-ecb", "-nopad", "-provider", "legacy", "-provider", "default", "-K", spread.hex()]
    return subprocess.run(run, input=block, capture_output=True, check=True).stdout


def reason_to_refuse(messages, nonce, users):
    """None: the login is right."""
    negotiate, said, message = messages
    if not message.startswith(b"NTLMSSP\0\x03\0\0\0"):
        return "no AUTHENTICATE"
    lm, nt = field(message, 12), field(message, 20)
    domain, name = field(message, 28), field(message, 36).decode("utf-16-le")
    if name.lower() not in users:
        return "unknown user"
    key = md4(utf16(users[name.lower()]))
    if len(nt) == 24:
        text = hashlib.md5(nonce + lm[:8]).digest()[:8]
        long = key + bytes(5)
        expected = b"".join(des(long[i : i + 7], text) for i in (0, 7, 14))
        return None if expected == nt else "wrong response of version 1"
    key = hmac.new(key, utf16(name.upper()) + domain, "md5").digest()
    proof, blob = nt[:16], nt[16:]
    if hmac.new(key, nonce + blob, "md5").digest() != proof:
        return "wrong response of version 2"
    session = hmac.new(key, proof, "md5").digest()
    bare = message[:72] + bytes(16) + message[88:]
    if hmac.new(session, negotiate + said + bare, "md5").digest() != message[72:88]:
        return "wrong integrity code"
    service = utf16("HTTP/")
    if struct.pack("<H", 9) not in blob or service not in blob:
        return "no service named"
    return None


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().split("\n")
    users = {user.lower(): password for user, password in zip(lines[::2], lines[1::2])}
    nonce = said = negotiate = b""
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "YR":
                negotiate = base64.b64decode(words[1]) if len(words) > 1 else b""
                nonce = os.urandom(8)
                said = challenge(nonce)
                answer = "TT " + base64.b64encode(said).decode()
            else:
                why = reason_to_refuse((negotiate, said, base64.b64decode(words[1])), nonce, users)
                answer = f"NA {why}" if why else "AF known"
        except (ValueError, IndexError, struct.error) as error:
            answer = f"BH {error}"
        print(answer, flush=True)


if __name__ == "__main__":
    main()
