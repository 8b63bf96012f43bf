"""Signs and encrypts with every kind of key, hash, padding, cipher and form, sends each message through Postfix, and has what arrived
read by OpenSSL, gpgsm, NSS (cmsutil), Bouncy Castle and Python's cryptography. The result is docs/smime-interop.md.

usage: interop.py PORT MAILDIR PKI WORK TABLE [--write]
"""

import email
import email.policy
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

from ssmtp import Certificate, CertStoreType, Ssmtp

TEXT = "Hello,\r\nhere are the figures: \u00fc 1 \u20ac.\r\n.\r\nFrom me \r\n"
HASHES = ["md5", "sha1", "sha-224", "sha-256", "sha-384", "sha-512"]
CIPHERS = [
    "3DES", "DES", "RC2CBC40", "RC2CBC64", "RC2CBC128", "AESCBC128", "AESCBC192", "AESCBC256", "AESGCM128", "AESGCM192", "AESGCM256",
]
# What a key of an EC recipient is wrapped with carries no keys as short as these.
SHORT = {"DES", "RC2CBC40", "RC2CBC64"}
TOOLS = ["OpenSSL", "gpgsm", "NSS", "Bouncy Castle", "cryptography", "libssmtp"]


class Case(NamedTuple):
    """One message."""

    signer: str = ""
    hash: str = ""
    pss: bool = False
    form: str = ""
    recipient: str = ""
    cipher: str = ""
    oaep: str = ""
    ski: bool = False


def cases() -> List[Case]:
    found = []
    for form in ("multipart/signed", "signed-data"):
        for key in ("rsa", "rsa3072"):
            found += [Case(key, name, False, form) for name in HASHES]
        found += [Case("rsa", name, True, form) for name in HASHES if name != "md5"]
        for key in ("p256", "p384", "p521"):
            found += [Case(key, name, False, form) for name in HASHES if name != "md5"]
        found += [Case("ed25519", "sha-512", False, form)]
    for cipher in CIPHERS:
        found += [Case(recipient="rsa", cipher=cipher)]
        found += [Case(recipient="rsa", cipher=cipher, oaep=name) for name in ("SHA1", "SHA256")]
        if cipher not in SHORT:
            found += [Case(recipient=key, cipher=cipher) for key in ("p256", "p384", "p521", "x25519")]
    found += [Case(recipient=key, cipher="AESCBC256", ski=True) for key in ("rsa", "p256")]
    for cipher in ("3DES", "AESCBC256", "AESGCM256"):
        for form in ("multipart/signed", "signed-data"):
            found += [Case("rsa", "sha-256", False, form, "second", cipher), Case("p256", "sha-384", False, form, "p256", cipher)]
    return found


EC = ("p256", "p384", "p521")


def lacks(tool: str, case: Case) -> str:
    """What a tool has not, so that it cannot read the message, whoever made it; empty when it must read it."""
    edwards = case.signer == "ed25519" or case.recipient == "x25519"
    gcm = case.cipher.startswith("AESGCM")
    if tool == "OpenSSL":
        return "OpenSSL 3.0: Ed25519 and X25519 in CMS" if edwards else ""
    if tool == "gpgsm":
        if edwards:
            return "gpgsm 2.2: Ed25519 and X25519"
        if case.cipher.startswith(("RC2", "DES")):
            return "gpgsm 2.2: DES and RC2"
        if gcm:
            return "gpgsm 2.2: GCM parameters with a tag of 16 octets"
        if case.recipient in EC:
            return "gpgsm 2.2: import of private EC keys"
        if case.oaep:
            return "gpgsm 2.2: OAEP"
        if case.ski:
            return "gpgsm 2.2: recipients by key identifier"
        if case.pss and case.hash in ("sha1", "sha-224"):
            return "gpgsm 2.2: PSS with SHA-1 and SHA-224"
        if case.signer == "p521":
            return "gpgsm 2.2: signatures on P-521"
        short = {"p256": ("sha1", "sha-224"), "p384": ("sha1", "sha-224", "sha-256")}
        if case.hash in short.get(case.signer, ()):
            return "gpgsm 2.2: ECDSA with a hash shorter than the key"
    if tool == "NSS":
        if edwards:
            return "NSS 3.87: Ed25519 and X25519 in CMS"
        if case.hash == "md5":
            return "NSS 3.87: MD5, which it refuses"
        if case.pss:
            return "NSS 3.87: PSS in CMS"
        if gcm:
            return "NSS 3.87: AuthEnvelopedData"
        if case.recipient in EC:
            return "NSS 3.87: recipients with EC keys"
        if case.oaep:
            return "NSS 3.87: OAEP in CMS"
    if tool == "Bouncy Castle":
        if gcm and case.recipient != "rsa" and case.recipient != "second":
            return "Bouncy Castle 1.72: AuthEnvelopedData for keys other than RSA"
        if case.recipient == "x25519" and (gcm or case.cipher == "RC2CBC128"):
            return "Bouncy Castle 1.72: X25519 with HKDF in CMS; the test puts it together, but not for these"
    if tool == "cryptography":
        if case.signer:
            return "cryptography: verifying of CMS"
        if case.recipient != "rsa" or case.oaep:
            return "cryptography: recipients other than RSA with PKCS #1 v1.5"
        if case.cipher not in ("AESCBC128", "AESCBC256"):
            return "cryptography: ciphers other than AES-CBC with 128 and 256 bits"
        if case.ski:
            return "cryptography: recipients by key identifier"
    return ""


class Tool:
    """Reads what arrived: `signed` gives the signed entity, `opened` the encrypted one."""

    def __init__(self, pki: Path, work: Path) -> None:
        self.pki, self.work = pki, work

    def scratch(self, octets: bytes = b"") -> str:
        descriptor, path = tempfile.mkstemp(dir=self.work)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
        return path


def run(arguments: List[str], env: Optional[Dict[str, str]] = None) -> bytes:
    done = subprocess.run(arguments, capture_output=True, env={**os.environ, **(env or {})}, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{arguments[0]}: {done.stderr.decode(errors='replace')[-300:]}")
    return done.stdout


class OpenSSL(Tool):
    def signed(self, entity: bytes) -> bytes:
        return run(["openssl", "cms", "-verify", "-CAfile", str(self.pki / "chain.pem"), "-in", self.scratch(entity)])

    def opened(self, entity: bytes, name: str) -> bytes:
        files = ["-recip", str(self.pki / f"{name}.pem"), "-inkey", str(self.pki / f"{name}.key")]
        providers = ["-provider", "default", "-provider", "legacy"]
        return run(["openssl", "cms", "-decrypt", "-in", self.scratch(entity), *files, *providers])


class Gpgsm(Tool):
    def __init__(self, pki: Path, work: Path) -> None:
        super().__init__(pki, work)
        self.home = work / "gnupg"
        self.home.mkdir(mode=0o700)
        (self.home / "gpgsm.conf").write_text("disable-crl-checks\n")
        (self.home / "gpg-agent.conf").write_text("allow-loopback-pinentry\n")
        root = run(["openssl", "x509", "-in", str(pki / "root.pem"), "-noout", "-fingerprint", "-sha1"]).decode()
        (self.home / "trustlist.txt").write_text(root.split("=")[1].strip() + " S relax\n")
        for name in ("root", "middle", "rsa", "rsa3072", "second", "p256", "p384", "p521"):
            self.gpgsm("--import", str(pki / f"{name}.pem"))
        for name in ("rsa", "second"):
            p12 = str(work / f"{name}.p12")
            run(["openssl", "pkcs12", "-export", "-legacy", "-in", str(pki / f"{name}.pem"), "-inkey", str(pki / f"{name}.key"),
                 "-out", p12, "-passout", "pass:x"])
            self.gpgsm("--import", p12)

    def gpgsm(self, *arguments: str) -> bytes:
        common = ["gpgsm", "--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase-fd", "0"]
        done = subprocess.run([*common, *arguments], input=b"x\n", capture_output=True, timeout=60,
                              env={**os.environ, "GNUPGHOME": str(self.home)})
        if done.returncode:
            raise RuntimeError(f"gpgsm: {done.stderr.decode(errors='replace')[-300:]}")
        return done.stdout

    def signed(self, entity: bytes) -> bytes:
        content, cms = taken(entity)
        if content is not None:
            self.gpgsm("--verify", self.scratch(cms), self.scratch(content))
            return content
        out = self.scratch()
        self.gpgsm("--yes", "--output", out, "--verify", self.scratch(cms))
        return Path(out).read_bytes()

    def opened(self, entity: bytes, name: str) -> bytes:
        return self.gpgsm("--decrypt", self.scratch(taken(entity)[1]))

    def close(self) -> None:
        subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": str(self.home)}, capture_output=True)


class Nss(Tool):
    def __init__(self, pki: Path, work: Path) -> None:
        super().__init__(pki, work)
        self.db = str(work / "nss")
        os.mkdir(self.db)
        run(["certutil", "-N", "-d", self.db, "--empty-password"])
        run(["certutil", "-A", "-d", self.db, "-n", "root", "-t", "CT,CT,CT", "-i", str(pki / "root.pem"), "-a"])
        run(["certutil", "-A", "-d", self.db, "-n", "middle", "-t", ",,", "-i", str(pki / "middle.pem"), "-a"])
        for name in ("rsa", "rsa3072", "second", "p256", "p384", "p521"):
            p12 = str(work / f"nss-{name}.p12")
            run(["openssl", "pkcs12", "-export", "-in", str(pki / f"{name}.pem"), "-inkey", str(pki / f"{name}.key"), "-out", p12,
                 "-passout", "pass:x"])
            run(["pk12util", "-i", p12, "-d", self.db, "-W", "x"])

    def cmsutil(self, *arguments: str) -> bytes:
        out = self.scratch()
        run(["cmsutil", "-D", "-d", self.db, "-o", out, *arguments])
        return Path(out).read_bytes()

    def signed(self, entity: bytes) -> bytes:
        content, cms = taken(entity)
        if content is not None:
            self.cmsutil("-i", self.scratch(cms), "-c", self.scratch(content))
            return content
        return self.cmsutil("-i", self.scratch(cms))

    def opened(self, entity: bytes, name: str) -> bytes:
        return self.cmsutil("-i", self.scratch(taken(entity)[1]))


class Cryptography(Tool):
    def opened(self, entity: bytes, name: str) -> bytes:
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs7

        certificate = x509.load_pem_x509_certificate((self.pki / f"{name}.pem").read_bytes())
        key = load_pem_private_key((self.pki / f"{name}.key").read_bytes(), None)
        return pkcs7.pkcs7_decrypt_der(taken(entity)[1], certificate, key, [])

    def signed(self, entity: bytes) -> bytes:
        raise RuntimeError("cryptography verifies no CMS")


class Bouncy(Tool):
    """Its answers come in one go, for a virtual machine takes its time to start; see `ask`."""

    def ask(self, jobs: List[str]) -> List[str]:
        jars = ":".join(f"/usr/share/java/{jar}.jar" for jar in ("bcpkix", "bcprov", "bcutil"))
        program = str(Path(__file__).parent.parent / "cms" / "Bouncy.java")
        out = run(["java", "-XX:TieredStopAtLevel=1", "-cp", jars, program, self.scratch("\n".join(jobs).encode())])
        return out.decode().splitlines()


def taken(entity: bytes) -> Tuple[Optional[bytes], bytes]:
    """What was signed, where it stands beside the signature, and the CMS."""
    message = email.message_from_bytes(entity, policy=email.policy.SMTP)
    if message.get_content_type() != "multipart/signed":
        return None, message.get_payload(decode=True)
    boundary = b"--" + message.get_boundary().encode()
    first = entity.index(boundary) + len(boundary) + 2
    content = entity[first : entity.index(b"\r\n" + boundary, first)]
    return content, message.get_payload(1).get_payload(decode=True)


def text_of(entity: bytes) -> str:
    message = email.message_from_bytes(entity, policy=email.policy.SMTP)
    return message.get_payload(decode=True).decode(message.get_content_charset("us-ascii"))


def send(case: Case, number: int, smtp: Ssmtp, pki: Path) -> None:
    smtp.reset_headers()
    smtp.message_recipients.clear()
    smtp.from_ = f"{case.signer or 'rsa'}@b.example"
    smtp.send_to = f"{case.recipient or 'second'}@b.example"
    smtp.subject = f"case {number}"
    smtp.message_text = TEXT
    smtp.config(f"DetachedSignature={case.form != 'signed-data'}")
    smtp.config(f"UsePSS={case.pss}")
    smtp.config(f"UseOAEP={bool(case.oaep)}")
    smtp.config(f"UseSubjectKeyId={case.ski}")
    smtp.include_chain = True
    if case.oaep:
        smtp.config(f"OAEPHash={case.oaep}")
    if case.signer:
        smtp.certificate = Certificate(CertStoreType.PEM_KEY_FILE, pki / f"{case.signer}.all", "", "*")
        smtp.signing_algorithm = case.hash
    if case.recipient:
        smtp.encrypting_algorithm = case.cipher
        smtp.add_recipient_cert((pki / f"{case.recipient}.pem").read_bytes())
    method = smtp.sign_and_encrypt if case.signer and case.recipient else smtp.sign if case.signer else smtp.encrypt
    method()
    smtp.send()


def arrived(folder: Path, count: int) -> Dict[int, bytes]:
    """The messages by their number, without what Postfix put before them. Files have the system's line ends."""
    deadline = time.monotonic() + 60
    while len(list(folder.glob("new/*"))) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {len(list(folder.glob('new/*')))} of {count} messages arrived")
        time.sleep(0.05)
    found = {}
    for path in folder.glob("new/*"):
        octets = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        message = email.message_from_bytes(octets, policy=email.policy.SMTP)
        found[int(message["Subject"].split()[1])] = octets
    return found


def check(tool: Tool, case: Case, message: bytes) -> str:
    try:
        entity = tool.opened(message, case.recipient) if case.recipient else message
        entity = tool.signed(entity) if case.signer else entity
        return "" if text_of(entity) == TEXT else "another content"
    except Exception as error:  # pylint: disable=broad-except
        return f"{error}".replace("\n", " ")[:300] or repr(error)


def spoiled(case: Case, message: bytes) -> bytes:
    """One octet of the content, or of what it is encrypted as, is another one."""
    at = message.index(b"the figures") if b"the figures" in message else len(message) - 60
    return message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]


def describe(case: Case) -> str:
    return " ".join(str(part) for part in case if part and part is not True) + (" PSS" if case.pss else "") + (" ski" if case.ski else "")


def bouncy_jobs(case: Case, message: bytes, pki: Path, tool: Bouncy, content: bytes) -> str:
    """The job that has Bouncy Castle read it; of a message that was signed and encrypted it reads the outer layer."""
    cms = tool.scratch(taken(message)[1])
    if not case.recipient:
        return f"verify {cms} {tool.scratch(content)}"
    key = tool.scratch(run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", str(pki / f"{case.recipient}.key"), "-outform", "DER"]))
    kind = "X25519" if case.recipient == "x25519" else "EC" if case.recipient in EC else "RSA"
    return f"decrypt {cms} {tool.scratch(content)} {key} {kind}"


KEYS = {
    "rsa": "RSA 2048", "second": "RSA 2048", "rsa3072": "RSA 3072", "p256": "EC P-256", "p384": "EC P-384", "p521": "EC P-521",
    "ed25519": "Ed25519", "x25519": "X25519",
}
NAMES = {"md5": "MD5", "sha1": "SHA-1"}


def row_of(case: Case) -> Tuple[str, str, str]:
    """Section, and the two cells that name the row."""
    signer = KEYS.get(case.signer, "")
    if case.signer in ("rsa", "rsa3072", "second"):
        signer += ", PSS" if case.pss else ", PKCS #1 v1.5"
    recipient = KEYS.get(case.recipient, "")
    if case.recipient in ("rsa", "second"):
        recipient += f", OAEP with {case.oaep.replace('SHA', 'SHA-')}" if case.oaep else ", PKCS #1 v1.5"
    if case.ski:
        recipient += ", by key identifier"
    digest = NAMES.get(case.hash, case.hash.upper())
    if not case.recipient:
        return "Signatures", signer, digest
    if not case.signer:
        return "Encryption", recipient, case.cipher
    return "Signatures within encryption", f"{signer}, {digest}; for {recipient}", case.cipher


def table(all_cases: List[Case], results: Dict[Tuple[str, Case], str]) -> str:
    out = """<!-- Generated by tests/smime/run.sh --write. -->
# S/MIME with other programs

Each message below was signed or encrypted by libssmtp, sent through Postfix, and what arrived was read by these programs: OpenSSL 3.0
(`openssl cms`), GnuPG 2.2 (`gpgsm`), NSS 3.87 (`cmsutil`), Bouncy Castle 1.72, Python's cryptography and libssmtp itself. "yes" means that the
signature is valid, or the message opens, and the text is the one that was sent; a signature was read as multipart/signed and as
signed-data. A number names what the program has not, whoever made the message. `make test` sends and reads all of it again, and fails
where this table is not what it finds.
"""
    notes: List[str] = []
    section = ""
    rows: Dict[Tuple[str, str, str], List[Case]] = {}
    for case in all_cases:
        rows.setdefault(row_of(case), []).append(case)
    for wanted in ("Signatures", "Encryption", "Signatures within encryption"):
        for (section, one, two), group in rows.items():
            if section != wanted:
                continue
            if f"## {section}" not in out:
                heads = {"Signatures": ["Key", "Hash"], "Encryption": ["Recipient", "Cipher"]}.get(section, ["Signer and recipient", "Cipher"])
                out += f"\n## {section}\n\n| " + " | ".join(heads + TOOLS) + " |\n" + "| --- " * (2 + len(TOOLS)) + "|\n"
            cells = []
            for tool in TOOLS:
                lacking = lacks(tool, group[0])
                if lacking:
                    if lacking not in notes:
                        notes.append(lacking)
                    cells.append(str(notes.index(lacking) + 1))
                else:
                    cells.append("yes" if all(results.get((tool, case)) == "" for case in group) else "FAILED")
            out += f"| {one} | {two} | " + " | ".join(cells) + " |\n"
    out += "\n## What a program has not\n\n"
    for number, note in enumerate(notes):
        out += f"{number + 1}. {note}\n"
    return out


def main() -> int:
    port, folder, pki, work = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    all_cases = cases()
    smtp = Ssmtp()
    smtp.mail_server, smtp.mail_port = "127.0.0.1", port
    smtp.connect()
    for number, case in enumerate(all_cases):
        send(case, number, smtp, pki)
    smtp.disconnect()
    messages = arrived(folder, len(all_cases))
    gpgsm, openssl, bouncy = Gpgsm(pki, work), OpenSSL(pki, work), Bouncy(pki, work)
    tools: Dict[str, Tool] = {"OpenSSL": openssl, "gpgsm": gpgsm, "NSS": Nss(pki, work), "cryptography": Cryptography(pki, work)}
    failures: List[str] = []
    results: Dict[Tuple[str, Case], str] = {}

    def one(job: Tuple[str, int, Case]) -> Tuple[str, Case, str]:
        name, number, case = job
        return name, case, check(tools[name], case, messages[number])

    def by_bouncy() -> List[Tuple[str, Case, str]]:
        mine = [(number, case) for number, case in enumerate(all_cases) if not lacks("Bouncy Castle", case)]
        jobs = [bouncy_jobs(case, messages[number], pki, bouncy, contents[number]) for number, case in mine]
        return [("Bouncy Castle", case, "" if answer == "ok" else answer) for (_, case), answer in zip(mine, bouncy.ask(jobs))]

    jobs = [(name, number, case) for name in tools for number, case in enumerate(all_cases) if not lacks(name, case)]
    ours = Ssmtp()
    results.update({("libssmtp", case): "" for case in all_cases})
    contents = [content_of(ours, case, messages[number], pki) for number, case in enumerate(all_cases)]
    try:
        with ThreadPoolExecutor(3) as pool:
            last = pool.submit(by_bouncy)
            for name, case, wrong in [*pool.map(one, jobs), *last.result()]:
                results[name, case] = wrong
                if wrong:
                    failures.append(f"{name}: {describe(case)}: {wrong}")
    finally:
        gpgsm.close()
    # A harness that cannot fail proves nothing, and neither does a signature that nobody checks.
    for number in (0, len([case for case in all_cases if not case.recipient]) // 2):
        if not check(openssl, all_cases[number], spoiled(all_cases[number], messages[number])):
            failures.append(f"OpenSSL: a changed message passes: {describe(all_cases[number])}")
    for failure in failures:
        print(f"FAILED  {failure}")
    print(f"S/MIME: {len(all_cases)} messages through Postfix, {len(results)} readings, {len(failures)} failed")
    path, text = Path(sys.argv[5]), table(all_cases, results)
    if "--write" in sys.argv:
        path.write_text(text)
    elif not failures and path.read_text() != text:
        print(f"FAILED  {path} is not what was found: write it with tests/smime/run.sh --write")
        return 1
    return 1 if failures else 0


def content_of(ours: Ssmtp, case: Case, message: bytes, pki: Path) -> bytes:
    """The entity within the outer layer, as we read it ourselves; that its text is right is checked here too."""
    if case.recipient:
        ours.certificate = Certificate(CertStoreType.PEM_KEY_FILE, pki / f"{case.recipient}.all", "", "*")
        content = ours.decrypt(message)
    else:
        content = ours.verify_signature(message)
    inner = ours.verify_signature(content) if case.signer and case.recipient else content
    if text_of(inner) != TEXT:
        raise SystemExit(f"we read another text ourselves: {describe(case)}")
    return content


if __name__ == "__main__":
    sys.exit(main())
