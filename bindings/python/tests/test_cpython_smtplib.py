"""CPython's own tests of smtplib, run against ssmtp.smtplib: the file that comes with this interpreter, whatever its
version. What is left out is listed with its reason, and a name of that list that is no test any more is an error.
"""

import importlib
import unittest
import warnings

import support  # finds the package

from ssmtp import smtplib

MOCKED = "it puts a mock in the place of the socket module, which the library doesn't use"
LMTP = "LMTP is the standard library's own"
LEFT_OUT = {
    "SMTPGeneralTests": MOCKED,
    "LMTPGeneralTests": LMTP,
    "BadHELOServerTests": MOCKED,
}

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of smtpd, asyncore and asynchat
    try:
        theirs = importlib.import_module("test.test_smtplib")
    except ImportError:
        theirs = None


def cases():
    for name, value in vars(theirs).items():
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == theirs.__name__:
            yield name, value


if theirs is None:

    class MissingTest(unittest.TestCase):
        @unittest.skip("this Python comes without its tests (libpython3-testsuite)")
        def test_cpython(self):
            pass

else:
    theirs.smtplib = smtplib
    # Some of their tests call private names of theirs.
    ran = 0

    for _name, _case in cases():
        if _name in LEFT_OUT:
            continue
        if not issubclass(_case, unittest.TestCase):
            continue
        globals()[_name] = type(_name, (_case,), {"__module__": __name__})
        ran += 1

    class ListTest(unittest.TestCase):
        def test_what_is_left_out_is_there_and_the_rest_runs(self):
            known = dict(cases())
            for name in LEFT_OUT:
                self.assertIn(name, known)
            self.assertGreaterEqual(ran, 6)

    del _name, _case


if __name__ == "__main__":
    unittest.main()
