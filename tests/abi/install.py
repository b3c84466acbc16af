#!/usr/bin/env python3
"""Installs to a folder of its own and uses it as a stranger would: a C program
by pkg-config (shared, archive, --static), by CMake's find_package (both), by dlopen.
usage: install.py BUILD_FOLDER"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

OUTSIDE = pathlib.Path(__file__).resolve().parent / "outside"
passed, failed = 0, 0


def run(*command, env=None):
    done = subprocess.run([str(c) for c in command], text=True, env=env, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def check(name, step, *args):
    global passed, failed
    try:
        step(*args)
        passed += 1
        print(f"ok      {name}")
    except (RuntimeError, subprocess.TimeoutExpired) as problem:
        failed += 1
        print(f"FAILED  {name}: {problem}")


def demand(truth, what):
    if not truth:
        raise RuntimeError(what)


def main():
    build = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        prefix = folder / "prefix"
        run("cmake", "--install", build, "--prefix", prefix)
        libdir = next(prefix.rglob("libmeshwork.so.1")).parent
        library = libdir / "libmeshwork.so.1"
        env = dict(os.environ, PKG_CONFIG_PATH=str(libdir / "pkgconfig"))
        shared_env = dict(env, LD_LIBRARY_PATH=str(libdir))

        def files():
            wanted = ["include/meshwork/meshwork.h"] + [
                libdir.relative_to(prefix) / n for n in ("libmeshwork.so", "libmeshwork.a", "libmeshwork.so.1.debug")]
            for name in wanted:
                demand((prefix / name).exists(), f"{name} is not installed")
            sections = run("readelf", "-SW", library)
            demand(".debug_info" not in sections, "the library carries its debug information")
            demand(".gnu_debuglink" in sections, "the library does not name its debug file")
            for path in prefix.rglob("*"):
                if path.suffix in (".pc", ".cmake"):
                    demand(build not in path.read_text(), f"{path.name} names the build folder")

        def by_pkg_config(module, env_to_run, needs_library, *how, among=libdir):
            there = dict(env, PKG_CONFIG_PATH=str(among / "pkgconfig"))
            flags = run("pkg-config", *how, "--cflags", "--libs", module, env=there).split()
            binary = folder / "".join((module, *how, among.parent.name))
            run("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", OUTSIDE / "echo.c", "-o", binary, *flags)
            needed = "libmeshwork.so.1" in run("readelf", "-dW", binary)
            demand(needed == needs_library, f"needs libmeshwork.so.1: {needed}")
            run(binary, env=env_to_run)

        def archive_only():
            only = folder / "archive_only"
            shutil.copytree(prefix, only, symlinks=True)
            there = only / libdir.relative_to(prefix)
            for shared in there.glob("libmeshwork.so*"):
                shared.unlink()
            by_pkg_config("meshwork", env, False, "--static", among=there)

        def alone():
            """The shared library is found where nothing of what it was made with is installed."""
            run("pkg-config", "--cflags", "--libs", "meshwork", env=dict(env, PKG_CONFIG_LIBDIR=str(libdir / "pkgconfig")))

        def by_cmake():
            there = folder / "by_cmake"
            run("cmake", "-S", OUTSIDE, "-B", there, f"-DCMAKE_PREFIX_PATH={prefix}")
            run("cmake", "--build", there)
            run(there / "echo_shared")
            run(there / "echo_static")

        def by_dlopen():
            flags = run("pkg-config", "--cflags", "meshwork", env=env).split()
            run("cc", "-std=c99", OUTSIDE / "load.c", "-o", folder / "load", *flags, "-ldl")
            run(folder / "load", library)

        def program():
            told = run(prefix / "bin/meshwork", "version", env=shared_env)
            version = run("pkg-config", "--modversion", "meshwork", env=env).strip()
            demand(version in told, f"meshwork version says {told!r}, pkg-config {version}")

        check("files", files)
        check("pkg-config, shared", by_pkg_config, "meshwork", shared_env, True)
        check("pkg-config, shared, no other module there", alone)
        check("pkg-config, archive", by_pkg_config, "meshwork-static", env, False)
        check("pkg-config --static, both installed", by_pkg_config, "meshwork", shared_env, True, "--static")
        check("pkg-config --static, the archive installed", archive_only)
        check("CMake package", by_cmake)
        check("dlopen", by_dlopen)
        if (prefix / "bin/meshwork").exists():
            check("program", program)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    if not shutil.which("cc") or not shutil.which("pkg-config"):
        print("SKIPPED: no cc or no pkg-config")
        sys.exit(77)
    sys.exit(main())
