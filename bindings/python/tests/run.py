#!/usr/bin/env python3
"""Runs the tests beside it; the last line is "N passed, N failed, N skipped"."""
import pathlib
import sys
import unittest
import warnings

warnings.simplefilter("always", ResourceWarning)
suite = unittest.defaultTestLoader.discover(str(pathlib.Path(__file__).parent))
result = unittest.TextTestRunner(verbosity=1).run(suite)
bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
sys.exit(bool(bad))
