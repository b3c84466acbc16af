"""Help, wrong words, and the list of options."""
import json
import os

from kit import PROGRAM, equal, holds, main, run, test


@test
def help_names_the_commands():
    code, out, _ = run("--help")
    equal(code, 0)
    for word in ("provide", "consume", "bench", "options", "doctor", "version", "Exit codes"):
        holds(out, word)


@test
def every_command_has_help_with_examples():
    for command in ("provide", "consume", "bench"):
        code, out, _ = run(command, "--help")
        equal(code, 0, command)
        holds(out, "Examples:")
        holds(out, f"meshwork {command}")


@test
def no_command_is_wrong_usage():
    code, _, err = run()
    equal(code, 2)
    holds(err, "meshwork --help")


@test
def a_wrong_flag_names_the_nearest():
    code, _, err = run("provide", "--prot", "80")
    equal(code, 2)
    holds(err, "--prot: did you mean --port?")
    holds(err, "meshwork provide --help")


@test
def a_wrong_command_names_the_nearest():
    code, _, err = run("provid")
    equal(code, 2)
    holds(err, "did you mean provide?")


@test
def a_wrong_option_key_names_the_nearest():
    code, _, err = run("provide", "-o", "heartbeat.intervall=1s")
    equal(code, 2)
    holds(err, "heartbeat.interval")
    holds(err, "MW_EOPTION")


@test
def a_value_out_of_range_names_the_range():
    code, _, err = run("provide", "--no-input", "-o", "port=70000")
    equal(code, 2)
    holds(err, "65535")


@test
def a_secret_is_not_repeated_in_an_error():
    code, _, err = run("consume", ":1", "--param", "hunter2", "--no-input")
    equal(code, 2)
    if "hunter2" in err:
        raise AssertionError(err)


@test
def a_missing_file_is_named():
    code, _, err = run("provide", "--file", "/nonexistent/lines")
    equal(code, 2)
    holds(err, "/nonexistent/lines: No such file")
    code, _, err = run("provide", "--param", "key=@/nonexistent/key")
    equal(code, 2)
    holds(err, "/nonexistent/key")


@test
def options_lists_every_kind():
    code, out, _ = run("options")
    equal(code, 0)
    for word in ("ctx options", "provider options", "consumer options", "sub options", "send.max_bytes", "4MiB"):
        holds(out, word)


@test
def options_as_json_parse():
    code, out, _ = run("options", "provider", "--json")
    equal(code, 0)
    rows = [json.loads(line) for line in out.splitlines()]
    port = next(row for row in rows if row["key"] == "port")
    equal(port["kind"], "provider")
    equal(str(port["default"]), "8080")


@test
def the_doctor_connects_to_itself():
    code, out, err = run("doctor", "--json")
    equal(code, 0, out + err)
    rows = {row["check"]: row for row in map(json.loads, out.splitlines())}
    equal(rows["self-connection"]["verdict"], "ok")
    for check in ("library", "descriptors", "accept queue", "runtime directory", "authorities", "Node", "Python", "Go", "Rust"):
        holds(("ok", "note", "warning"), rows[check]["verdict"])


@test
def the_doctor_advises():
    poor = dict(os.environ, XDG_RUNTIME_DIR="/", SSL_CERT_FILE="/nonexistent/ca", SSL_CERT_DIR="/nonexistent")
    code, out, _ = run("-c", 'ulimit -n 256; exec "$0" doctor', PROGRAM, program="sh", env=poor)
    equal(code, 0)
    for word in ("256 a process", "ulimit -n", "not a folder of yours alone", "ca-certificates", "meshwork works here, with"):
        holds(out, word)


@test
def the_doctor_says_when_it_fails():
    code, out, _ = run("-c", 'ulimit -n 7; exec "$0" doctor', PROGRAM, program="sh")
    equal(code, 1)
    holds(out, "failed   self-connection")
    holds(out, "meshwork does not work here")


@test
def version_is_printed():
    code, out, _ = run("version")
    equal(code, 0)
    holds(out, "meshwork 0.1.0, library 0.1.0")


main()
