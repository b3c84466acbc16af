#!/usr/bin/env python3
"""A room includes only rooms left of it, and foreign libraries only where they
belong; no public header includes a private one; no file in the repository
names a path of somebody's machine."""
import re
import subprocess
import sys

from capi import ROOT

ROOMS = ("base", "wire", "loop", "net", "local", "link", "mesh", "abi")
SEES = {room: set(ROOMS[: i + 1]) for i, room in enumerate(ROOMS)}
SEES["wire"] = {"base", "wire"}
# Foreign headers and where they may be included.
FOREIGN = (
    (r"boost/(?!container/)", lambda path: path.startswith("lib/net/")),
    (r"(cjson/)?cJSON\.h", lambda path: path.startswith("lib/base/json")),
    (r"openssl/", lambda path: not path.startswith(("lib/mesh/", "lib/abi/"))),
    (r"zlib\.h", lambda path: path.startswith("lib/wire/")),
    (r"ares", lambda path: path.startswith("lib/net/")),
    (r"re2/", lambda path: path == "lib/base/pattern.cpp"),
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(home|work|root|Users|mnt|media)/[\w.-]+")


def check_lib(path, text):
    room = path.split("/")[1]
    core = path.startswith("lib/mesh/core/")  # as pure as wire
    for quote, name in INCLUDE.findall(text):
        first = name.split("/")[0]
        if quote == '"':
            if first not in ROOMS:
                yield f'{path}: "{name}" is not written as "room/file"'
            elif first not in SEES[room] or core and not name.startswith(("base/", "wire/", "mesh/core/")):
                yield f'{path}: {room} may not include "{name}"'
        for pattern, allowed in FOREIGN:
            if re.match(pattern, name) and not allowed(path):
                yield f"{path}: <{name}> does not belong in this file"


def check_public(path, text):
    for _, name in INCLUDE.findall(text):
        if "/" in name and not name.startswith("meshwork/"):
            yield f"{path}: a public header includes <{name}>"


def main():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], text=True, capture_output=True)
    if listed.returncode != 0:
        print("SKIPPED: not a git work tree")
        return 77
    problems = []
    names = [n for n in listed.stdout.split("\0") if n and (ROOT / n).is_file()]
    for path in names:
        data = (ROOT / path).read_bytes()
        if b"\0" in data:
            continue  # a picture or a corpus file
        text = data.decode("utf-8", "replace")
        if path.startswith("lib/") and path.endswith((".cpp", ".hpp", ".def")):
            problems += check_lib(path, text)
        if path.startswith("include/"):
            problems += check_public(path, text)
        if path != "tests/abi/layers.py" and not path.startswith("tests/fuzz/corpus/"):
            problems += [f"{path}: names the machine path {m.group(0)}" for m in MACHINE_PATH.finditer(text)]
    print("\n".join(problems))
    print(f"{len(names)} files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
