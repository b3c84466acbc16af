#!/usr/bin/env python3
"""Each public header compiles alone, in every standard, without a warning.
Prints one line of counts."""
import shutil
import subprocess
import sys

import capi

C = ("c99", "c11", "c17")
CXX = ("c++11", "c++14", "c++17", "c++20")
WRAPPER = ("c++20",)  # meshwork.hpp


def compiles(compiler, language, standard, header):
    command = [compiler, f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
               f"-I{capi.ROOT / 'include'}", "-x", language, "-"]
    source = f"#include <meshwork/{header.name}>\nint main(void) {{ return 0; }}\n"
    run = subprocess.run(command, input=source, text=True, capture_output=True)
    if run.returncode != 0:
        print(f"{header.name} with {compiler} -std={standard}:\n{run.stderr}")
    return run.returncode == 0


def main():
    passed = failed = skipped = 0
    wrappers = sorted((capi.ROOT / "include/meshwork").glob("*.hpp"))
    for c, cxx in (("gcc", "g++"), ("clang", "clang++")):
        if not shutil.which(c):
            print(f"SKIPPED: no {c} here")
            skipped += 1
            continue
        cases = [(c, "c", s, h) for s in C for h in capi.HEADERS]
        cases += [(cxx, "c++", s, h) for s in CXX for h in capi.HEADERS]
        cases += [(cxx, "c++", s, h) for s in WRAPPER for h in wrappers]
        for case in cases:
            if compiles(*case):
                passed += 1
            else:
                failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
