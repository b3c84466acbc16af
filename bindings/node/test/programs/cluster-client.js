// One process that uses a client through cluster-client, ours or the original.
// usage: cluster-client.js PACKAGE PORT [OPTIONS as JSON]
// stdin: {"do": METHOD, "args": [...]} a line; stdout: {"is": ..., ...} a line
'use strict'
const { EventEmitter } = require('node:events')
const { createInterface } = require('node:readline')
const [name, port, options = '{}'] = process.argv.slice(2)
const cluster = require(name)
const tell = (is, what = {}) => console.log(JSON.stringify({ is, ...what }))
let real

class Data extends EventEmitter {
  constructor (greeting) {
    super()
    real = this
    this.greeting = greeting
    this.wanted = new Map()
    tell('leads')
  }

  ready (f) { setImmediate(f) }
  subscribe (reg, listener) {
    tell('subscribed', { reg })
    this.wanted.set(JSON.stringify(reg), listener)
    if (reg.at) listener({ at: reg.at, now: new Date(0) })
  }

  unSubscribe () {}
  publish (reg) { tell('published', { reg }) }
  async promised (...args) { return { greeting: this.greeting, args: args.slice(0, -1) } }
  * generated (what) { return yield Promise.resolve(what + '!') }
  called (what, callback) { setImmediate(callback, null, what.toUpperCase()) }
  noted (what) { tell('noted', { what }) }
  async refused (why) { throw Object.assign(new RangeError(why), { code: 'E1' }) }
  async slow () { return new Promise(resolve => setTimeout(resolve, 400, 'late')) }
  push (reg, value) { this.wanted.get(JSON.stringify(reg))(value) }
  say (event, what) { this.emit(event, what) }
  close () { tell('real closed') }
}

const quiet = { info () {}, warn () {}, error () {}, debug () {} }
const client = cluster(Data, { port: Number(port), logger: quiet, ...JSON.parse(options) })
  .delegate('called').delegate('noted', 'invokeOneway').override('kind', 'wrapped').create('hello')
client.on('error', ({ name, message }) => tell('error', { name, message }))
client.on('news', what => tell('news', { what }))
client.ready().then(() => tell('ready', { leads: Boolean(client.isClusterClientLeader), kind: client.kind }),
  error => tell('failed', { message: error.message }))
const value = v => tell('value', { value: v, dated: v?.now instanceof Date })
const verbs = {
  subscribe: reg => client.subscribe(reg, value),
  unSubscribe: reg => client.unSubscribe(reg, value),
  push: (reg, v) => real.push(reg, v),
  say: (event, what) => real.say(event, what),
  called: what => client.called(what, (error, v) => tell('answer', { value: v, error: error?.message })),
  generated: what => {
    const steps = client.generated(what) // as co walks it
    const step = steps.next().value
    const done = v => tell('answer', { value: steps.next(v).value })
    typeof step === 'function' ? step((error, v) => done(v)) : step.then(done)
  },
  close: () => cluster.close(client).then(() => tell('closed'))
}
createInterface({ input: process.stdin }).on('line', line => {
  const { do: what, args } = JSON.parse(line)
  const given = (verbs[what] ?? client[what].bind(client))(...args)
  if (!(what in verbs) && typeof given?.then === 'function') {
    given.then(v => tell('answer', { value: v }), ({ name, message, code }) => tell('answer', { error: { name, message, code } }))
  }
}).on('close', () => process.exit(0))
