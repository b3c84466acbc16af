"""Certificates of one test run, made with openssl: python3 certs.py DIR.

ca.pem signs server.pem (localhost, 127.0.0.1, ::1), server2.pem (the same
names, another key, for rotation), client.pem and expired.pem; stranger.pem is
signed by nobody we know."""
import os
import subprocess
import sys


def _run(*args):
    r = subprocess.run(['openssl', *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if r.returncode:
        raise RuntimeError('openssl ' + ' '.join(args) + ': ' + r.stdout.decode())


def make(folder):
    os.makedirs(folder, exist_ok=True)

    def at(name):
        return os.path.join(folder, name)

    with open(at('names.ext'), 'w') as f:
        f.write('subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n')
    key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    for name in ('ca', 'stranger'):
        _run('req', '-x509', *key, '-days', '2', '-subj', f'/CN={name}', '-keyout', at(f'{name}.key'), '-out',
             at(f'{name}.pem'), '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1')
    for name in ('server', 'server2', 'client', 'expired'):
        _run('req', *key, '-subj', f'/CN={name}', '-keyout', at(f'{name}.key'), '-out', at(f'{name}.csr'))
        if name == 'expired':
            open(at('index.txt'), 'w').close()
            with open(at('ca.conf'), 'w') as f:
                f.write('[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\n'
                        'policy=p\n[p]\ncommonName=supplied\n' % (at('index.txt'), at('serial'), folder))
            with open(at('serial'), 'w') as f:
                f.write('1000\n')
            _run('ca', '-batch', '-config', at('ca.conf'), '-cert', at('ca.pem'), '-keyfile', at('ca.key'), '-in',
                 at('expired.csr'), '-out', at('expired.pem'), '-startdate', '20200101000000Z', '-enddate',
                 '20200102000000Z', '-extfile', at('names.ext'), '-notext')
        else:
            _run('x509', '-req', '-in', at(f'{name}.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'),
                 '-CAcreateserial', '-days', '2', '-extfile', at('names.ext'), '-out', at(f'{name}.pem'))
    _run('pkey', '-in', at('server.key'), '-aes256', '-passout', 'pass:open sesame', '-out', at('locked.key'))
    return folder


if __name__ == '__main__':
    make(sys.argv[1])
