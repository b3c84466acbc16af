// A neighbour from npm: emitWithAck of socket.io over a WebSocket.
//   socketio_calls.js serve MODULES PORT | call MODULES PORT IN_FLIGHT SECONDS      as node_mesh.js
'use strict'
const [, , role, modules, port, inFlight, seconds] = process.argv
const { createRequire } = require('module')
const load = createRequire(`${modules}/`)
const { measure } = require('./calling')

if (role === 'serve') {
  const server = require('http').createServer()
  const io = new (load('socket.io').Server)(server)
  io.on('connection', (socket) => socket.on('echo', (what, answer) => answer(what)))
  server.listen(Number(port), '127.0.0.1', () => console.log('up'))
} else {
  const socket = load('socket.io-client').io(`ws://127.0.0.1:${port}`, { transports: ['websocket'] })
  socket.on('connect_error', (error) => { console.error(error); process.exit(1) })
  socket.once('connect', () => measure((what) => socket.emitWithAck('echo', what), inFlight, seconds))
}
