"""`meshwork node`, `call`, `serve`, `publish` and `members`: a mesh of this host, from the shell."""
import json
import os
import re
import signal
import time

from kit import LIMIT, Process, call, ends_as_it_was, equal, here, holds, leaves, main, pages, run, screen, serving, test


@test
def a_command_answers(folder):
    p = serving(folder, "words", "wc -w")
    equal(call(folder, "words.count", "one two three"), (0, "3", ""))
    equal(call(folder, "words", "--file", "-", text="four\nmore\nwords\nhere\n"), (0, "4", ""))
    path = os.path.join(folder, "text")
    with open(path, "wb") as f:
        f.write(b"a b\n")
    equal(call(folder, "words.count", "@" + path)[:2], (0, "2"))
    code, out, _ = call(folder, "words.count", "--json", "--file", path)
    equal((code, json.loads(out)), (0, {"event": "answer", "text": "2\n"}))
    leaves(p)


@test
def it_hears_the_method_and_the_caller(folder):
    serving(folder, "say", 'echo "$MESHWORK_METHOD for $MESHWORK_CALLER"')
    equal(call(folder, "say.this", "--name", "me"), (0, "say.this for me", ""))


@test
def who_serves_tells_in_json(folder):
    p = Process("serve", "odd", "--exec", 'read n; [ $((n % 2)) = 1 ] || { echo "even: $n" >&2; exit 3; }', "--name", "odd", "--json", *here(folder))
    said = json.loads(p.wait_line("serving", "out"))
    equal((said["event"], said["facts"]["name"]), ("serving", "odd"))
    equal(call(folder, "odd.is", "1\n", "--name", "asks")[0], 0)
    equal(call(folder, "odd.is", "2\n", "--name", "asks")[0], 1)
    last = json.loads(p.wait_line("even: 2", "out"))
    equal((last["method"], last["caller"], last["exit"], last["message"]), ("odd.is", "asks", 3, "even: 2"))
    equal([json.loads(line)["event"] for line in p.out.seen], ["serving", "answered", "failed"])
    leaves(p)


@test
def bytes_go_through_as_they_are(folder):
    serving(folder, "back", "cat")
    body = bytes(range(256)) * 2000
    path = os.path.join(folder, "bytes")
    with open(path, "wb") as f:
        f.write(body)
    p = Process("call", "back", "--file", path, "--wait", LIMIT, *here(folder))
    got = b""
    while chunk := os.read(p.out.fd, 1 << 16):
        got += chunk
    p.out.ended = True
    equal(p.end(), 0)
    equal(got == body, True, "the body")


@test
def a_command_that_fails_says_why(folder):
    p = serving(folder, "bad", "echo first >&2; echo the last line >&2; exit 3")
    code, out, err = call(folder, "bad.do")
    equal((code, out), (1, ""))
    holds(err, "the last line")
    holds(err, "MW_EREMOTE")
    holds(p.wait_line("failed"), "the last line")
    serving(folder, "mute", "kill -9 $$")
    holds(call(folder, "mute")[2], "ended with 137")
    serving(folder, "long", "head -c 2000000 /dev/zero; echo no >&2; sleep 1000")
    code, _, err = call(folder, "long")
    equal(code, 1)
    holds(err, "recv.max_message")


@test
def who_gives_up_ends_the_command(folder):
    begun, left = os.path.join(folder, "begun"), os.path.join(folder, "left")
    for fifo in (begun, left):
        os.mkfifo(fifo)
    p = serving(folder, "slow", f"trap 'echo ended > {left}; exit' TERM; echo > {begun}; sleep 1000 & wait")
    c = Process("call", "slow", "--wait", LIMIT, *here(folder))
    with open(begun, encoding="utf-8") as f:  # waits for who writes
        f.read()
    c.signal(signal.SIGINT)
    equal(c.end(), 1)
    with open(left, encoding="utf-8") as f:
        equal(f.read(), "ended\n")
    leaves(p)


@test
def a_call_has_its_time(folder):
    p = serving(folder, "slow", "sleep 1000")
    code, out, err = call(folder, "slow", "--timeout", "0.2")
    equal((code, out), (1, ""))
    holds(err, "MW_ETIMEDOUT")
    leaves(p)


@test
def jobs_run_at_once(folder):
    """The first ends only when the second runs, too."""
    meet = os.path.join(folder, "meet")
    os.mkfifo(meet)
    serving(folder, "pair", f'read way; if [ "$way" = in ]; then cat {meet}; else echo met > {meet}; fi', "--jobs", 2)
    first = Process("call", "pair", "in", "--wait", LIMIT, *here(folder))
    equal(call(folder, "pair", "out")[0], 0)
    equal(first.end(), 0)
    equal(first.out.seen, ["met"])


@test
def ctrl_c_finishes_what_runs(folder):
    gate, begun = os.path.join(folder, "gate"), os.path.join(folder, "begun")
    for fifo in (gate, begun):
        os.mkfifo(fifo)
    p = serving(folder, "slow", f"echo > {begun}; cat {gate}")
    c = Process("call", "slow", "--wait", LIMIT, *here(folder))
    with open(begun, encoding="utf-8") as f:
        f.read()
    p.signal(signal.SIGINT)
    with open(gate, "w", encoding="utf-8") as f:
        f.write("done all the same\n")
    equal(c.end(), 0)
    equal(c.out.seen, ["done all the same"])
    equal(p.end(), 0)


@test
def all_answer_and_who_fails_is_named(folder):
    serving(folder, "who", "echo one", "--name", "one")
    serving(folder, "who", "echo two", "--name", "two")
    watch = Process("node", *here(folder))
    watch.wait_line("serves who 0.0.0: two", "out")
    code, out, _ = call(folder, "who", "--all")
    equal((code, sorted(out.split("\n"))), (0, ["one: one", "two: two"]))
    serving(folder, "who", "echo no >&2; exit 1", "--name", "three")
    watch.wait_line("serves who 0.0.0: three", "out")
    code, out, err = call(folder, "who", "--all")
    equal((code, sorted(out.split("\n"))), (1, ["one: one", "two: two"]))
    holds(err, "three: no (MW_EREMOTE)")
    holds(err, "1 of 3 members failed")
    code, out, _ = call(folder, "who", "--all", "--json")
    said = {line["member"]: line for line in map(json.loads, out.split("\n"))}
    equal((code, said["one"]["text"], said["three"]["status"]), (1, "one\n", "MW_EREMOTE"))
    equal(call(folder, "who", "--how", "only=two")[:2], (0, "two"))


@test
def nobody_serves_it(folder):
    code, out, err = run("call", "nothing.at", *here(folder))
    equal((code, out), (3, ""))
    holds(err, "MW_ENOSERVICE")
    equal(run("call", "nothing")[0], 2)
    holds(run("call", "nothing")[2], "--mesh")
    equal(run("call", "nothing", "--how", "onyl=x", *here(folder))[0], 2)
    equal(run("call", "nothing", "--how", "only", *here(folder))[0], 2)
    equal(run("serve", "words", *here(folder))[0], 2)
    equal(run("serve", ".words", "--exec", "cat", *here(folder))[0], 2)


@test
def a_node_tells_who_comes_and_goes(folder):
    p = Process("node", "--subscribe", "log/*", *here(folder))
    p.wait_line("joined:")
    j = Process("node", "--json", *here(folder))
    j.wait_line("member_up", "out")
    q = serving(folder, "words", "wc -w", "--name", "counts", "--set", "version=1.2.0")
    holds(p.wait_line("up: counts", "out"), "(meshwork-cli)")
    holds(p.wait_line("serves words 1.2.0", "out"), "counts (1 do)")
    j.wait_line('"words"', "out")
    leaves(q)
    p.wait_line("serves words no more: counts (0 do)", "out")
    p.wait_line("down: counts: it left", "out")
    j.wait_line("member_down", "out")
    lines = [json.loads(line) for line in j.out.seen]
    up = next(line for line in lines if line["event"] == "service_up" and line["service"] == "words")
    equal((up["facts"]["member"], up["facts"]["version"], up["others"]), ("counts", "1.2.0", 1))
    for each in (p, j):
        leaves(each)


@test
def what_is_published_is_heard(folder):
    p = Process("node", "--subscribe", "log/*", "--json", *here(folder))
    p.wait_line("joined:")
    code, _, err = run("publish", "log/warn", "disk full", "--name", "me", *here(folder))
    equal(code, 0)
    holds(err, "members that want it: 1")
    said = json.loads(p.wait_line('"message"', "out"))
    equal(said, {"event": "message", "topic": "log/warn", "member": "me", "text": "disk full"})
    code, out, _ = run("publish", "other", "--json", *here(folder))
    equal((code, json.loads(out)), (0, {"event": "done", "members": 0}))
    equal(run("publish", "", "x", *here(folder))[0], 2)
    leaves(p)


@test
def an_event_reaches_members_without_a_link(folder):
    hear = [Process("node", "--subscribe", "e", *here(folder)) for _ in range(8)]
    for p in hear:  # all know all: whoever the publisher meets tells it of the others
        after = 0
        for _ in hear[1:]:
            p.wait_line("up: ", "out", after)
            after = next(i for i, line in enumerate(p.out.seen) if i >= after and "up: " in line) + 1
    holds(run("publish", "e", "to all", *here(folder))[2], "members that want it: 8")
    for p in hear:
        p.wait_line("e to all", "out")
        leaves(p)


@test
def members_are_listed(folder):
    equal(run("members", *here(folder))[:2], (0, "nobody else"))
    serving(folder, "words", "wc -w", "--name", "counts", "--role", "worker")
    code, out, _ = run("members", *here(folder))
    head, row = out.split("\n")
    equal((code, head.split()), (0, ["NAME", "ROLE", "STATE", "SINCE", "SERVES", "WHY", "ADDRESS"]))
    name, role, state, since, serves = re.split("  +", row)[:5]
    equal((name, role, state, serves), ("counts", "worker", "well", "words 0.0.0"))
    code, out, _ = run("members", "--json", *here(folder))
    (member,) = json.loads(out)
    equal((code, member["name"], member["services"][0]["name"]), (0, "counts", "words"))
    equal((member["state"], member["reason"], len(member["changes"])), ("well", "it is there", 1))
    started = time.localtime(member["started_ms"] // 1000)  # which may have been yesterday by now
    equal(since in (time.strftime("%H:%M:%S", started), time.strftime("%Y-%m-%d %H:%M", started)), True, since)
    equal(member["started_ms"] <= member["since_ms"] <= time.time() * 1000, True, member)
    p = Process("members", "--watch", "--json", *here(folder))
    p.wait_line("counts", "out")
    q = serving(folder, "sums", "bc", "--name", "sums")
    p.wait_line('"sums"', "out")
    leaves(q)
    leaves(p)


@test
def members_say_why_one_is_gone(folder):
    first = serving(folder, "words", "wc -w", "--name", "counts")
    lost = serving(folder, "sums", "bc", "--name", "lost", "--role", "worker")
    watch = Process("members", "--watch", *here(folder))
    watch.wait_line("sums 0.0.0", "out")
    lost.kill()
    seen = watch.wait_line("gone", "out")
    equal((seen.split()[0], " it " in seen), ("lost", True), seen)
    # Who comes later is told by the one that was there.
    until = time.monotonic() + LIMIT
    while "gone" not in (out := run("members", *here(folder))[1]) and time.monotonic() < until:
        pass
    row = next(line for line in out.split("\n") if line.startswith("lost"))
    equal(row.split()[1:3], ["worker", "gone"])
    holds(row, " it ")
    gone = next(m for m in json.loads(run("members", "--json", *here(folder))[1]) if m["name"] == "lost")
    equal((gone["state"], gone["reason"] in row, bool(gone["by"])), ("gone", True, True), gone)
    for p in (watch, first):
        leaves(p)


@test
def who_came_back_and_left_is_not_gone(folder):
    first = serving(folder, "words", "wc -w", "--name", "counts")
    watch = Process("members", "--watch", "--json", *here(folder))
    lists = pages(watch)

    def next_state(*but):
        states = ({m["name"]: m["state"] for m in one}.get("lost") for one in lists)
        return next(state for state in states if state not in but)

    lost = serving(folder, "sums", "bc", "--name", "lost")
    equal(next_state(None), "well")
    lost.kill()
    equal(next_state("well", "suspected"), "gone")
    back = serving(folder, "sums", "bc", "--name", "lost")
    equal(next_state("gone"), "well")
    leaves(back)
    equal(next_state("well", "suspected"), None)
    for p in (watch, first):
        leaves(p)


@test
def a_terminal_that_stood_gets_the_last_page(folder):
    watch = Process("node", *here(folder))
    watch.wait_line("joined:")

    def come(near):
        os.write(near, b"\x13")  # Ctrl-S
        for name in ("one", "two", "three"):
            serving(folder, "words", "wc -w", "--name", name)
            watch.wait_line("serves words 0.0.0: " + name, "out")
        os.write(near, b"\x11")  # Ctrl-Q
        screen(near, [b"one", b"two", b"three"])

    ends_as_it_was("members", "--watch", *here(folder), shown=[b"meshwork-cli"], then=come)


@test
def a_terminal_is_as_it_was(folder):
    serving(folder, "words", "wc -w", "--name", "counts")
    ends_as_it_was("members", "--watch", *here(folder), shown=[b"counts", b"words 0.0.0"])


if __name__ == "__main__":
    main()
