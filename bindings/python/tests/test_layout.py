"""The event structs, enums and function names hold to the C header, as a C compiler sees it."""

import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support import ROOT

import ssmtp
from ssmtp import _native_gen

HEADER = ROOT / "include" / "ssmtp.h"


def structs():
    return {
        name: value
        for name, value in vars(_native_gen).items()
        if isinstance(value, type) and issubclass(value, ctypes.Structure) and name.startswith("ssmtp_")
    }


def enums():
    """Python enum: the prefix of its members in C."""
    for name in ssmtp._enums_gen.__all__:
        prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()
        yield getattr(ssmtp, name), "SSMTP_ERROR" if name == "ErrorCode" else f"SSMTP_{prefix}"


class LayoutTest(unittest.TestCase):
    def test_c_and_python_agree_on_every_size_offset_and_number(self):
        compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            self.skipTest("no C compiler")
        lines, expected = [], []
        for name, struct in structs().items():
            lines.append(f'printf("%zu\\n", sizeof({name}));')
            expected.append(ctypes.sizeof(struct))
            for field, *_ in struct._fields_:
                lines.append(f'printf("%zu\\n", offsetof({name}, {field}));')
                expected.append(getattr(struct, field).offset)
        for enum, prefix in enums():
            for member in enum:
                lines.append(f'printf("%d\\n", (int) {prefix}_{member.name});')
                expected.append(member.value)
        source = '#include <stddef.h>\n#include <stdio.h>\n#include "ssmtp.h"\nint main(void) {\n'
        source += "\n".join(lines) + "\nreturn 0;\n}\n"
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "layout"
            program.with_suffix(".c").write_text(source)
            command = [compiler, "-std=c99", f"-I{HEADER.parent}", "-o", str(program), f"{program}.c"]
            subprocess.run(command, check=True)
            output = subprocess.run([str(program)], check=True, stdout=subprocess.PIPE, text=True).stdout
        self.assertEqual([int(line) for line in output.split()], expected)
        self.assertEqual(len(structs()), 10)

    def test_python_declares_exactly_the_functions_of_the_header(self):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", HEADER.read_text("utf-8"), flags=re.DOTALL)
        # Functions, and not the callback types, whose names stand in brackets of their own.
        declared = {name for name in re.findall(r"\b(ssmtp_\w+)\s*\(", text)}
        self.assertEqual(declared, set(_native_gen.FUNCTIONS))


if __name__ == "__main__":
    unittest.main()
