"""One scenario of list.toml at a server on 127.0.0.1, told line by line: scenarios.py NAME PORT FOLDER

What the other programs of the tests and the examples show already is not here again.
"""

import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "tests"))

from scenario import scenario
from ssmtp import Ssmtp, SsmtpError


def client(port):
    smtp = Ssmtp()
    smtp.mail_server, smtp.mail_port = "127.0.0.1", port
    smtp.config("Hello=client.example")
    scenario(smtp)
    return smtp


def tell(done, work, *arguments):
    try:
        result = work(*arguments)
        print(done)
        return result
    except SsmtpError as error:
        print("error", error.code)


def login(port, _folder):
    for password in "open sesame", "something else":
        with client(port) as smtp:

            def show(event):
                if event.direction == 0 and event.message.startswith("AUTH"):
                    print(event.message)

            smtp.on_pi_trail = show
            smtp.user, smtp.password = "alice", password
            tell("sent", smtp.send)


def queue(port, folder):
    with client(port) as smtp:
        file = pathlib.Path(folder) / tell("queued in the folder", smtp.queue, folder)
        assert file.exists()
        text = tell("queued as text", smtp.queue, "*")
        tell("processed", smtp.process_queue, folder)
        print("the file stays" if file.exists() else "the file is gone")
        tell("sent", smtp.send_queued, text)
        half = len(text) // 2
        tell("sent", smtp.send_queued, text[:half] + chr(ord(text[half]) ^ 1) + text[half + 1 :])


def interrupt(port, _folder):
    with client(port) as smtp:
        timer = threading.Timer(0.3, smtp.interrupt)
        timer.start()
        tell("sent", smtp.send)
        timer.join()
        smtp.on_end_transfer = lambda event: smtp.interrupt()
        tell("sent", smtp.send)
        print("idle", int(smtp.idle))


def errors(port, _folder):
    with client(port) as smtp:
        smtp.on_error = lambda event: print(f"event {event.error_code}: {event.description}")
        smtp.config("StopOnCcErrors=False")
        tell("sent", smtp.send)  # one recipient is refused, and it goes to the others
        for result in smtp.recipient_results:
            verdict = "accepted" if result.accepted else "refused"
            print(f"{result.address}: {result.code} {result.enhanced_code} {verdict}")
        smtp.on_error = None
        smtp.cc, smtp.bcc, smtp.send_to = "", "", "bob@postfix.test"
        try:
            smtp.send()
        except SsmtpError as error:
            print(f"error {error.code}\n{error.message}")
        smtp.from_ = ""
        tell("sent", smtp.send)
        tell("set", setattr, smtp, "mail_port", 70000)
        tell("set", smtp.set, "NoSuchName", "1")
        tell("set", smtp.set, "MessageRecipientAddress[9]", "x@y.example")
        tell("set", setattr, smtp, "from_", "a\r\nb@c.example")
    with client(1) as smtp:
        tell("sent", smtp.send)  # nobody listens there


def events(port, _folder):
    with client(port) as smtp:
        smtp.on_connection_status = lambda e: print("status", e.status_code, e.connection_event)
        smtp.on_start_transfer = lambda e: print("start", e.direction)
        smtp.on_transfer = lambda e: print(
            f"transfer {e.direction} {e.bytes_transferred} {e.percent_done}%: {len(e.text.encode())}"
        )
        smtp.on_end_transfer = lambda e: print("end", e.direction)
        smtp.on_pi_trail = lambda e: print(e.direction, e.message)
        tell("sent", smtp.send)
        smtp.on_connection_status = smtp.on_transfer = smtp.on_end_transfer = smtp.on_pi_trail = None

        def stop(_event):
            raise RuntimeError("stopped by the handler")

        smtp.on_start_transfer = stop
        try:
            smtp.send()
            print("not stopped")
        except RuntimeError as error:
            print(error)


if __name__ == "__main__":
    scenarios = {f.__name__: f for f in (login, queue, interrupt, errors, events)}
    if len(sys.argv) != 4 or sys.argv[1] not in scenarios:
        sys.exit(__doc__)
    scenarios[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
