"""CPython's own tests of smtplib, run against ssmtp.smtplib: the file that comes with this interpreter, whatever its
version. What is left out is listed with its reason, and a name of that list that is no test any more is an error.
"""

import importlib
import unittest
import warnings

import support  # finds the package

from ssmtp import smtplib

MOCKED = "it puts a mock in the place of the socket module, which the library doesn't use"
LEFT_OUT = {
    "GeneralTests": MOCKED,
    "SMTPGeneralTests": MOCKED,
    "LMTPGeneralTests": "LMTP is the standard library's own",
    "BadHELOServerTests": MOCKED,
}
#: Those that every version has.
RUN = {
    "DebuggingServerTests",
    "DefaultArgumentsTests",
    "NonConnectingTests",
    "SMTPAUTHInitialResponseSimTests",
    "SMTPSimTests",
    "SMTPUTF8SimTests",
    "TooLongLineTests",
}

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
            globals()[name] = type(name, (case,), {"__module__": __name__})
    del name, case


class ListTest(unittest.TestCase):
    @unittest.skipIf(theirs is None, "this Python comes without its tests (libpython3-testsuite)")
    def test_the_cases_that_apply_run(self):
        self.assertLessEqual(RUN, set(globals()))


if __name__ == "__main__":
    unittest.main()
