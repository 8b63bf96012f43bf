"""What test_generated.py does with each row of the description: default, round trip, wrong type, closed handle."""

import base64
import enum
import unittest
from typing import Any, NamedTuple, Optional, Tuple

import support  # noqa: F401  (finds the package)

import ssmtp
from ssmtp import Certificate, Ssmtp, SsmtpError

UNKNOWN = ...
NONE = object()
ZEROS = {"bool": False, "int": 0, "str": "", "bytes": b""}
#: Text that no value of the type looks like.
NO_VALUE = {"bool": "perhaps", "int": "many", "bytes": "%%%"}
VALUE_REFUSED, ACCESS, INDEX, PLANNED, CLOSED = 603, 604, 605, 606, 608


class Property(NamedTuple):
    spec: str
    type: str
    #: Its attribute; None for a flattened row, which Python reaches by name.
    attribute: Optional[str] = None
    #: `object`, `array`, `results` (an array that a Send fills), or a plain value.
    shape: str = "value"
    access: str = "rw"
    default: Any = None
    sample: Any = NONE
    planned: bool = False


class Setting(NamedTuple):
    spec: str
    type: str
    access: str = "rw"
    default: Any = None
    sample: Any = NONE
    #: Numbers out of its range.
    refused: Tuple[int, ...] = ()
    planned: bool = False


def default(row):
    return ZEROS.get(row.type, 0) if row.default is None else row.default


def as_text(value):
    """How a value reads by name."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, enum.Enum):
        value = value.value
    return str(value)


def as_value(row, text):
    """A Python value of the row's type; Message is text in the description and bytes in Python."""
    return text.encode() if row.spec == "Message" else text


class Checks(unittest.TestCase):
    def setUp(self):
        self.smtp = Ssmtp()
        self.addCleanup(self.smtp.close)

    def refuses(self, codes, function, *arguments):
        codes = codes if isinstance(codes, tuple) else (codes,)
        with self.assertRaises(SsmtpError) as caught:
            function(*arguments)
        self.assertIn(caught.exception.code, codes, str(caught.exception))
        self.assertTrue(caught.exception.message)
        return caught.exception

    def names_itself(self, row, function, *arguments):
        """Error 606 tells which row it is about."""
        error = self.refuses(PLANNED, function, *arguments)
        self.assertIn(row.spec.lower(), error.message.lower())


# Properties


def name_of(test, row):
    """The name for `get` and `set`; the lists get an entry first."""
    if row.shape == "results":
        return row.spec + "[0]"
    if row.shape != "array":
        return row.spec
    test.smtp.from_ = "sender@client.example"
    test.smtp.message_recipients.add("first@server.example")
    return row.spec + "[0]"


def by_name_reads_the_default(test, row):
    if row.access == "wo" or row.type == "certificate" or row.shape == "object":
        test.refuses(ACCESS, test.smtp.get, row.spec)
        return
    if row.shape == "results":
        test.refuses(INDEX, test.smtp.get, name_of(test, row))
        return
    text = test.smtp.get(name_of(test, row))
    test.assertEqual(test.smtp.get(name_of(test, row).upper()), text)
    if row.shape == "array" and row.access == "ro":
        test.assertNotEqual(text, "")
    elif row.spec == "MessageRecipientAddress":
        test.assertEqual(text, "first@server.example")
    elif default(row) is not UNKNOWN:
        test.assertEqual(text, as_text(default(row)))


def by_name_gives_back_what_was_set(test, row):
    name = name_of(test, row)
    if row.access == "ro" or row.type == "certificate" or row.shape == "object":
        test.refuses(ACCESS, test.smtp.set, name, "anything")
        return
    if row.sample is NONE:
        return
    if row.planned:
        if default(row) is not UNKNOWN:
            test.smtp.set(name, as_text(default(row)))
        before = test.smtp.get(name)
        test.names_itself(row, test.smtp.set, name, as_text(row.sample))
        test.assertEqual(test.smtp.get(name), before)
        return
    test.smtp.set(name, as_text(row.sample))
    test.assertEqual(test.smtp.get(name), as_text(row.sample))


def by_name_refuses_a_wrong_text(test, row):
    if row.access == "ro" or row.type in ("str", "certificate") or row.shape == "object":
        return
    name = name_of(test, row)
    before = test.smtp.get(name)
    codes = (VALUE_REFUSED, PLANNED) if row.planned else VALUE_REFUSED
    test.refuses(codes, test.smtp.set, name, NO_VALUE.get(row.type, "noSuchMember"))
    test.assertEqual(test.smtp.get(name), before)


def by_name_checks_the_index(test, row):
    if row.shape in ("array", "results"):
        test.refuses(INDEX, test.smtp.get, row.spec + "[999]")
        test.refuses(INDEX, test.smtp.get, row.spec + "[-1]")


def attribute_reads_the_default(test, row):
    if row.attribute is None:
        return
    if row.access == "wo":
        with test.assertRaises(AttributeError):
            getattr(test.smtp, row.attribute)
        return
    value = getattr(test.smtp, row.attribute)
    if row.shape == "object":
        test.assertEqual(type(value).__name__, row.spec)
    elif row.type == "certificate":
        test.assertIsInstance(value, Certificate)
        test.assertEqual(value.subject, "")
    elif row.spec == "Message":
        test.assertEqual(value, b"")
    else:
        kind = {"bool": bool, "int": int, "str": str, "bytes": bytes}.get(row.type)
        test.assertIs(type(value), kind or getattr(ssmtp, row.type))
        if default(row) is not UNKNOWN:
            test.assertEqual(value, default(row))
    test.assertTrue(getattr(type(test.smtp), row.attribute).__doc__)


def attribute_gives_back_what_was_set(test, row):
    if row.attribute is None or row.shape == "object":
        return
    if row.access == "ro":
        with test.assertRaises(AttributeError):
            setattr(test.smtp, row.attribute, row.default)
        return
    if row.sample is NONE:
        return
    sample = as_value(row, row.sample)
    if row.planned:
        before = getattr(test.smtp, row.attribute)
        setattr(test.smtp, row.attribute, before)
        test.names_itself(row, setattr, test.smtp, row.attribute, sample)
        test.assertEqual(getattr(test.smtp, row.attribute), before)
        return
    setattr(test.smtp, row.attribute, sample)
    test.assertEqual(getattr(test.smtp, row.attribute), sample)
    test.assertEqual(test.smtp.get(row.spec), as_text(row.sample))


def attribute_refuses_a_wrong_type(test, row):
    if row.attribute is None or row.access == "ro":
        return
    wrong = [None, object(), [], 1.5]
    wrong += [5, True] if row.type in ("str", "bytes") or row.shape == "object" else ["text", b"octets"]
    wrong += ["text"] if row.type == "bytes" or row.spec == "Message" else []
    if row.type == "certificate":
        wrong.remove(None)
    if row.type == "str" and row.spec != "Message":
        wrong.append(b"octets")
    before = None if row.access == "wo" or row.shape == "object" else getattr(test.smtp, row.attribute)
    for value in wrong:
        with test.assertRaises(TypeError, msg=repr(value)):
            setattr(test.smtp, row.attribute, value)
    if row.type == "int":
        for value in (2**31, -(2**31) - 1, 2**64):
            test.refuses(VALUE_REFUSED, setattr, test.smtp, row.attribute, value)
    if row.type == "str" and row.spec != "Message" and row.shape == "value":
        for value in ("with\0NUL", "lone \ud800"):
            test.refuses(VALUE_REFUSED, setattr, test.smtp, row.attribute, value)
    if before is not None and row.type != "certificate":
        test.assertEqual(getattr(test.smtp, row.attribute), before)


def closed_handle_is_refused(test, row):
    name = name_of(test, row)
    test.smtp.close()
    test.refuses(CLOSED, test.smtp.get, name)
    test.refuses(CLOSED, test.smtp.set, name, "1")
    if row.attribute is None or row.shape == "object":
        return
    if row.access != "wo":
        test.refuses(CLOSED, getattr, test.smtp, row.attribute)
    if row.access != "ro" and row.sample is not NONE:
        test.refuses(CLOSED, setattr, test.smtp, row.attribute, as_value(row, row.sample))


# Settings


def setting_reads_the_default(test, row):
    text = test.smtp.config(row.spec)
    test.assertEqual(test.smtp.config(row.spec.lower()), text)
    if default(row) is UNKNOWN:
        test.assertNotEqual(text, "")
    else:
        test.assertEqual(text, as_text(default(row)))


def setting_gives_back_what_was_set(test, row):
    if row.access == "ro":
        test.refuses(ACCESS, test.smtp.config, row.spec + "=anything")
        return
    sample = f"{row.spec}={as_text(row.sample)}"
    if row.planned:
        before = test.smtp.config(row.spec)
        test.assertEqual(test.smtp.config(f"{row.spec}={before}"), "")
        # FirewallListener=True means nothing for a mail client, now or later.
        codes = (PLANNED, VALUE_REFUSED) if row.spec == "FirewallListener" else PLANNED
        error = test.refuses(codes, test.smtp.config, sample)
        test.assertIn(row.spec.lower(), error.message.lower())
        test.assertEqual(test.smtp.config(row.spec), before)
        return
    test.assertEqual(test.smtp.config(sample), "")
    test.assertEqual(test.smtp.config(row.spec), as_text(row.sample))


def setting_refuses_a_wrong_value(test, row):
    if row.access == "ro":
        return
    wrong = [str(number) for number in row.refused]
    if row.type != "str":
        wrong.append(NO_VALUE.get(row.type, "noSuchMember"))
    codes = (VALUE_REFUSED, PLANNED) if row.planned else VALUE_REFUSED
    before = test.smtp.config(row.spec)
    for value in wrong:
        test.refuses(codes, test.smtp.config, f"{row.spec}={value}")
    test.assertEqual(test.smtp.config(row.spec), before)


def setting_of_a_closed_handle_is_refused(test, row):
    test.smtp.close()
    test.refuses(CLOSED, test.smtp.config, row.spec)
    test.refuses(CLOSED, test.smtp.config, row.spec + "=1")


PROPERTY_CHECKS = (
    by_name_reads_the_default,
    by_name_gives_back_what_was_set,
    by_name_refuses_a_wrong_text,
    by_name_checks_the_index,
    attribute_reads_the_default,
    attribute_gives_back_what_was_set,
    attribute_refuses_a_wrong_type,
    closed_handle_is_refused,
)
SETTING_CHECKS = (
    setting_reads_the_default,
    setting_gives_back_what_was_set,
    setting_refuses_a_wrong_value,
    setting_of_a_closed_handle_is_refused,
)


def tests_of(name, rows, checks):
    """One test method a row and check: `test_MailPort_attribute_reads_the_default`."""
    methods = {}
    for row in rows:
        for check in checks:
            methods[f"test_{row.spec}_{check.__name__}"] = lambda self, c=check, r=row: c(self, r)
    methods["__module__"] = "test_generated"
    return type(name, (Checks,), methods)


def property_tests(rows):
    return tests_of("GeneratedPropertyTest", rows, PROPERTY_CHECKS)


def setting_tests(rows):
    return tests_of("GeneratedSettingTest", rows, SETTING_CHECKS)
