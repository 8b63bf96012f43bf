"""What the tests share: where the package and the library are, and the embedded server as a process."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCES = ROOT / "bindings" / "python" / "src"
if str(SOURCES) not in sys.path:
    sys.path.insert(0, str(SOURCES))


def built(name):
    """The newest build of a file in target/: a forgotten release build isn't taken for the present one."""
    found = [ROOT / "target" / kind / name for kind in ("debug", "release")]
    found = [path for path in found if path.is_file()]
    if not found:
        raise FileNotFoundError(f"{name} is not in target/: run `cargo build --workspace` first")
    return max(found, key=lambda path: path.stat().st_mtime)


if "SSMTP_LIBRARY" not in os.environ:
    suffix = {"darwin": "libssmtp.dylib", "win32": "ssmtp.dll"}.get(sys.platform, "libssmtp.so")
    os.environ["SSMTP_LIBRARY"] = str(built(suffix))


# A job in the background ignores Ctrl-C, and so would the programs that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Server:
    """`xtask serve`: saves what it gets, and does the faults it is told to do."""

    def __init__(self, *faults, extensions="8BITMIME,SIZE 10240000,PIPELINING", more=()):
        self.folder = tempfile.TemporaryDirectory()
        command = [str(built("xtask")), "serve", "--port", "0", "--eml", self.folder.name]
        command += ["--extensions", extensions] if extensions else []
        for fault in faults:
            command += ["--fault", fault]
        self.process = subprocess.Popen(
            command + list(more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line.startswith("listening "):
            self.close()
            raise RuntimeError(f"the server says {line!r}")
        self.host, port = line.split()[1].rsplit(":", 1)
        self.port = int(port)

    def eml(self, number=1):
        """The bytes of a message as they were transmitted."""
        return (pathlib.Path(self.folder.name) / f"{number}.eml").read_bytes()

    def envelope(self, number=1):
        """Its MAIL and RCPT lines."""
        text = (pathlib.Path(self.folder.name) / f"{number}.envelope").read_text("utf-8")
        return text.splitlines()

    def count(self):
        return len(list(pathlib.Path(self.folder.name).glob("*.eml")))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def client(server=None):
    """An Ssmtp with a small message, on its way to a server."""
    from ssmtp import Ssmtp

    smtp = Ssmtp()
    smtp.timeout = 20
    if server is not None:
        smtp.mail_server, smtp.mail_port = server.host, server.port
    smtp.from_, smtp.send_to = "sender@client.example", "first@server.example"
    smtp.subject, smtp.message_text = "Small", "One line\r\n"
    return smtp
