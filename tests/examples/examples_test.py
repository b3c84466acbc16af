"""Runs every example as its comment says; each ends by itself or by Ctrl-C."""
import re
import signal

from kit import BUILD, Process, equal, holds, main, run, test


def example(name):
    return str(BUILD / "examples" / name)


def started(name, *words):
    p = Process(0, *words, program=example(name))
    line = p.wait_line("listening", "out").replace("\\/", "/").replace("0.0.0.0", "127.0.0.1")
    return p, re.search(r'ws://[^"]*', line).group(0)


@test
def each_provider_with_each_consumer():
    for provider in ("provider_c", "provider_cpp"):
        p, url = started(provider)
        for consumer in ("consumer_c", "consumer_cpp"):
            code, out, err = run(url, program=example(consumer))
            equal(code, 0, consumer + err)
            holds(out, "Ready For Work!")
            holds(out, "Provider Sent: SOME_REPLY")
        p.wait_line("Sent: CONSUMER_READY", "out")
        p.signal(signal.SIGINT)
        equal(p.end(), 0, provider)


@test
def a_provider_says_when_it_cannot_listen():
    for provider in ("provider_c", "provider_cpp"):
        p, url = started(provider)
        port = url.split(":")[2].split("/")[0]
        code, _, err = run(port, program=example(provider))
        holds(err, "MW_EADDRINUSE")
        p.kill()


@test
def a_consumer_says_that_it_was_refused():
    p = Process("provide", "--port", 0, "--param", "key=OTHER", "--no-input")
    url = next(w for w in p.wait_line("listening on").split() if "://" in w)
    for consumer in ("consumer_c", "consumer_cpp"):
        code, out, _ = run(url, program=example(consumer))
        equal(code, 1, consumer)
        holds(out, "Failed To Connect To Provider!")
        holds(out, "MW_EAUTH")


@test
def the_poll_loop_talks_and_ends_with_its_input():
    p, url = started("poll_loop_c")
    c = Process("consume", url, "--send", "from the consumer", "--no-input", "--count", 1)
    p.wait_line("from the consumer", "out")
    p.write("from the host\n")
    equal(c.end(), 0)
    equal(c.out.seen, ["from the host"])
    p.close_input()
    equal(p.end(), 0)


@test
def the_library_is_loaded_at_run_time():
    code, out, err = run(str(BUILD / "libmeshwork.so.1"), program=example("dlopen_c"))
    equal(code, 0, err)
    holds(out, "provider heard: hello")


@test
def a_call_is_answered_in_one_and_in_parts():
    p, url = started("call_provider_cpp")
    code, out, err = run(url, program=example("call_consumer_c"))
    equal(code, 0, err)
    equal(out.splitlines()[:5], ["6 words", "  one", "  by", "  one", "3 parts came, it said 3"])
    holds(out, "MW_ENOSERVICE")
    p.signal(signal.SIGINT)
    equal(p.end(), 0)


@test
def the_program_takes_the_place_of_a_consumer():
    p, url = started("provider_cpp")
    code, out, err = run("consume", url, "--param", "key=SECRET_KEY", "--send", "CONSUMER_READY", "--no-input", "--count", 1)
    equal(code, 0, err)
    equal(out, "SOME_REPLY")


main()
