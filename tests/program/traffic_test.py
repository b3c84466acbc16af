"""provide and consume with each other: lines, topics, TLS, parameters, refusals."""
import json
import os
import re
import socket
import threading

from kit import LIMIT, Process, Provider, certificate, consume, equal, holds, main, run, test


@test
def lines_of_a_pipe_reach_the_consumer():
    p = Provider()
    c = consume(p, "--count", 3, "--no-input")
    c.wait_line("connected")
    p.write("one\ntwo\n\n")
    equal(c.end(), 0)
    equal(c.out.seen, ["one", "two", ""])


@test
def a_pipe_waits_for_its_first_consumer():
    p = Provider("--exit")
    p.write("early\nlast without newline")
    p.close_input()
    c = consume(p, "--count", 2, "--no-input")
    equal(c.end(), 0)
    equal(c.out.seen, ["early", "last without newline"])
    equal(p.end(), 0)


@test
def lines_of_the_consumer_are_printed_with_its_number():
    p = Provider("--no-input")
    c = consume(p)
    c.write("hello\n")
    holds(p.wait_line("hello", "out"), "[1] hello")
    c.close_input()
    c.signal(15)
    equal(c.end(), 0)
    p.wait_line("[1] gone")


@test
def a_file_arrives_whole_at_two_consumers(folder):
    path = os.path.join(folder, "lines")
    lines = [f"line {i} " + "x" * (i % 300) for i in range(20000)]
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    p = Provider("--file", path, "--wait", 2, "--exit")
    consumers = [consume(p, "--count", len(lines), "--no-input") for _ in range(2)]
    for c in consumers:
        equal(c.end(), 0)
        equal(c.out.seen == lines, True, "all lines, in order")
    equal(p.end(), 0)


@test
def echo_gives_back_what_was_sent():
    p = Provider("--no-input", "--echo")
    lines = [f"echo {i}" for i in range(5000)]
    c = consume(p, "--count", len(lines))
    writer = threading.Thread(target=lambda: (c.write("\n".join(lines) + "\n"), c.close_input()))
    writer.start()
    equal(c.end(), 0)
    writer.join()
    equal(c.out.seen == lines, True, "all echoes, in order")


@test
def a_topic_reaches_its_subscribers_only():
    p = Provider("--topic", "news/today")
    listener = consume(p, "--subscribe", "news/+", "--count", 1, "--no-input", "--json")
    other = consume(p, "--subscribe", "weather", "--no-input")
    other.wait_line("connected")
    p.write("headline\n")
    equal(listener.end(), 0)
    message = [json.loads(line) for line in listener.out.seen if '"message"' in line]
    equal(message, [{"event": "message", "topic": "news/today", "text": "headline"}])
    other.signal(15)
    equal(other.end(), 0)
    equal(other.out.seen, [])


@test
def json_is_one_object_a_line():
    p = Process("provide", "--port", 0, "--no-input", "--json", "--echo")
    listening = json.loads(p.wait_line("listening", "out"))
    url = re.search(r'ws://[^"]*', json.dumps(listening).replace("\\/", "/")).group(0)
    c = Process("consume", url, "--json", "--send", 'say "hi"\t', "--no-input", "--count", 1)
    equal(c.end(), 0)
    events = [json.loads(line) for line in c.out.seen]
    equal([e["event"] for e in events][:2], ["up", "message"])
    equal(events[1]["text"], 'say "hi"\t')
    p.wait_line("peer_down", "out")
    events = [json.loads(line) for line in p.out.seen]
    equal([e["event"] for e in events], ["listening", "peer_up", "message", "peer_down"])
    equal(events[2]["text"], 'say "hi"\t')


@test
def bytes_that_are_no_text_are_binary():
    p = Process("provide", "--port", 0, "--no-input", "--json")
    url = re.search(r'ws://[^"]*', p.wait_line("listening", "out").replace("\\/", "/")).group(0)
    c = Process("consume", url, "--exit")
    c.write(b"\xff\xfe\n")
    c.close_input()
    equal(c.end(), 0)
    equal(json.loads(p.wait_line('"message"', "out"))["base64"], "//4=")


@test
def parameters_open_the_door(folder):
    path = os.path.join(folder, "key")
    with open(path, "w") as f:
        f.write("s3cret\n")
    p = Provider("--param", "key=@" + path, "--param", "room=a", "--no-input")
    c = consume(p, "--param", "key=s3cret", "--param", "room=a", "--send", "inside", "--no-input")
    p.wait_line("inside", "out")
    c.signal(15)
    equal(c.end(), 0)
    for said in (p.out.seen, p.err.seen, c.err.seen):
        if "s3cret" in "".join(said):
            raise AssertionError("the parameter was shown")


@test
def a_wrong_parameter_is_refused_clearly():
    p = Provider("--param", "key=right", "--no-input")
    for words in (["--param", "key=wrong"], []):
        code, out, err = run("consume", p.url, "--no-input", *words)
        equal(code, 4)
        equal(out, "")
        holds(err, "--param")


@test
def parameters_are_taken_out_of_the_process_list():
    p = Provider("--param", "key=hunter2", "--no-input")
    with open(f"/proc/{p.child.pid}/cmdline", "rb") as f:
        line = f.read()
    equal(b"hunter2" in line, False, "secret in the command line")
    equal(b"key=" in line, True, "the name stays")


@test
def tls_with_the_right_authority(folder):
    cert, key = certificate(folder)
    p = Provider("--tls-cert", cert, "--tls-key", key)
    equal(p.url.startswith("wss://"), True, p.url)
    c = consume(p, "--ca", cert, "--count", 1, "--no-input")
    c.wait_line("connected")
    p.write("over tls\n")
    equal(c.end(), 0)
    equal(c.out.seen, ["over tls"])


@test
def tls_with_the_wrong_authority_says_what_to_do(folder):
    cert, key = certificate(folder)
    p = Provider("--tls-cert", cert, "--tls-key", key)
    code, _, err = run("consume", p.url, "--no-input")
    equal(code, 5)
    holds(err, "--ca FILE")
    c = consume(p, "--insecure", "--count", 1, "--no-input")
    c.wait_line("connected")
    p.write("unchecked\n")
    equal(c.end(), 0)


@test
def a_port_in_use_is_said():
    first = Provider("--no-input")
    code, _, err = run("provide", "--port", first.port, "--no-input")
    equal(code, 3)
    holds(err, str(first.port))
    holds(err, "--port 0")


@test
def nobody_there_is_said_and_not_waited_for():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        code, _, err = run("consume", f"127.0.0.1:{port}", "--no-input")
    equal(code, 3)
    holds(err, "MW_EREFUSED")
    holds(err, "--retry")


@test
def another_wire_is_said():
    p = Provider("-o", "wire=raw", "--no-input")
    code, _, err = run("consume", p.url, "--no-input")
    equal(code, 4)
    holds(err, "--wire raw")
    c = consume(p, "--wire", "raw", "--send", "plain", "--no-input")
    p.wait_line("plain", "out")
    c.kill()


@test
def retry_waits_for_the_provider():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    c = Process("consume", f"ws://127.0.0.1:{port}/connect", "--retry", "--no-input", "--count", 1, "-o", "reconnect.interval=50ms")
    c.wait_line("again in")
    p = Process("provide", "--port", port, "--host", "127.0.0.1")
    p.write("at last\n")
    equal(c.end(), 0)
    equal(c.out.seen, ["at last"])


@test
def a_consumer_comes_back_after_its_provider():
    p = Provider("--no-input")
    c = consume(p, "--no-input", "--count", 1, "-o", "reconnect.interval=50ms")
    c.wait_line("connected")
    p.child.kill()
    c.wait_line("lost")
    again = Process("provide", "--port", p.port, "--host", "127.0.0.1")
    again.write("back\n")
    equal(c.end(), 0)
    equal(c.out.seen, ["back"])


@test
def a_killed_consumer_is_noticed():
    p = Provider("--no-input")
    c = consume(p, "--no-input")
    p.wait_line("[1] connected")
    c.child.kill()
    holds(p.wait_line("[1] gone"), "1006")


@test
def stamps_become_latencies():
    p = Provider("--stamp")
    c = consume(p, "--stats", "--count", 2, "--no-input")
    c.wait_line("connected")
    p.write("a\nb\n")
    equal(c.end(), 0)
    stats = json.loads(c.err.seen[-1])
    equal((stats["messages"], stats["bytes"]), (2, 2))
    equal(0 < stats["p50_us"] < LIMIT * 1e6, True, str(stats))


@test
def the_rate_is_kept():
    p = Provider("--rate", 50, "--stamp")
    c = consume(p, "--stats", "--count", 11, "--no-input")
    c.wait_line("connected")
    p.write("x\n" * 11)
    equal(c.end(), 0)
    seconds = json.loads(c.err.seen[-1])["seconds"]
    equal(seconds >= 0.15, True, f"11 lines at 50 a second took {seconds} s")


@test
def bench_measures_its_own_provider():
    code, out, err = run("bench", "-d", "0.3", "-c", 4, "-i", 4, "--json")
    equal(code, 0, err)
    result = json.loads(out)
    equal(result["messages"] > 100, True, out)
    equal(0 < result["p50_us"] <= result["p99_us"] <= result["max_us"], True, out)


@test
def bench_measures_another_provider():
    p = Provider("--echo", "--no-input")
    code, out, err = run("bench", p.url, "-d", "0.2")
    equal(code, 0, err)
    holds(out, "round trips")


main()
