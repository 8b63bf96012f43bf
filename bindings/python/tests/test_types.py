"""The package and the examples hold to their types: mypy and pyright, as strict as pyproject.toml says."""

import subprocess
import sys
import unittest

from support import ROOT

VENV = ROOT / "target" / "python-venv" / "bin" / "python"
PACKAGE = ROOT / "bindings" / "python"
PYTHON = str(VENV) if VENV.exists() else sys.executable


class TypesTest(unittest.TestCase):
    def check(self, module, *options):
        if subprocess.run([PYTHON, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest(f"there is no {module} here (scripts/setup.sh test installs one)")
        command = [PYTHON, "-m", module, *options]
        done = subprocess.run(command, cwd=PACKAGE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_mypy_finds_nothing(self):
        self.check("mypy", "--cache-dir", str(ROOT / "target" / "mypy-cache"))

    def test_pyright_finds_nothing(self):
        said = self.check("pyright", "--pythonpath", PYTHON, "--warnings", "--stats")
        self.assertGreater(int(said.split(" source files", 1)[0].split()[-1]), 30, "it looks at the package and the examples")


if __name__ == "__main__":
    unittest.main()
