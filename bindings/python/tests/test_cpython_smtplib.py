"""CPython's own tests of smtplib, run against ssmtp.smtplib: the file that comes with this interpreter, whatever its
version. What is left out is listed with its reason, and a name of that list that is no test any more is an error.
"""

import importlib
import socket
import threading
import unittest
import warnings

import support  # finds the package

from ssmtp import smtplib

LEFT_OUT = {
    "LMTPGeneralTests": "LMTP is the standard library's own",
}
#: Single tests, by case.
LEFT_OUT_TESTS = {
    ("SMTPGeneralTests", "testSourceAddress"): "its port is a fixed one; DebuggingServerTests has the same with a free one",
}
#: Cases that put a mock in the place of the socket module, which the library doesn't use: they get a server.
MOCKING = {"SMTPGeneralTests", "BadHELOServerTests"}
#: Those that every version has.
RUN = {
    "BadHELOServerTests",
    "DebuggingServerTests",
    "DefaultArgumentsTests",
    "NonConnectingTests",
    "SMTPAUTHInitialResponseSimTests",
    "SMTPGeneralTests",
    "SMTPSimTests",
    "SMTPUTF8SimTests",
    "TooLongLineTests",
}

class Greeting:
    """In the place of their mock: the socket module, and a server that greets with the line of `reply_with`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.line = b""
        threading.Thread(target=self.serve, daemon=True).start()

    def __getattr__(self, name):
        return getattr(socket, name)

    def reply_with(self, line):
        self.line = line

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            with client:
                client.sendall(self.line + b"\r\n")
                for line in client.makefile("rb"):
                    client.sendall(b"250 ok\r\n")
                    if line.startswith(b"QUIT"):
                        break


class WithServer:
    def setUp(self):
        self.addCleanup(setattr, theirs, "mock_socket", theirs.mock_socket)
        theirs.mock_socket = Greeting()
        self.addCleanup(theirs.mock_socket.listener.close)
        super().setUp()
        self.port = theirs.mock_socket.port


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of smtpd, asyncore and asynchat
    try:
        theirs = importlib.import_module("test.test_smtplib")
    except ImportError:
        theirs = None

if theirs is not None:
    theirs.smtplib = smtplib
    for name, case in list(vars(theirs).items()):
        is_case = isinstance(case, type) and issubclass(case, unittest.TestCase)
        if is_case and case.__module__ == theirs.__name__ and name not in LEFT_OUT:
            bases = (WithServer, case) if name in MOCKING else (case,)
            members = {"__module__": __name__}
            for (of, test), why in LEFT_OUT_TESTS.items():
                if of == name:
                    members[test] = unittest.skip(why)(getattr(case, test))
            if name == "SMTPGeneralTests":
                members["client"] = smtplib.SMTP
            globals()[name] = type(name, bases, members)
    del name, case


class ListTest(unittest.TestCase):
    @unittest.skipIf(theirs is None, "this Python comes without its tests (libpython3-testsuite)")
    def test_the_cases_that_apply_run(self):
        self.assertLessEqual(RUN, set(globals()))
        self.assertEqual([name for name in LEFT_OUT if not hasattr(theirs, name)], [])


if __name__ == "__main__":
    unittest.main()
