"""What a message must be that arrived, the same for every language: each check returns what is wrong, or nothing."""

import email
import email.policy
import importlib.util
import pathlib
import quopri
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ENVELOPE = ["MAIL FROM:<sender@client.example>"] + [f"RCPT TO:<{name}@postfix.test>" for name in ("alice", "bob", "carol")]


def envelope_is(found, *expected):
    found = [line.split(" SIZE=")[0].split(" BODY=")[0] for line in found]
    return "" if found == list(expected) else f"the envelope is {found}"


def expected_message():
    return (ROOT / "tests/postfix/expected.eml").read_bytes().replace(b"\n", b"\r\n")


def scenario(raw, envelope, _pki, recipients=ENVELOPE):
    """Byte for byte what Postfix gets too (tests/postfix)."""
    same = raw == expected_message()
    return envelope_is(envelope, *recipients) or ("" if same else f"another message:\n{raw.decode()}")


def seven_bits(raw, envelope, _pki):
    """The same message for a server without 8BITMIME: the body is quoted-printable, and everything else as it was."""
    head, _, body = raw.partition(b"\r\n\r\n")
    head = head.replace(b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: 8bit")
    if not body.isascii():
        return "the body is not ASCII"
    return scenario(head + b"\r\n\r\n" + quopri.decodestring(body), envelope, _pki)


def without_bob(raw, envelope, pki):
    return scenario(raw, envelope, pki, [line for line in ENVELOPE if "bob" not in line])


def hello(raw, envelope, _pki):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    found = message.defects, str(message["From"]), str(message["To"]), message.get_content()
    if found != ([], "alice@client.example", "bob@server.example", "Hello\r\n"):
        return f"another message: {found}"
    return envelope_is(envelope, "MAIL FROM:<alice@client.example>", "RCPT TO:<bob@server.example>")


def attachments(raw, _envelope, _pki):
    spec = importlib.util.spec_from_file_location("attachments_check", ROOT / "tests/attachments/check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return "\n".join(module.findings(raw))


def secret(raw, envelope, pki):
    """OpenSSL opens it with the recipient's key, finds the signer's signature good, and the text inside."""
    if b"Between us" in raw:
        return "it can be read by anybody"
    opened = openssl(raw, "-decrypt", "-recip", pki / "second.pem", "-inkey", pki / "second.key")
    content = openssl(opened, "-verify", "-CAfile", pki / "chain.pem") if isinstance(opened, bytes) else opened
    if not isinstance(content, bytes):
        return content
    if b"Between us: =C3=BC.\r\n" not in content:
        return f"OpenSSL reads {content!r}"
    return envelope_is(envelope, "MAIL FROM:<rsa@b.example>", "RCPT TO:<second@b.example>")


def openssl(message, *arguments):
    done = subprocess.run(["openssl", "cms", *map(str, arguments)], input=message, capture_output=True)
    return done.stdout if done.returncode == 0 else f"openssl {arguments[0]}: {done.stderr.decode()}"


CHECKS = {
    "scenario": scenario,
    "seven bits": seven_bits,
    "without bob": without_bob,
    "hello": hello,
    "attachments": attachments,
    "secret": secret,
}
