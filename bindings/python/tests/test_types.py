"""The package and the examples hold to their types: mypy, as strict as pyproject.toml says."""

import subprocess
import sys
import unittest

from support import ROOT

VENV = ROOT / "target" / "python-venv" / "bin" / "python"
PACKAGE = ROOT / "bindings" / "python"


def has_mypy(python):
    return subprocess.run([python, "-c", "import mypy"], stderr=subprocess.DEVNULL).returncode == 0


class TypesTest(unittest.TestCase):
    def test_mypy_finds_nothing(self):
        python = str(VENV) if VENV.exists() else sys.executable
        if not has_mypy(python):
            self.skipTest("there is no mypy here (scripts/setup.sh test installs one)")
        command = [python, "-m", "mypy", "--cache-dir", str(ROOT / "target" / "mypy-cache")]
        done = subprocess.run(command, cwd=PACKAGE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
