"""Sends a message over TLS and prints what it saw of the handshake.

usage: secure.py PORT implicit|explicit TRUSTED.pem|- leave|accept|refuse|stop
"""

import sys
from pathlib import Path

from ssmtp import Ssmtp, SsmtpError, SSLStartMode

port, mode, trusted, word = sys.argv[1:]


def judge(event):
    status = event.status if event.accept else "not OK"
    print("asked", int(event.accept), event.cert_subject, event.cert_issuer, status)
    print("leaf", "DER" if len(event.cert_encoded_b) > 100 and event.cert_encoded_b[0] == 0x30 else "?")
    print("chain", "PEM" if event.cert_encoded.startswith("-----BEGIN CERTIFICATE-----") else "?")
    if word == "stop":
        raise RuntimeError("stopped by the handler")
    if word != "leave":
        event.accept = word == "accept"


with Ssmtp() as smtp:
    smtp.on_connection_status = lambda e: print("status", e.status_code, e.connection_event)
    smtp.on_ssl_server_authentication = judge
    smtp.mail_server, smtp.mail_port = "localhost", int(port)
    smtp.ssl_start_mode = SSLStartMode.IMPLICIT if mode == "implicit" else SSLStartMode.EXPLICIT
    if trusted != "-":
        smtp.config("SSLServerCACerts=" + Path(trusted).read_text())
    smtp.from_, smtp.send_to = "alice@client.example", "bob@server.example"
    smtp.message_text = "Hello\r\n"
    try:
        smtp.send()
        print("sent", smtp.config("SSLNegotiatedVersion"), smtp.get("SSLServerCertSubject"))
    except SsmtpError as error:
        print("error", error.code)
    except RuntimeError as error:
        print(error)
