"""`meshwork hub`, `emit` and `listen`."""
import json
import os
import signal

from kit import Process, equal, holds, main, run, test

CONFIG = """{
  // what is said in A is heard in B, too
  "channels": { "A": { "propagate": "B", "dump": true }, /* passed on */ "B": {} }
}
"""


def here(folder):
    return "-o", "dir=" + os.path.join(folder, "run")


def config(folder, text):
    path = os.path.join(folder, "hub.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def listening(folder, *words):
    p = Process("listen", *words, *here(folder))
    p.wait_line("listens to channel")
    return p


@test
def what_is_emitted_is_heard(folder):
    p = listening(folder, "A", r"log\.(warn|error)", "-n", 2)
    for event, body in (("log.warn", "one"), ("log.info", "no"), ("log.error", "two")):
        equal(run("emit", "A", event, body, *here(folder)), (0, "", ""), event)
    equal(p.end(), 0)
    equal(p.out.seen, ["log.warn one", "log.error two"])


@test
def json_tells_name_sender_and_body(folder):
    p = listening(folder, "A", "-n", 1, "--json")
    code, out, _ = run("emit", "A", "e", "text", "--json", *here(folder))
    equal((code, json.loads(out)), (0, {"event": "done"}))
    equal(p.end(), 0)
    said = json.loads(p.out.seen[0])
    equal({k: said[k] for k in ("event", "topic", "text")}, {"event": "message", "topic": "e", "text": "text"})
    equal(len(said["sender"]), 36)


@test
def hubs_of_two_hosts_share_a_channel_and_reload_that(folder):
    a, b, c, d = os.urandom(4)
    group = {"multicast.address": f"239.200.{a}.{b}", "multicast.port": 20000 + 40 * c + d, "multicast.interface": "lo",
             "link.secret": "sixteen bytes of it"}
    far = os.path.join(folder, "far")
    os.mkdir(far)
    path = config(folder, '{"channels": {"A": {"multicast": true}}}')
    words = [w for k, v in group.items() for w in ("-o", f"{k}={v}")]
    near_hub = Process("hub", "--config", path, *words, *here(folder))
    far_hub = Process("hub", *words, "-o", 'channels={"A":{"multicast":true}}', "-o", "multicast.enabled=true", *here(far))
    for hub in (near_hub, far_hub):
        hub.wait_line("keeps")
    p = listening(far, "A")
    equal(run("emit", "A", "e", "alone", *here(folder))[0], 0)
    config(folder, '{"channels": {"A": {"multicast": true}}, "multicast.enabled": true}')
    near_hub.signal(signal.SIGHUP)
    near_hub.wait_line("reloaded " + path)
    equal(run("emit", "A", "e", "on the LAN", *here(folder))[0], 0)
    p.wait_line("e on the LAN", "out")
    equal(p.out.seen, ["e on the LAN"])
    config(folder, '{"channels": {"A": {"multicast": true}}}')
    seen = len(near_hub.err.seen)
    near_hub.signal(signal.SIGHUP)
    near_hub.wait_line("reloaded " + path, after=seen)
    equal(run("emit", "A", "e", "alone again", *here(folder))[0], 0)
    for q in (p, near_hub, far_hub):
        q.signal(signal.SIGINT)
        equal(q.end(), 0)
    equal(p.out.seen, ["e on the LAN"])


@test
def a_hub_passes_on_dumps_and_reloads(folder):
    path = config(folder, CONFIG)
    hub = Process("hub", "--config", path, *here(folder))
    hub.wait_line("keeps")
    b = listening(folder, "B")
    equal(run("emit", "A", "e", "hello", *here(folder))[0], 0)
    b.wait_line("e hello", "out")
    hub.wait_line("A: e hello", "out")
    config(folder, '{ "channels": { "A": 1 } }')
    hub.signal(signal.SIGHUP)
    holds(hub.wait_line("not reloaded"), "channels")
    config(folder, '{ "channels": { "A": { "propagate": "(" } } }')
    hub.signal(signal.SIGHUP)
    holds(hub.wait_line("channels.A.propagate"), "not reloaded")
    config(folder, '{ "channels": { "A": {}, "B": {}, "C": { "propagate": "B" } } }')
    hub.signal(signal.SIGHUP)
    hub.wait_line("hub.json", after=0)
    hub.wait_line("reloaded " + path)
    equal(run("emit", "C", "f", "from C", *here(folder))[0], 0)
    b.wait_line("f from C", "out")
    b.signal(signal.SIGINT)
    equal(b.end(), 0)
    hub.signal(signal.SIGTERM)
    equal(hub.end(), 0)
    equal(os.path.exists(os.path.join(folder, "run", "A.sock")), False)


@test
def a_wrong_configuration_is_refused_with_its_place(folder):
    code, _, err = run("hub", "--config", config(folder, '{\n  // comment\n  "channels": {,}\n}'), *here(folder))
    equal(code, 2)
    holds(err, "line 3")
    code, _, err = run("hub", "--config", config(folder, '{ "chanels": {} }'), *here(folder))
    equal(code, 2)
    holds(err, "channels")
    equal(run("hub", "--config", os.path.join(folder, "none"))[0], 2)


@test
def a_directory_open_to_others_is_refused(folder):
    os.mkdir(os.path.join(folder, "run"))
    os.chmod(os.path.join(folder, "run"), 0o755)
    for words in (("listen", "A"), ("emit", "A", "e"), ("hub",)):
        code, _, err = run(*words, *here(folder))
        equal(code, 4, words)
        holds(err, "mode 755")


@test
def a_channel_that_has_a_standing_hub_says_so(folder):
    p = Process("hub", *here(folder))
    p.wait_line("keeps")
    code, _, err = run("hub", *here(folder))
    equal(code, 3)
    holds(err, f"process {p.child.pid}")
    p.signal(signal.SIGINT)
    equal(p.end(), 0)


@test
def wrong_names_and_patterns(folder):
    equal(run("listen", "a/b", *here(folder))[0], 2)
    code, _, err = run("listen", "A", "(", *here(folder))
    equal(code, 2)
    holds(err, "regular expression")
    equal(run("emit", "A")[0], 2)


if __name__ == "__main__":
    main()
