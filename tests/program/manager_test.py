"""`meshwork manager`: a managed mesh from the shell, and what becomes of it without its manager."""
import json
import os

from kit import LIMIT, Process, ends_as_it_was, equal, holds, leaves, main, run, test

# An address of loopback that no other test uses: a port given back there stays free.
HOST = f"127.{1 + os.getpid() % 250}.{os.getpid() // 250 % 250}.1"


def manager(*words, port=0):
    p = Process("manager", "-m", "try", "--host", HOST, "--port", port, "-o", "discovery.port=0", *words)
    line = p.wait_line("listening", "out" if "--json" in words else "err")
    url = json.loads(line)["address"][0] if "--json" in words else line.split()[-1]
    p.place = url.split("//")[1].split("/")[0]
    p.port = int(p.place.rsplit(":", 1)[1])
    return p


def managed(m):
    return "-m", "try", "-o", "registry=manager", "-o", "registry.url=" + m.place, "-o", "registry.scan=100ms"


@test
def it_tells_who_comes_and_goes():
    m = manager()
    p = Process("serve", "words", "--exec", "wc -w", "--name", "counts", *managed(m))
    p.wait_line("serves words")
    holds(m.wait_line("up: counts", "out"), "(meshwork-cli)")
    equal(run("call", "words", "a b c", "--wait", LIMIT, *managed(m)), (0, "3", ""))
    code, out, _ = run("top", "-i", 0.1, "-n", 1, "--json", *managed(m))
    equal((code, [s["name"] for s in json.loads(out)["services"]]), (0, ["words"]))
    leaves(p)
    m.wait_line("down: counts: it left", "out")
    leaves(m)


@test
def lines_of_json():
    m = manager("--json")
    p = Process("node", "--name", "one", *managed(m))
    up = json.loads(m.wait_line("member_up", "out"))
    equal((up["event"], up["facts"]["name"], up["facts"]["service"]), ("member_up", "one", "meshwork-cli"))
    leaves(p)
    down = json.loads(m.wait_line("member_down", "out"))
    equal((down["facts"]["name"], down["facts"]["reason"]), ("one", "it left"))
    for line in m.out.seen:
        json.loads(line)
    leaves(m)


@test
def a_killed_one_is_replaced_and_nobody_notices():
    m = manager()
    nodes = {}
    for name in ("one", "two"):
        nodes[name] = Process("node", "--name", name, *managed(m))
        m.wait_line("up: " + name, "out")
    nodes["one"].wait_line("up: two", "out")
    nodes["two"].wait_line("up: one", "out")
    m.kill()
    # Joining takes a manager, and says so.
    code, _, err = run("members", *managed(m), "-o", "gate.timeout=1s", "-o", "gate.services={\"words\": 1}")
    equal(code != 0, True, err)
    again = manager(port=m.port)
    for name in nodes:
        again.wait_line("up: " + name, "out")
    p = Process("node", "--name", "three", *managed(again))
    for name in nodes:
        p.wait_line("up: " + name, "out")
        nodes[name].wait_line("up: three", "out")
    leaves(p)
    for name in nodes:  # the first that went, in all that time
        holds(nodes[name].wait_line("down: ", "out"), "three: it left")
    leaves(nodes["one"])
    holds(nodes["two"].wait_line("down: one", "out"), "it left")
    leaves(nodes["two"])
    leaves(again)


@test
def what_is_told_does_not_spoil_a_page():
    m = manager()
    ends_as_it_was("top", "-i", "0.1", *managed(m), shown=[b"0 members"], then=lambda _: leaves(m), told=b"error: no manager")


@test
def wrong_words():
    equal(run("manager")[0], 2)
    holds(run("manager")[2], "--mesh")
    equal(run("manager", "-m", "try", "-p", "70000")[0], 2)
    code, _, err = run("manager", "-m", "try", "-o", "gate.timeout=1s")
    equal(code, 2, err)
    holds(err, "gate.timeout")
    code, _, err = run("manager", "-m", "try", "--host", "0.0.0.0", "-p", "0", "-o", "discovery.port=0")
    holds(err, "link.secret")
    equal(code, 2, err)


@test
def its_port_is_taken():
    m = manager()
    code, _, err = run("manager", "-m", "try", "--host", HOST, "--port", m.port)
    equal(code, 3, err)
    holds(err, str(m.port))
    leaves(m)


if __name__ == "__main__":
    main()
