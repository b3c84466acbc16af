#!/usr/bin/env python3
"""Other people's peers against our echo provider and our echo consumer.

usage: run.py --provider PROGRAM --consumer PROGRAM --agent SCENARIO_AGENT --build FOLDER [--only TEXT]
npm's ws, undici and cluster-client, Python's websockets and headless Chromium are installed
into FOLDER or found; each that is missing is skipped, loudly. Each prints
"ok WHAT" or "fail WHAT". Last line: N passed, N failed, N skipped."""
import argparse
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, '..', 'scenario'))
import certs  # noqa: E402

LIMIT = 90  # seconds one pair may take


class Count:
    passed = failed = skipped = 0

    def lines(self, name, text, code=0, detail=''):
        """Counts the ok and fail lines of one peer."""
        seen = 0
        for line in text.splitlines():
            word, _, what = line.partition(' ')
            if word == 'ok':
                self.passed, seen = self.passed + 1, seen + 1
            elif word == 'fail':
                self.fail(f'{name}: {what}')
                seen += 1
        if not seen or code:
            self.fail(f'{name}: exit code {code}, {seen} checks\n{text[-2000:]}{detail[-3000:]}')
        else:
            print(f'{name}: {seen} checks', flush=True)

    def fail(self, text):
        self.failed += 1
        print('FAILED  ' + text, flush=True)

    def skip(self, what, why):
        self.skipped += 1
        print(f'SKIPPED {what}: {why}', flush=True)


class Peers:
    def __init__(self, args):
        self.args, self.count = args, Count()
        os.makedirs(args.build, exist_ok=True)
        self.certs = certs.make(os.path.join(args.build, 'certs'))
        self.node = self.python = ''

    def cert(self, name):
        return os.path.join(self.certs, name)

    # -- set-up
    def install_node(self):
        node, npm = shutil.which('node'), shutil.which('npm')
        if not node or not npm:
            return 'node and npm are not installed'
        folder = os.path.join(self.args.build, 'node')
        os.makedirs(folder, exist_ok=True)
        for name in os.listdir(HERE):
            if name.endswith(('.mjs', '.json')):
                shutil.copy(os.path.join(HERE, name), folder)
        stamp = os.path.join(folder, 'installed.json')
        want = open(os.path.join(HERE, 'package.json')).read()
        if not os.path.exists(stamp) or open(stamp).read() != want:
            r = subprocess.run([npm, 'install', '--no-audit', '--no-fund', '--no-package-lock'], cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if r.returncode:
                return f'npm install failed: {r.stdout[-500:]}'
            with open(stamp, 'w') as f:
                f.write(want)
        self.node, self.folder = node, folder
        return ''

    def install_python(self):
        env = os.path.join(self.args.build, 'python')
        stamp = os.path.join(env, 'requirements.txt')
        want = os.path.join(HERE, 'requirements.txt')
        if not os.path.exists(stamp) or open(stamp).read() != open(want).read():
            for step in ([sys.executable, '-m', 'venv', '--clear', env],
                         [os.path.join(env, 'bin', 'pip'), 'install', '-q', '-r', want]):
                r = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                if r.returncode:
                    return f'{" ".join(step[1:4])} failed: {r.stdout[-500:]}'
            shutil.copy(want, stamp)
        self.python = os.path.join(env, 'bin', 'python')
        return ''

    # -- pairs
    def wanted(self, name):
        return self.args.only in name

    def provider(self, *options):
        p = subprocess.Popen([self.args.provider, 'events=-log', *options], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = p.stdout.readline().split()
        if len(line) != 2:
            p.kill()
            raise RuntimeError(f'our provider did not start: {p.stderr.read()}')
        return p, line[1]

    def finish(self, name, p):
        try:
            _, errors = p.communicate(timeout=20)
            if p.returncode:
                self.count.fail(f'{name}: our side ended with {p.returncode}: {errors[-2000:]}')
        except subprocess.TimeoutExpired:
            p.kill()
            self.count.fail(f'{name}: our side did not end')

    def their_client(self, name, command, options, arguments):
        if not self.wanted(name):
            return
        p, url = self.provider(*options)
        try:
            r = subprocess.run([*command, 'client', url, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, timeout=LIMIT)
            self.count.lines(name, r.stdout, r.returncode, r.stderr)
        except subprocess.TimeoutExpired as e:
            self.count.fail(f'{name}: hangs: {(e.stdout or b"").decode()}')
        self.finish(name, p)

    def their_server(self, name, command, options, arguments, url_tail=''):
        if not self.wanted(name):
            return
        server = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        guard = threading.Timer(LIMIT, server.kill)
        guard.start()
        try:
            line = server.stdout.readline().split()
            if len(line) != 2:
                return self.count.fail(f'{name}: their server did not start: {server.stderr.read()}')
            ours = subprocess.Popen([self.args.consumer, line[1] + url_tail, *options], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
            text, errors = server.communicate()
            self.finish(name, ours)
            self.count.lines(name, text, server.returncode, errors)
        finally:
            guard.cancel()
            server.kill()

    def matrix(self, name, command, server=True):
        ca, key, cert = self.cert('ca.pem'), self.cert('server.key'), self.cert('server.pem')
        big = ['recv.max_message=16MiB', 'send.max_bytes=64MiB', 'wire=raw']
        for deflate in (False, True):
            ours = [*big, 'compress=32k', 'compress.min_bytes=0', 'compress.max_ratio=100000'] if deflate else big
            theirs = ['deflate'] if deflate else []
            for tls in (False, True):
                what = f'{name}{" deflate" if deflate else ""}{" tls" if tls else ""}'
                self.their_client(f'{what} client', command, [*ours, *([f'tls.key_file={key}', f'tls.cert_file={cert}'] if tls else [])],
                                  [*theirs, *([ca] if tls else [])])
                if server:
                    self.their_server(f'{what} server', command, [*ours, *([f'tls.ca_file={ca}'] if tls else [])],
                                      ['server', *theirs, *([key, cert] if tls else [])])

    def network_cluster(self):
        peer = [self.node, os.path.join(self.folder, 'network_cluster.mjs')]
        ours = ['preset=network-cluster', 'heartbeat.interval=100ms', 'auth.parameters={"key":"s3cret","name":"a b"}']
        for role, key in (('consumer', 's3cret'), ('refused', 'wrong')):
            name = f'network-cluster {role}'
            if not self.wanted(name):
                continue
            p, url = self.provider(*ours)
            try:
                r = subprocess.run([*peer, role, url, key], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   timeout=LIMIT)
                self.count.lines(name, r.stdout, r.returncode, r.stderr)
            except subprocess.TimeoutExpired:
                self.count.fail(f'{name}: hangs')
            self.finish(name, p)
        self.their_server('network-cluster provider', peer,
                          ['preset=network-cluster', 'parameters={"key":"s3cret","name":"a b"}'], ['provider'])

    def cluster_client(self):
        name = 'cluster-client'
        if not self.wanted(name):
            return
        try:
            r = subprocess.run([sys.executable, '-B', os.path.join(HERE, 'cluster_client.py'), '--agent', self.args.agent,
                                '--folder', self.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=2 * LIMIT)
            self.count.lines(name, r.stdout, r.returncode, r.stderr)
        except subprocess.TimeoutExpired as e:
            self.count.fail(f'{name}: hangs: {(e.stdout or b"").decode()}')

    def chromium(self):
        browser = next((b for b in map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome')) if b), None)
        if browser is None:
            return self.count.skip('chromium', 'no headless Chromium is installed')
        got, results = threading.Event(), []
        page = open(os.path.join(HERE, 'page.html'), 'rb').read()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Type', 'text/html; charset=utf-8')
                self.end_headers()
                self.wfile.write(page)

            def do_POST(self):
                results.append(self.rfile.read(int(self.headers['Content-Length'])).decode())
                self.send_response(204)
                self.end_headers()
                got.set()

            def log_message(self, *_):
                pass
        web = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        origin = f'http://127.0.0.1:{web.server_address[1]}'
        tls = [f'tls.key_file={self.cert("server.key")}', f'tls.cert_file={self.cert("server.pem")}']
        for name, options, good in (('chromium', [f'http.origins={origin}'], True),
                                    ('chromium tls', [f'http.origins={origin}', *tls], True),
                                    ('chromium from a foreign origin', [], False)):
            if not self.wanted(name):
                continue
            p, url = self.provider('wire=raw', 'compress=32k', 'compress.min_bytes=0', 'compress.max_ratio=100000', *options)
            got.clear()
            results.clear()
            with tempfile.TemporaryDirectory() as profile:
                b = subprocess.Popen([browser, '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                                      '--ignore-certificate-errors', '--no-first-run', '--no-proxy-server',
                                      f'--user-data-dir={profile}', f'{origin}/?url={urllib.parse.quote(url)}'],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
                came = got.wait(LIMIT)
                b.terminate()
                try:
                    _, errors = b.communicate(timeout=20)
                except subprocess.TimeoutExpired:
                    b.kill()
                    _, errors = b.communicate()
            if not came:
                self.count.fail(f'{name}: the page did not answer\n{errors[-2000:]}')
            elif good:
                self.count.lines(name, results[0])
            else:
                self.count.lines(name, 'ok refused\n' if results[0].startswith('fail error') else 'fail was let in\n')
            self.finish(name, p)
        web.shutdown()

    def run(self):
        why = self.install_node()
        if why:
            for what in ('ws', 'undici', 'network-cluster', 'cluster-client'):
                self.count.skip(what, why)
        else:
            self.matrix('ws', [self.node, os.path.join(self.folder, 'ws_peer.mjs')])
            self.matrix('undici', [self.node, os.path.join(self.folder, 'undici_peer.mjs')], server=False)
            self.network_cluster()
            self.cluster_client()
        why = self.install_python()
        if why:
            self.count.skip('websockets', why)
        else:
            self.matrix('websockets', [self.python, os.path.join(HERE, 'websockets_peer.py')])
        self.chromium()
        c = self.count
        print(f'{c.passed} passed, {c.failed} failed, {c.skipped} skipped')
        return 1 if c.failed or not c.passed + c.skipped else 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--provider', required=True)
    p.add_argument('--consumer', required=True)
    p.add_argument('--agent', required=True)
    p.add_argument('--build', required=True)
    p.add_argument('--only', default='')
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    return Peers(args).run()


if __name__ == '__main__':
    sys.exit(main())
