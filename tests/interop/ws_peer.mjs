// ws (npm) as client of our provider or server for our consumer.
// usage: ws_peer.mjs client URL [deflate] [CA]   |   server [deflate] [KEY CERT]
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import WebSocket, { WebSocketServer } from 'ws';
import { checkEcho, fail, Mail } from './checks.mjs';

const [role, ...rest] = process.argv.slice(2);
const deflate = rest.includes('deflate');
const files = rest.filter((x) => x.endsWith('.pem') || x.endsWith('.key'));

function wire(socket, mail) {
  socket.on('message', (data, binary) => mail.put(binary ? new Uint8Array(data) : data.toString()));
  socket.on('error', (e) => fail(`error: ${e.message}`));
}

async function talk(socket, mail) {
  await checkEcho((x) => socket.send(x), mail.next);
  const pong = new Promise((r) => socket.once('pong', (d) => r(d.toString())));
  socket.ping('are you there');
  console.log(`${(await pong) === 'are you there' ? 'ok' : 'fail'} pong`);
  socket.send('frag', { fin: false });
  socket.send('ments', { fin: true });
  console.log(`${(await mail.next()) === 'fragments' ? 'ok' : 'fail'} fragments`);
  const agreed = socket.extensions.includes('permessage-deflate');
  console.log(`${agreed === deflate ? 'ok' : 'fail'} compression is ${deflate ? 'on' : 'off'}`);
  const closed = new Promise((r) => socket.once('close', (code) => r(code)));
  socket.close(4001, 'enough');
  console.log(`${(await closed) === 4001 ? 'ok' : `fail (${await closed})`} close code comes back`);
}

if (role === 'client') {
  const mail = new Mail();
  const socket = new WebSocket(rest[0], {
    perMessageDeflate: deflate ? { threshold: 0 } : false,
    ca: files.length ? readFileSync(files[0]) : undefined,
  });
  wire(socket, mail);
  socket.on('open', async () => {
    await talk(socket, mail);
    process.exit(0);
  });
} else {
  const options = { perMessageDeflate: deflate ? { threshold: 0 } : false, maxPayload: 1 << 24 };
  const tls = files.length ? createServer({ key: readFileSync(files[0]), cert: readFileSync(files[1]) }) : null;
  const server = new WebSocketServer(tls ? { ...options, server: tls } : { ...options, host: '127.0.0.1', port: 0 });
  const ready = () => {
    const { port } = (tls ?? server).address();
    console.log(`listening ${tls ? 'wss' : 'ws'}://127.0.0.1:${port}/connect`);
  };
  if (tls) tls.listen(0, '127.0.0.1', ready);
  else server.on('listening', ready);
  server.on('connection', async (socket) => {
    const mail = new Mail();
    wire(socket, mail);
    await talk(socket, mail);
    process.exit(0);
  });
}
