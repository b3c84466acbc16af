// The neighbour from npm: an echo by `ws`, without compression. Runs where `ws` was installed.
const { WebSocketServer } = require(process.argv[2]);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });
server.on('listening', () => console.log(`port ${server.address().port}`));
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', () => {});
});
