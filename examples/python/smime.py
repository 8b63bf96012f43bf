#!/usr/bin/env python3
"""Signs with one certificate, encrypts for another and sends; or decrypts a received message and says who signed it.

usage: smime.py send HOST:PORT SIGNER.pem RECIPIENT.pem
       smime.py read MESSAGE RECIPIENT.pem

SIGNER.pem, and RECIPIENT.pem for reading, hold the private key too.
"""

import pathlib
import sys

# A checkout needs this line; an installed package doesn't.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"))

from ssmtp import Certificate, CertStoreType, Ssmtp, SsmtpError


def with_key(path: str) -> Certificate:
    return Certificate(CertStoreType.PEM_KEY_FILE, path, "", "*")


def send(server: str, signer: str, recipient: str) -> None:
    host, port = server.rsplit(":", 1)
    with Ssmtp() as smtp:
        smtp.mail_server, smtp.mail_port = host, int(port)
        smtp.config("SecurityProfile=Modern")  # AES in place of 3DES, and more
        smtp.from_, smtp.send_to = "rsa@b.example", "second@b.example"
        smtp.subject = "Signed and encrypted"
        smtp.message_text = "Between us: ü.\r\n"
        smtp.certificate = with_key(signer)
        smtp.add_recipient_cert(pathlib.Path(recipient).read_bytes())
        smtp.sign_and_encrypt()
        smtp.send()


def read(message: str, recipient: str) -> None:
    with Ssmtp() as smtp:
        smtp.certificate = with_key(recipient)
        content = smtp.verify_signature(smtp.decrypt(pathlib.Path(message).read_bytes()))
        print("Signed by", smtp.signer_cert.subject)
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def main() -> int:
    name, *arguments = sys.argv[1:] or [""]
    if (name, len(arguments)) not in (("send", 3), ("read", 2)):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if name == "send":
            send(*arguments)
        else:
            read(*arguments)
    except SsmtpError as error:
        print(f"smime.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
