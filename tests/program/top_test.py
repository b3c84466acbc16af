"""`meshwork top`: who calls whom in a mesh of this host, from the shell."""
import json
import os
import signal

from kit import LIMIT, Process, call, ends_as_it_was, equal, here, holds, leaves, main, pages, run, serving, test

SCHEMA = '{"a":{"_connect":["meshwork","b"]},"b":{"_allow":["a"]},"meshwork":{"_allow":["a"],"_commands":{"_balanced":{"stats":{}}}}}'


def top(folder, *words):
    return Process("top", "--interval", 0.2, *words, *here(folder))


def members(page):
    return {m["name"]: m for m in page["members"]}


@test
def calls_are_seen_at_both_ends(folder):
    gate = os.path.join(folder, "gate")
    os.mkfifo(gate)
    serving(folder, "words", f"cat {gate}; wc -w", "--name", "counts", "--role", "worker")
    p = top(folder, "--json")
    for page in pages(p):
        if "in_per_s" in members(page).get("counts", {}):
            break
    counts = members(page)["counts"]
    equal((page["event"], page["mesh"], counts["service"], counts["state"]), ("top", "try/meshwork", "worker", "well"))
    equal((counts["in_per_s"], counts["p99_us"], counts["error"] if "error" in counts else None), (0, None, None))
    c = Process("call", "words", "a b", "--name", "asks", "--wait", LIMIT, *here(folder))
    got = {"in": 0, "open": 0}
    for page in pages(p):
        got["in"] += members(page)["counts"].get("in_per_s", 0)
        got["open"] = max(got["open"], members(page).get("asks", {}).get("open", 0))
        if got["in"] and got["open"]:
            break
    equal([(s["name"], s["members"]) for s in page["services"]], [("words", 1)])
    with open(gate, "w", encoding="utf-8"):
        pass
    equal(c.end(), 0)
    leaves(p)


@test
def failures_are_counted(folder):
    serving(folder, "odd", 'read n; [ $((n % 2)) = 1 ]', "--name", "odd")
    p = top(folder, "--json")
    calls = failed = 0
    for page in pages(p):
        if not calls and "in_per_s" in members(page).get("odd", {}):
            for n in range(4):
                equal(call(folder, "odd.is", f"{n}\n")[0], 0 if n % 2 else 1)
            calls = 1
        service = next((s for s in page["services"] if s["name"] == "odd"), {})
        failed += service.get("failed_per_s", 0)
        if failed:
            break
    leaves(p)


@test
def queues_are_counted(folder):
    gate = os.path.join(folder, "gate")
    os.mkfifo(gate)
    serving(folder, "slow", f"cat {gate}", "--name", "slow", "--set", "queue=memory")
    p = top(folder, "--json")
    waiting = [Process("call", "slow.x", str(i), "--wait", LIMIT, *here(folder)) for i in range(3)]
    for page in pages(p):
        slow = members(page).get("slow", {})
        if (slow.get("waiting"), slow.get("running")) == (2, 1):
            break
    for c in waiting:
        c.signal(signal.SIGINT)
        equal(c.end(), 1)
    leaves(p)


@test
def a_table_without_a_terminal(folder):
    serving(folder, "words", "wc -w", "--name", "counts")
    code, out, err = run("top", "-i", 0.2, "-n", 2, *here(folder))
    equal((code, err), (0, ""))
    first, second = out.split("\n\nmesh try")[0], out
    holds(first, "mesh try/meshwork: 1 member, 0 calls/s, 0 failed/s")
    holds(first, "MEMBER  ROLE")
    equal(next(line for line in first.split("\n") if line.startswith("counts")).split(),
          ["counts", "meshwork-cli", "well", "0", "0", "-", "-", "0", "0", "0", "0", "0"])
    equal(next(line for line in first.split("\n") if line.startswith("words")).split(), ["words", "1", "0", "0", "-", "-"])
    equal(second.count("mesh try/meshwork"), 2)


@test
def nobody_is_there(folder):
    code, out, _ = run("top", "-i", 0.1, "-n", 1, *here(folder))
    equal((code, out), (0, "mesh try/meshwork: 0 members, 0 calls/s, 0 failed/s"))
    equal(run("top", "-n", 1)[0], 2)
    equal(run("top", "-i", 0, *here(folder))[0], 2)


@test
def who_went_is_named_with_the_reason(folder):
    first = serving(folder, "words", "wc -w", "--name", "counts")
    lost = Process("node", "--name", "lost", *here(folder))
    lost.wait_line("up: counts", "out")
    p = top(folder)
    p.wait_line("lost", "out")
    lost.kill()
    p.wait_line("GONE", "out")
    equal(p.wait_line(" it ", "out").split()[:2], ["lost", "meshwork-cli"])
    leaves(p)
    leaves(first)


@test
def a_schema_says_who_may_look(folder):
    p = Process("node", "--name", "closed", "--role", "b", "-o", "access=" + SCHEMA, *here(folder))
    p.wait_line("joined")
    code, out, _ = run("top", "-i", 0.1, "-n", 1, "--json", *here(folder))
    equal(code, 0)
    holds(members(json.loads(out))["closed"]["error"], 'access has no role "meshwork-cli" (MW_EDENIED)')
    code, out, _ = run("top", "-i", 0.1, "-n", 1, "--json", "--role", "a", *here(folder))
    equal("error" in members(json.loads(out))["closed"], False, out)
    leaves(p)


@test
def a_terminal_is_as_it_was(folder):
    serving(folder, "words", "wc -w", "--name", "counts")
    ends_as_it_was("top", "-i", "0.1", *here(folder), shown=[b"MEMBER", b"counts"])


if __name__ == "__main__":
    main()
