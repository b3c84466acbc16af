// Echo server on ws; prints its url.
'use strict'
const { WebSocketServer } = require('ws')

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, { binary })))
server.on('listening', () => console.log(`ws://127.0.0.1:${server.address().port}/connect`))
