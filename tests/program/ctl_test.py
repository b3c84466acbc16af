"""`meshwork ctl`: every command, alone, from a pipe and at a terminal."""
import json
import os
import pty
import select
import signal
import time

from kit import LIMIT, PROGRAM, Process, equal, holds, main, run, test

CONFIG = '{ "channels": { "control": {}, "A": { "propagate": "B" } /* passed on */, "B": {} } }'


def files(folder, **texts):
    for name, text in texts.items():
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as f:
            f.write(text)
    return [os.path.join(folder, name + ".json") for name in texts]


def keeping(folder, *words):
    hub = Process("hub", "--config", *files(folder, hub=CONFIG), "-o", "dir=" + os.path.join(folder, "run"), *words)
    hub.wait_line("keeps")
    return hub


def ctl(folder, *words, **more):
    return run("ctl", "--dir", os.path.join(folder, "run"), "--wait", LIMIT, *words, **more)


def every_command(folder, *hub_words):
    hub = keeping(folder, *hub_words)
    p = Process("listen", "A", "-o", "dir=" + os.path.join(folder, "run"), *hub_words)
    p.wait_line("listens to channel")
    code, out, _ = ctl(folder, "showconfig")
    equal((code, json.loads(out)["channels"]["A"]), (0, {"propagate": "B"}))
    code, who, _ = ctl(folder, "showchannel", "A")
    equal((code, len(who)), (0, 36))
    code, out, _ = ctl(folder, "--json", "showclient", "A", who)
    said = json.loads(out)
    equal((code, said["uuid"], said["pid"]), (0, who, p.child.pid))
    code, out, err = ctl(folder, "showclient", "A", "nobody")
    equal((code, out), (1, ""))
    holds(err, "has no member nobody")
    good, bad, broken = files(folder, good='{"channels":{"control":{},"A":{},"C":{}}}',
                              bad='{"channels":{"control":{},"A":{"dumb":true}}}', broken='{"channels":')
    for file, why in ((bad, "channels.A.dumb"), (broken, "JSON")):
        code, _, err = ctl(folder, "reloadconfig", file)
        equal(code != 0, True)
        holds(err, why)
    equal(ctl(folder, "showchannel", "B")[1], "nobody")
    equal(ctl(folder, "reloadconfig", good)[:2], (0, "reloaded " + good))
    equal(ctl(folder, "showchannel", "C")[:2], (0, "nobody"))
    equal(ctl(folder, "showchannel", "A")[1], who)
    holds(ctl(folder, "showchannel", "B")[2], "no channel is called B")
    for words, why in ((("showchannel",), "write showchannel CHANNEL"), (("shovel",), "there is no command shovel"),
                       (("reloadconfig", os.path.join(folder, "none")), "cannot read")):
        code, _, err = ctl(folder, *words)
        equal(code, 2)
        holds(err, why)
    code, out, err = ctl(folder, text=f"showchannel('A')\n\nshovel\nshowchannel \"A\"\nquit\nshowconfig\n")
    equal((code, out.splitlines()[1:]), (2, [who, who]))
    holds(err, "there is no command shovel")
    for process in (p, hub):
        process.signal(signal.SIGINT)
        equal(process.end(), 0)


@test
def commands_of_a_hub_of_ours(folder):
    every_command(folder)


@test
def commands_over_the_wire_of_netcluster(folder):
    every_command(folder, "-o", "wire=netcluster")


@test
def without_a_hub_it_says_so(folder):
    code, _, err = run("ctl", "--dir", os.path.join(folder, "run"), "--wait", 0.1, "showconfig")
    equal(code, 3)
    holds(err, "no hub keeps the channel control")
    os.chmod(folder, 0o777)
    code, _, err = run("ctl", "--dir", folder, "--wait", LIMIT, "showconfig")
    equal(code, 3)
    holds(err, "open to others")


class Terminal:
    def __init__(self, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(PROGRAM, [PROGRAM, *words])
        self.seen = ""

    def wait(self, part):
        until = time.monotonic() + LIMIT
        while part not in self.seen:
            if not select.select([self.fd], [], [], max(0, until - time.monotonic()))[0]:
                raise AssertionError(f"{part!r} did not come: {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode("utf-8", "replace")
        self.seen = self.seen[self.seen.index(part) + len(part):]

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@test
def a_prompt_completes_remembers_and_leaves(folder):
    hub = keeping(folder)
    for leave in ("\x04", "\x03", "quit\r"):
        t = Terminal("ctl", "--dir", os.path.join(folder, "run"), "--wait", str(LIMIT))
        t.wait("meshwork> ")
        t.type("showconf\t\r")
        t.wait('"propagate": "B"')
        t.wait("meshwork> ")
        t.type("showchan\tA\r")
        t.wait("nobody")
        t.wait("meshwork> ")
        t.type("\x1b[A\r")  # the last one again
        t.wait("nobody")
        t.wait("meshwork> ")
        t.type(leave)
        equal(t.end(), 0, leave)
    hub.signal(signal.SIGTERM)
    equal(hub.end(), 0)


if __name__ == "__main__":
    main()
