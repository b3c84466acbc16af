#!/usr/bin/env python3
"""The README's programs in an empty package outside the tree, by path and once more vendored; then the examples.

usage: programs.py path|vendored|examples BUILD_DIR RUST_FOLDER"""
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

how, build, here = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
target = Path(os.environ["CARGO_TARGET_DIR"])
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests/bindings"))
import host_examples  # noqa: E402
PACKAGE = """[package]
name = "try-{how}"
version = "0.1.0"
edition = "2021"

[dependencies]
meshwork = {{ path = "{here}/meshwork"{features} }}
"""


def check(true, text):
    if not true:
        sys.exit(text)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(process, port):
    """A connect that is refused is how "not yet" looks."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            check(time.monotonic() < deadline and process.poll() is None, "the provider does not listen")
            time.sleep(0.02)


def pair(provider, consumer, ready, want):
    serving = subprocess.Popen(provider, stdout=subprocess.PIPE, text=True)
    try:
        arguments = ready(serving)
        told = subprocess.run(consumer + arguments, capture_output=True, text=True, timeout=60)
        check(told.returncode == 0 and told.stdout == want, f"the consumer: {told}")
    finally:
        serving.terminate()
        serving.wait(timeout=30)


if how == "examples":
    programs = target / "debug/examples"
    host_examples.play(programs, check)
    host_examples.mesh(programs, check)
    pair([programs / "provider", "0"], [programs / "consumer"], lambda p: [p.stdout.readline().strip()], "hello\n")
    sys.exit()

text = (here / "README.md").read_text()
programs = [p for p in re.findall(r"```rust,no_run\n(.*?)```", text, re.S) if "fn main" in p]
check(len(programs) == 2, "the README has not two programs")
check(all(len(p.splitlines()) <= 14 for p in programs), "ten lines and their use and main are what the README promises")
folder, port = build / f"try-{how}", free_port()
shutil.rmtree(folder, ignore_errors=True)
(folder / "src/bin").mkdir(parents=True)
features = ', features = ["vendored"]' if how == "vendored" else ""
(folder / "Cargo.toml").write_text(PACKAGE.format(how=how, here=here, features=features))
shutil.copy(here / "Cargo.lock", folder)
for name, program in zip(("provider", "consumer"), programs):
    (folder / f"src/bin/{how}_{name}.rs").write_text(program.replace("8080", str(port)))
environment = dict(os.environ)
if how == "vendored":  # without a library that could be found
    for name in ("PKG_CONFIG_PATH", "LD_LIBRARY_PATH"):
        os.environ.pop(name, None)
        environment.pop(name, None)
    if shutil.which("ccache"):
        environment |= {f"CMAKE_{language}_COMPILER_LAUNCHER": "ccache" for language in ("C", "CXX")}
subprocess.run(["cargo", "build", "--quiet"], cwd=folder, env=environment, check=True)
made = [target / f"debug/{how}_{name}" for name in ("provider", "consumer")]
needs = subprocess.run(["readelf", "-d", made[0]], capture_output=True, text=True, check=True).stdout
check(("libmeshwork" in needs) == (how == "path"), f"linked otherwise than promised:\n{needs}")
pair([made[0]], [made[1]], lambda p: listens(p, port) or [], 'Some("hello")\n')
