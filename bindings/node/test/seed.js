// Both ends of the package network-cluster's wire, written from its description
// on the package ws: what our entry point has to get along with.
'use strict'
const { EventEmitter } = require('node:events')
const { WebSocket, WebSocketServer } = require('ws')

/** A provider: heartbeat text, PING every interval, strikes. */
class SeedProvider extends EventEmitter {
  constructor ({ interval = 10000, parameters = {} } = {}) {
    super()
    this.server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      path: '/connect',
      verifyClient: ({ req }, answer) => {
        const query = new URL(req.url, 'ws://x').searchParams
        const fits = Object.entries(parameters).every(([key, value]) => query.get(key) === value)
        answer(fits, 403, 'Unauthorized')
      }
    })
    this.server.on('connection', (ws, req) => {
      ws.parameters = Object.fromEntries(new URL(req.url, 'ws://x').searchParams)
      ws.send(`PROVIDER_HEARTBEAT|${interval}`)
      const timer = setInterval(() => ws.send('PING'), interval)
      ws.on('message', (data, binary) => {
        if (!binary && String(data) === 'PONG') this.emit('pong', ws)
        else this.emit('message', ws, binary ? data : String(data))
      })
      ws.on('close', code => {
        clearInterval(timer)
        this.emit('close', ws, code)
      })
      this.emit('open', ws)
    })
  }

  get port () { return this.server.address().port }
  close () {
    for (const ws of this.server.clients) ws.terminate()
    return new Promise(resolve => this.server.close(resolve))
  }
}

/** A consumer: answers PING with PONG, everything else is a message. */
class SeedConsumer extends EventEmitter {
  constructor (port, parameters = {}, { answers = true, options } = {}) {
    super()
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/connect?${new URLSearchParams(parameters)}`, options)
    this.pings = 0
    this.ws.on('open', () => this.emit('open'))
    this.ws.on('message', (data, binary) => {
      const text = String(data)
      if (!binary && text.startsWith('PROVIDER_HEARTBEAT|')) this.interval = Number(text.split('|')[1])
      else if (!binary && text === 'PING') {
        this.pings++
        if (answers) this.ws.send('PONG')
        this.emit('beat')
      } else this.emit('message', binary ? data : text)
    })
    this.ws.on('unexpected-response', (_, response) => {
      let body = ''
      response.on('data', chunk => { body += chunk })
      response.on('end', () => this.emit('refused', response.statusCode, body))
    })
    this.ws.on('close', (code, reason) => this.emit('close', code, String(reason)))
    this.ws.on('error', () => {})
  }
}

module.exports = { SeedProvider, SeedConsumer }
