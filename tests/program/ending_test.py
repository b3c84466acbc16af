"""Ctrl-C, broken pipes, and leaving in good order."""
import base64
import hashlib
import os
import signal
import socket
import subprocess
import threading

from kit import Process, Provider, consume, equal, holds, main, test


@test
def the_first_signal_drains():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        p = Provider("--no-input")
        c = consume(p, "--no-input")
        c.wait_line("connected")
        c.signal(number)
        equal(c.end(), 0, "consumer")
        p.wait_line("[1] gone: 1000")
        p.signal(number)
        equal(p.end(), 0, "provider")


@test
def draining_tells_the_consumer():
    p = Provider("--no-input")
    c = consume(p, "--no-input", "--once")
    c.wait_line("connected")
    p.signal(signal.SIGINT)
    equal(p.end(), 0)
    equal(c.end(), 0)  # the provider said goodbye: once is content


@test
def once_fails_when_the_link_just_breaks():
    p = Provider("--no-input")
    c = consume(p, "--no-input", "--once")
    c.wait_line("connected")
    p.child.kill()
    equal(c.end(), 1)


@test
def what_was_accepted_is_sent_before_leaving():
    p = Provider("--no-input")
    c = consume(p, "--exit")
    lines = [f"last words {i}" for i in range(3000)]
    c.write("\n".join(lines))
    c.close_input()
    equal(c.end(), 0)
    p.wait_line("[1] last words 2999", "out")
    equal([l for l in p.out.seen if "last words" in l] == ["[1] " + l for l in lines], True, "all of them")


@test
def a_second_signal_quits_at_once():
    # A peer that never answers the close keeps the drain going.
    listener = socket.create_server(("127.0.0.1", 0))
    c = Process("consume", f"ws://127.0.0.1:{listener.getsockname()[1]}/", "--wire", "raw", "--no-input")
    peer, _ = listener.accept()
    request = b""
    while b"\r\n\r\n" not in request:
        request += peer.recv(4096)
    key = next(l.split(b": ")[1] for l in request.split(b"\r\n") if l.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    c.wait_line("connected")
    c.signal(signal.SIGINT)
    c.wait_line("draining")
    c.signal(signal.SIGINT)
    equal(c.end(), 130)
    peer.close()
    listener.close()


@test
def a_reader_that_leaves_ends_the_consumer_quietly():
    p = Provider()
    c = consume(p, "--no-input")
    c.wait_line("connected")
    c.child.stdout.close()
    c.out.ended = True
    p.write("for nobody\n" * 10)
    equal(c.end(), 0)
    equal([l for l in c.err.seen if "error" in l.lower() or "pipe" in l.lower()], [])


@test
def a_full_disk_is_an_error():
    if not os.path.exists("/dev/full"):
        return
    p = Provider()
    with open("/dev/full", "w") as full:
        c = subprocess.Popen([p.words[0], "consume", p.url, "--no-input"], stdin=subprocess.DEVNULL, stdout=full,
                             stderr=subprocess.PIPE)
        p.wait_line("[1] connected")
        p.write("too much\n")
        _, err = c.communicate(timeout=20)
    equal(c.returncode, 1)
    holds(err.decode(), "No space left")


@test
def a_reader_that_stalls_stops_the_flow_and_loses_nothing():
    p = Provider("--exit")
    c = consume(p, "--no-input", "--once")
    c.wait_line("connected")
    lines = [f"{i} " + "y" * 1000 for i in range(30000)]  # 30 MB, far above every buffer
    writer = threading.Thread(target=lambda: (p.write("\n".join(lines) + "\n"), p.close_input()))
    writer.start()  # nobody reads c's output yet; p stops taking its input
    writer.join(1.0)
    equal(writer.is_alive(), True, "the provider is held back")
    equal(c.end(), 0)
    writer.join()
    equal(c.out.seen == lines, True, "all lines, in order")
    equal(p.end(), 0)


main()
