// undici's WebSocket (the one inside Node) as client of our provider.
// usage: undici_peer.mjs client URL [deflate] [CA]
import { readFileSync } from 'node:fs';
import { Agent, WebSocket } from 'undici';
import { checkEcho, fail, Mail } from './checks.mjs';

const [, url, ...rest] = process.argv.slice(2);
const ca = rest.find((x) => x.endsWith('.pem'));
const mail = new Mail();
const dispatcher = ca ? new Agent({ connect: { ca: readFileSync(ca) } }) : undefined;
const socket = new WebSocket(url, { dispatcher });
socket.binaryType = 'arraybuffer';
socket.onerror = (e) => fail(`error: ${e.error?.message ?? e.message}`);
socket.onmessage = (e) => mail.put(typeof e.data === 'string' ? e.data : new Uint8Array(e.data));
socket.onopen = async () => {
  await checkEcho((x) => socket.send(x), mail.next);
  const agreed = socket.extensions.includes('permessage-deflate');
  console.log(`${agreed === rest.includes('deflate') ? 'ok' : 'fail'} compression as asked (${socket.extensions})`);
  socket.onclose = (e) => {
    console.log(`${e.code === 4001 ? 'ok' : `fail (${e.code})`} close code comes back`);
    process.exit(0);
  };
  socket.close(4001, 'enough');
};
