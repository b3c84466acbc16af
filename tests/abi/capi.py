"""Reads the public C headers: functions with their comments, enumerations, structs."""
import dataclasses
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = sorted((ROOT / "include/meshwork").glob("*.h"))
# What the comment of every function says, in this order.
TAGS = ("Owns", "Thread", "Blocks", "Allocates", "Completes", "Errors", "Since")

_FUNCTION = re.compile(r"(?:/\*((?:[^*]|\*(?!/))*)\*/\n)?MW_API\s+([^;]*?)\b(mw_\w+)\s*\(([^;]*)\)\s*;")
_TAG = re.compile(r"(?:^|(?<=\s))(%s):\s" % "|".join(TAGS))


@dataclasses.dataclass
class Function:
    name: str
    header: str
    declaration: str
    text: str  # the comment before the first tag
    tags: dict  # tag -> text, in the order found


def _clean(comment):
    return " ".join(line.strip().lstrip("*").strip() for line in comment.splitlines()).strip()


def functions():
    out = []
    for header in HEADERS:
        for comment, result, name, args in _FUNCTION.findall(header.read_text()):
            parts = _TAG.split(_clean(comment))
            tags = {k: v.strip().rstrip(".") for k, v in zip(parts[1::2], parts[2::2])}
            declaration = " ".join(f"{result.strip()} {name}({args})".split()).replace("* ", "*")
            out.append(Function(name, header.name, declaration, parts[0].strip(), tags))
    return out


def _code(header):
    return re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)


def enumerators():
    """Names of all enumeration values, in the order of the headers."""
    names = []
    for header in HEADERS:
        for body in re.findall(r"\benum\s*\w*\s*\{(.*?)\}", _code(header), flags=re.S):
            names += re.findall(r"\b(MW_\w+)\s*(?:=|,|$)", body)
    return names


def structs():
    """name -> field names, of the structs whose layout is public."""
    out = {}
    for header in HEADERS:
        for body, name in re.findall(r"typedef struct \w+ \{(.*?)\}\s*(\w+);", _code(header), flags=re.S):
            out[name] = re.findall(r"(\w+)(?:\[\d+\])?;", body)
    return out


def run_c(body):
    """What a C program prints that sees the public headers."""
    source = f"#include <meshwork/meshwork.h>\n#include <stdio.h>\nint main(void) {{\n{body}\nreturn 0; }}\n"
    with tempfile.TemporaryDirectory() as folder:
        binary = folder + "/program"
        subprocess.run(["cc", "-x", "c", "-", "-o", binary, f"-I{ROOT / 'include'}"],
                       input=source, text=True, check=True)
        return subprocess.run([binary], check=True, text=True, capture_output=True).stdout


def values():
    """(name, value) of every enumerator, as the compiler sees them."""
    names = enumerators()
    printed = run_c("\n".join(f'printf("%d\\n", (int){name});' for name in names))
    return list(zip(names, map(int, printed.split())))


def exported_by_map():
    """Names in the version script; wildcards may stand for the local ones only."""
    script = re.sub(r"/\*.*?\*/", "", (ROOT / "lib/abi/meshwork.map").read_text(), flags=re.S)
    exported = []
    for part in re.findall(r"global:(.*?)(?:local:|\})", script, flags=re.S):
        exported += [name.strip() for name in part.split(";") if name.strip()]
    return exported
