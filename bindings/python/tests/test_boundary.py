"""The boundary file against the C headers of the installed prefix (MW_PREFIX)."""

import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from meshwork import _boundary

PACKAGE = pathlib.Path(_boundary.__file__).parent
PREFIX = os.environ.get("MW_PREFIX", "")
C_TYPES = {
    "mw_handle": ctypes.c_uint64, "uint64_t": ctypes.c_uint64, "int64_t": ctypes.c_int64, "uint32_t": ctypes.c_uint32,
    "int32_t": ctypes.c_int32, "mw_status": ctypes.c_int32, "int": ctypes.c_int, "size_t": ctypes.c_size_t,
}  # fmt: skip


@unittest.skipUnless(PREFIX, "MW_PREFIX names no installed prefix")
class Headers(unittest.TestCase):
    def functions(self):
        text = "".join(p.read_text() for p in pathlib.Path(PREFIX, "include/meshwork").glob("*.h"))
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        return re.findall(r"MW_API\s+([\w\s\*]+?)(mw_\w+)\(([^;]*?)\);", text)

    def test_every_function_is_declared_as_in_the_headers(self):
        found = self.functions()
        self.assertGreater(len(found), 50)
        unexposed = (pathlib.Path(__file__).parents[1] / "unexposed").read_text()
        for result, name, arguments in found:
            declared = getattr(_boundary, name[3:], None)
            if declared is None and f"\n{name}: " in unexposed:
                continue
            self.assertIsNotNone(declared, f"{name} is not declared")
            self.assertEqual(declared.__name__, name)
            wanted = [] if arguments.strip() == "void" else [a.strip() for a in arguments.split(",")]
            self.assertEqual(len(declared.argtypes), len(wanted), name)
            for c, python in zip(wanted, declared.argtypes):
                self.fits(name, c.rpartition(" ")[0] + "*" * c.rpartition(" ")[2].count("*"), python)
            self.fits(name, result.strip(), declared.restype)

    def fits(self, name, c, python):
        c = c.replace("const ", "").replace("enum ", "").strip()
        if c == "void":
            return self.assertIsNone(python, name)
        plain = C_TYPES.get(c)
        if plain is not None:
            return self.assertEqual((ctypes.sizeof(python), python(-1).value), (ctypes.sizeof(plain), plain(-1).value), name)
        self.assertEqual(ctypes.sizeof(python), ctypes.sizeof(ctypes.c_void_p), f"{name}: {c} must be a pointer")
        if c.endswith("*") and c[:-1].strip() in C_TYPES and isinstance(getattr(python, "_type_", None), type):
            self.assertEqual(ctypes.sizeof(python._type_), ctypes.sizeof(C_TYPES[c[:-1].strip()]), name)

    @unittest.skipUnless(shutil.which("cc"), "no C compiler")
    def test_the_structs_lie_as_in_c(self):
        lines = []
        for mirror, c in ((_boundary.ErrorDetail, "mw_error"), (_boundary.Record, "mw_event")):
            lines.append(f'printf("{c} %zu\\n", sizeof({c}));')
            lines += [f'printf("{c}.{n} %zu %zu\\n", offsetof({c}, {n}), sizeof((({c} *)0)->{n}));' for n, _ in mirror._fields_]
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "layout.c")
            source.write_text("#include <meshwork/meshwork.h>\n#include <stdio.h>\nint main(void) {" + "".join(lines) + "}")
            subprocess.run(["cc", "-I", PREFIX + "/include", source, "-o", folder + "/layout"], check=True)
            told = subprocess.run([folder + "/layout"], stdout=subprocess.PIPE, check=True, text=True).stdout
        mine = ""
        for mirror, c in ((_boundary.ErrorDetail, "mw_error"), (_boundary.Record, "mw_event")):
            mine += f"{c} {ctypes.sizeof(mirror)}\n"
            for name, _ in mirror._fields_:
                field = getattr(mirror, name)
                mine += f"{c}.{name} {field.offset} {field.size}\n"
        self.assertEqual(told, mine)
        self.assertEqual(_boundary.RECORD.size, ctypes.sizeof(_boundary.Record))


class Borders(unittest.TestCase):
    def test_only_the_boundary_names_c_symbols(self):
        for path in PACKAGE.glob("*.py"):
            if path.name not in ("_boundary.py", "_tables.py"):  # a table quotes the library's texts
                self.assertEqual(re.findall(r"\bmw_\w+", path.read_text()), [], path.name)

    def test_a_missing_library_is_said_with_what_to_do(self):
        env = {**os.environ, "MESHWORK_LIBRARY": "/nowhere/libmeshwork.so.1"}
        r = subprocess.run([sys.executable, "-c", "import meshwork"], env=env, stderr=subprocess.PIPE, text=True)
        self.assertEqual(r.returncode, 1)
        for word in ("ImportError", "/nowhere/libmeshwork.so.1", "MESHWORK_LIBRARY", "make install"):
            self.assertIn(word, r.stderr)


if __name__ == "__main__":
    unittest.main()
