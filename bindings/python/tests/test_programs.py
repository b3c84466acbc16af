"""The README's programs and the examples, run as a user runs them."""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = pathlib.Path(__file__).resolve().parent.parent
BLOCKS = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(), flags=re.S)
# Where the README's lines about calls stand: between a provider and its consumer.
PAIR = """
import asyncio
import meshwork

async def main():
    async with meshwork.Context() as ctx, ctx.provider(port=0, host="127.0.0.1") as provider:
        async with ctx.consumer(url=provider.address, wire="meshwork") as consumer:
"""


def start(arguments):
    return subprocess.Popen(
        [sys.executable, "-u", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


class Programs(unittest.TestCase):
    def both(self, provider, consumer):
        """Starts provider() and consumer(url); what each said."""
        p = start(provider)
        try:
            url = re.search(r"ws://\S+", p.stdout.readline())
            self.assertIsNotNone(url, p.poll() and p.stderr.read())
            said = subprocess.run([sys.executable, *map(str, consumer(url.group(0)))], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=30)  # fmt: skip
            self.assertEqual((said.returncode, said.stderr), (0, ""))
        finally:
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=30)
        return said.stdout, out, err, p.returncode

    def test_the_examples(self):
        said, out, err, code = self.both([HERE / "examples/provider.py", 0], lambda url: [HERE / "examples/consumer.py", url])
        self.assertIn("Provider Sent: SOME_REPLY", said)
        self.assertIn("Sent: CONSUMER_READY", out)
        self.assertEqual((code, err), (0, ""))

    def test_the_readme(self):
        provider, consumer, *_ = BLOCKS
        # Port 0 and a line that tells it stand in for the README's fixed port.
        provider = provider.replace("8080", "0").replace(
            "        await provider.wait_closed()", "        print(provider.address, flush=True)\n        await provider.wait_closed()"
        )
        said, _, err, _ = self.both(
            ["-c", provider], lambda url: ["-c", consumer.replace("ws://127.0.0.1:8080/connect", url)]
        )
        self.assertEqual(said, "hello\n")
        self.assertIn("KeyboardInterrupt", err)  # Ctrl-C, as in any asyncio program

    def said(self, *arguments):
        r = subprocess.run([sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        return r.stdout

    def test_the_readme_about_calls(self):
        calls = PAIR + textwrap.indent(BLOCKS[2], " " * 12) + "\nasyncio.run(main())\n"
        self.assertEqual(self.said("-c", calls), "3\none\nby\none\n")

    def test_the_readme_about_one_host(self):
        with tempfile.TemporaryDirectory() as folder:
            channel, share = (block.replace('(name="', f'(dir="{folder}", name="') for block in BLOCKS[3:5])
            self.assertEqual(self.said("-c", channel), "log.warn disk nearly full\n")
            self.assertEqual(self.said("-c", share), "leads since 1\nquote of ACME\nACME 42\n")
            out = self.said("-c", BLOCKS[5].replace('node(cluster', f'node(dir="{folder}", cluster'))
            name = out.split()[0]
            self.assertEqual(out, f"{name} asks for tea\n{name} {name} asks for all\n0 others want it\nlog/warn disk {name}\n")

    def test_the_examples_of_several_processes(self):
        for program, line in (("host.py", "There are 3 of us."), ("mesh.py", "10 words\n3 of 3 members count 10\n")):
            with tempfile.TemporaryDirectory() as folder:
                several = [start([HERE / "examples" / program, 3, folder]) for _ in range(3)]
                try:
                    for each in several:
                        out, err = each.communicate(timeout=30)
                        self.assertEqual((each.returncode, err, line in out), (0, "", True), out)
                finally:
                    for each in several:
                        each.kill()

    def test_an_example_says_what_is_wrong(self):
        r = subprocess.run([sys.executable, str(HERE / "examples/provider.py"), "99999"], stderr=subprocess.PIPE, text=True)
        self.assertEqual((r.returncode, "65535" in r.stderr, "Traceback" in r.stderr), (1, True, False), r.stderr)

    def test_examples_are_short(self):
        for path in (HERE / "examples").glob("*.py"):
            self.assertLessEqual(len(path.read_text().splitlines()), 80, path.name)


if __name__ == "__main__":
    unittest.main()
