// What every JavaScript peer checks against an echo: `send(data)` sends a
// string or bytes, `next()` resolves with what came back.
export const bodies = {
  text: 'hello, wörld \u{1F30D}',
  empty: '',
  binary: Uint8Array.from({ length: 256 }, (_, i) => i),
  'text of 125, 126, 65535 and 65536 bytes': [125, 126, 65535, 65536].map((n) => 'x'.repeat(n)),
  'binary of 1 MiB': new Uint8Array(1 << 20).map((_, i) => i * 31),
  'a hundred in order': Array.from({ length: 100 }, (_, i) => `number ${i}`),
};

const same = (a, b) =>
  typeof a === 'string' ? a === b : typeof b !== 'string' && Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;

export async function checkEcho(send, next, note = '') {
  for (const [name, body] of Object.entries(bodies)) {
    const list = Array.isArray(body) ? body : [body];
    for (const one of list) send(one);
    let good = true;
    for (const one of list) good = same(one, await next()) && good;
    console.log(`${good ? 'ok' : 'fail'} ${name}${note}`);
  }
}

// A queue that can be waited on.
export class Mail {
  #have = [];
  #waiting = [];
  put(x) {
    const w = this.#waiting.shift();
    if (w) w(x);
    else this.#have.push(x);
  }
  next = () => (this.#have.length ? Promise.resolve(this.#have.shift()) : new Promise((r) => this.#waiting.push(r)));
}

export const fail = (why) => {
  console.log(`fail ${why}`);
  process.exit(1);
};
setTimeout(() => fail('took more than 60 s'), 60000).unref();
