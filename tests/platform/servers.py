#!/usr/bin/env python3
"""Connects to a real server by STARTTLS with both providers, twice each, through the C ABI.

usage: servers.py PEER VERSION PORT CA      VERSION: TLSv1, TLSv1.1, TLSv1.2, TLSv1.3, the only one that the server has there

What counts: that version is negotiated and the certificate is right; the second connection resumes the session; a message
is taken; a version that the provider does not have is error 276 and nothing else.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings/python/src"))

from ssmtp import Ssmtp, SsmtpError  # noqa: E402

PEER, VERSION, PORT, CA = sys.argv[1:]
BITS = {"TLSv1": 192, "TLSv1.1": 768, "TLSv1.2": 3072, "TLSv1.3": 12288}[VERSION]


def run(provider):
    lines = []
    with Ssmtp() as smtp:
        smtp.on_ssl_status = lambda event: lines.append(str(event.message))
        smtp.mail_server, smtp.mail_port, smtp.timeout = "localhost", int(PORT), 20
        smtp.set("SSLStartMode", "sslExplicit")
        smtp.set("SSLProvider", provider)
        smtp.config("SSLServerCACerts=" + pathlib.Path(CA).read_text())
        smtp.config(f"SSLEnabledProtocols={BITS}")
        smtp.set("From", "a@client.example")
        smtp.set("SendTo", "b@server.example")
        smtp.message_text = "Hello\r\n"
        for _ in range(2):
            smtp.connect()
            negotiated = smtp.config("SSLNegotiatedVersion")
            assert negotiated == VERSION, negotiated
            smtp.send()
            smtp.disconnect()
        assert any("resumed session" in line for line in lines), lines
        return smtp.config("SSLNegotiatedCipherSuite")


for provider in ("sslpPlatform", "sslpInternal"):
    try:
        print(f"ok      {PEER} {VERSION} {provider}: {run(provider)}")
    except SsmtpError as error:
        old = VERSION in ("TLSv1", "TLSv1.1") and provider == "sslpInternal"
        if not (old and error.code == 276):
            raise
        print(f"ok      {PEER} {VERSION} {provider}: refused ({error})")
