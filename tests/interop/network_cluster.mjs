// The wire of network-cluster as its own provider and consumer spoke it,
// written from its behaviour, on npm ws (that package is not published any more).
// usage: network_cluster.mjs provider | consumer URL_WITHOUT_QUERY KEY | refused URL KEY
import { createServer } from 'node:http';
import WebSocket, { WebSocketServer } from 'ws';
import { fail, Mail } from './checks.mjs';

const [role, url, key] = process.argv.slice(2);
const tell = (good, what) => console.log(`${good ? 'ok' : 'fail'} ${what}`);
const INTERVAL = 100;

// Its consumer: answers PING with PONG, keeps both to itself.
if (role === 'consumer' || role === 'refused') {
  const socket = new WebSocket(`${url}?key=${encodeURIComponent(key)}&name=${encodeURIComponent('a b')}`);
  const mail = new Mail();
  let beats = 0;
  let duration = 0;
  socket.on('unexpected-response', (_, response) => {
    tell(role === 'refused' && response.statusCode === 403, `the wrong key is refused with ${response.statusCode}`);
    let body = '';
    response.on('data', (d) => (body += d));
    response.on('end', () => {
      tell(body === 'Unauthorized', `and says ${body}`);
      process.exit(0);
    });
  });
  socket.on('error', (e) => { if (role === 'consumer') fail(e.message); });
  socket.on('message', (data) => {
    const text = data.toString();
    if (text.startsWith('PROVIDER_HEARTBEAT|')) duration = Number(text.split('|')[1]);
    else if (text === 'PING') { beats++; socket.send('PONG'); mail.put('beat'); }
    else mail.put(text);
  });
  socket.on('open', async () => {
    if (role === 'refused') return fail('was let in with the wrong key');
    socket.send('hello from the original');
    let text = await mail.next();
    while (text === 'beat') text = await mail.next();
    tell(text === 'hello from the original', 'a message comes back');
    while (beats < 4) await mail.next();
    tell(duration === INTERVAL, `the provider told its heartbeat (${duration})`);
    tell(socket.readyState === WebSocket.OPEN, 'four heartbeats later the link is up');
    socket.on('close', () => process.exit(0));
    socket.close();
  });
}

// Its provider: parameters in the query, 403 Unauthorized, PING to each
// connection and a strike for each that did not answer.
if (role === 'provider') {
  const http = createServer((_, response) => response.end('Hello World'));
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  http.on('upgrade', (request, socket, head) => {
    const query = new URL(request.url, 'http://x').searchParams;
    if (query.get('key') !== 's3cret' || request.url.split('?')[0] !== '/connect') {
      tell(query.get('key') === 'wrong', 'the wrong parameters came');
      return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\nConnection: close\r\n\r\nUnauthorized');
    }
    tell(query.get('name') === 'a b', 'parameters came in the query');
    server.handleUpgrade(request, socket, head, (ws) => server.emit('connection', ws));
  });
  server.on('connection', async (ws) => {
    const mail = new Mail();
    let pongs = 0;
    let waiting = false;
    let strikes = 0;
    ws.send(`PROVIDER_HEARTBEAT|${INTERVAL}`);
    const cycle = setInterval(() => {
      if (!waiting) { waiting = true; ws.send('PING'); }
      else if (++strikes > 2) { tell(false, 'struck out'); ws.terminate(); }
    }, INTERVAL);
    ws.on('message', (data) => {
      const text = data.toString();
      if (text === 'PONG') { pongs++; waiting = false; strikes = 0; mail.put('beat'); }
      else mail.put(text);
    });
    ws.on('error', (e) => fail(e.message));
    ws.on('close', () => { clearInterval(cycle); process.exit(0); });
    ws.send('hello from the original');
    let text = await mail.next();
    while (text === 'beat') text = await mail.next();
    tell(text === 'hello from the original', 'a message comes back');
    while (pongs < 4) await mail.next();
    tell(strikes === 0, 'four heartbeats were answered');
    ws.close(1000, 'enough');
  });
  http.listen(0, '127.0.0.1', () => console.log(`listening ws://127.0.0.1:${http.address().port}/connect`));
}
