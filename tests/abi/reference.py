#!/usr/bin/env python3
"""The tables of docs/: FUNCTIONS.md from the headers' comments, ERRORS.md and
OPTIONS.md from what the library tells about itself.

usage: reference.py LIBRARY [--write]
Without --write it compares: a stale table or a comment without one of its tags fails."""
import sys

import capi
import described

NOTE = "<!-- Made by tests/abi/reference.py (make docs). Do not edit. -->\n"
KINDS = ((1, "context", "MW_CONF_CTX"), (2, "provider", "MW_CONF_PROVIDER"),
         (3, "consumer", "MW_CONF_CONSUMER"), (4, "subscription", "MW_CONF_SUB"),
         (5, "service", "MW_CONF_SERVICE"), (6, "call", "MW_CONF_CALL"),
         (7, "hub", "MW_CONF_HUB"), (8, "channel", "MW_CONF_CHANNEL"),
         (9, "share", "MW_CONF_SHARE"), (10, "election", "MW_CONF_ELECT"),
         (11, "node", "MW_CONF_NODE"), (12, "manager", "MW_CONF_MANAGER"))
AREAS = {
    "base.h": "Versions and status codes", "conf.h": "Options", "msg.h": "Messages",
    "ctx.h": "The context and its doors", "handle.h": "Verbs for every handle",
    "link.h": "Providers, consumers, sending", "mesh.h": "Calls", "channel.h": "Channels of a host",
    "share.h": "Shares and elections of a host",
}


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def functions():
    lines = [NOTE, "# Functions\n",
             "Every function of `<meshwork/meshwork.h>`. *Completes* names the events that follow.\n"]
    for header, title in AREAS.items():
        lines += [f"## {title} (`<meshwork/{header}>`)\n",
                  "| function | thread | blocks | allocates | completes | errors | since |",
                  "|---|---|---|---|---|---|---|"]
        here = [f for f in capi.functions() if f.header == header]
        for f in here:
            row = [f"[`{f.name}`](#{f.name})"] + [
                f.tags.get(t, "") for t in ("Thread", "Blocks", "Allocates", "Completes", "Errors", "Since")]
            lines.append("| " + " | ".join(map(cell, row)) + " |")
        lines.append("")
        for f in here:
            lines += [f"### {f.name}\n", f"```c\n{f.declaration};\n```\n", f.text + "\n",
                      f"Owns: {f.tags.get('Owns', '')}.\n"]
    return "\n".join(lines)


def missing_tags():
    for f in capi.functions():
        if not f.text:
            yield f"{f.header}: {f.name} has no sentence that says what it does"
        lacking = [t for t in capi.TAGS if not f.tags.get(t)]
        if lacking:
            yield f"{f.header}: the comment of {f.name} lacks {', '.join(lacking)}"
        elif list(f.tags) != list(capi.TAGS):
            yield f"{f.header}: the tags of {f.name} are not in the order {', '.join(capi.TAGS)}"
        if f.header not in AREAS:
            yield f"{f.header} is no area of reference.py"


def errors(lib):
    lines = [NOTE, "# Status codes\n",
             "Negative: refused or failed. Zero: done. Positive: done, with a remark. "
             "*Retry*: trying again later may succeed; *fatal*: it cannot; *system*: "
             "`mw_error.os` holds the `errno`.\n",
             "| value | name | flags | meaning |", "|---|---|---|---|"]
    values = dict(capi.values())
    codes = [n for n in capi.enumerators() if values[n] < 0 or n in ("MW_OK", "MW_BUFFERED", "MW_STORED", "MW_MORE")]
    for name in codes:
        value = values[name]
        told = lib.mw_status_name(value).decode()
        if told != name:
            raise SystemExit(f"{name} = {value} is called {told} by the library")
        bits = lib.mw_status_flags(value)
        flags = " ".join(w for b, w in ((1, "retry"), (2, "fatal"), (4, "system")) if bits & b)
        lines.append(f"| {value} | `{name}` | {flags} | {cell(lib.mw_status_text(value).decode())} |")
    return "\n".join(lines) + "\n"


def options(lib):
    lines = [NOTE, "# Options\n",
             "Keys of `mw_conf_set`. Values are text: `true`, `30s` (a bare number is milliseconds), "
             "`1MiB`, `a,b` for lists. *live*: `mw_update` may change it while the object runs; "
             "*secret*: it reads back as `***`.\n"]
    for kind, title, name in KINDS:
        lines += [f"## {title} (`{name}`)\n", "| key | type | default | allowed | marks | meaning |",
                  "|---|---|---|---|---|---|"]
        for option in described.options(lib, kind):
            allowed = option.get("range") or option.get("values") or ""
            if isinstance(allowed, list):
                allowed = ", ".join(map(str, allowed))
            marks = " ".join(m for m in ("live", "secret") if option.get(m))
            default = option.get("default", "")
            default = f"`{default}`" if default not in ("", None) else ""
            row = (f"`{option['key']}`", option["type"], default, allowed, marks, option.get("doc", ""))
            lines.append("| " + " | ".join(map(cell, row)) + " |")
        lines.append("")
    return "\n".join(lines)


def main():
    lib = described.load(sys.argv[1])
    docs = capi.ROOT / "docs"
    tables = {docs / "FUNCTIONS.md": functions(), docs / "ERRORS.md": errors(lib), docs / "OPTIONS.md": options(lib)}
    problems = list(missing_tags())
    problems += [f"docs/{name} is stale: make docs" for name in described.settle(tables, "--write" in sys.argv)]
    print("\n".join(problems))
    print(f"{len(capi.functions())} functions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
