// The entry point network-cluster against itself and against peers of the
// original wire.
'use strict'
const assert = require('node:assert/strict')
const { once, EventEmitter } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Readable } = require('node:stream')
const { execFileSync } = require('node:child_process')
const { test } = require('node:test')
const NetworkCluster = require('meshwork/network-cluster')
const { run, programs } = require('./kit')

const { COMPRESSORS } = NetworkCluster
let seed
try {
  seed = require('./seed')
} catch {
  test('peers of the original wire', { skip: 'the package ws is not installed' })
}

const listening = provider => once(provider.core, 'up')

async function pair (options = {}, more = {}) {
  const provider = new NetworkCluster.Provider({ port: 0, host: '127.0.0.1', ...options })
  await listening(provider)
  const consumer = new NetworkCluster.Consumer({ host: '127.0.0.1', port: provider.port, path: provider.path, ...more })
  const came = once(provider.events, 'open')
  await consumer.connect()
  const [connection] = await came
  const end = async () => {
    await consumer.destroy()
    await provider.destroy()
  }
  return { provider, consumer, connection, end }
}

test('properties, events and messages of both', async () => {
  const { provider, consumer, connection, end } = await pair(
    { path: '/join', auth: { parameters: { key: 'SECRET_KEY' } } },
    { parameters: { key: 'SECRET_KEY', something1: 'Some Value 1' } })
  assert.ok(provider.port > 0)
  assert.equal(provider.path, '/join')
  assert.ok(provider.events instanceof EventEmitter && consumer.events instanceof EventEmitter)
  assert.equal(provider.server, undefined)
  assert.equal(provider.connections[connection.id], connection)
  assert.match(connection.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(connection.ip, '127.0.0.1')
  assert.ok(connection.remote_port > 0)
  assert.deepEqual(connection.parameters, { key: 'SECRET_KEY', something1: 'Some Value 1' })
  assert.deepEqual(connection.context, {})
  assert.equal(connection.raw, null)
  assert.equal(connection.strikes, 0)
  assert.equal(connection.closed, false)
  assert.equal(consumer.connected, true)
  assert.equal(consumer.in_flight, false)
  assert.equal(consumer.ws.readyState, 1)
  const heard = once(provider.events, 'message')
  assert.equal(consumer.send('CONSUMER_READY'), true)
  assert.deepEqual(await heard, [connection, 'CONSUMER_READY'])
  const reply = once(consumer.events, 'message')
  assert.equal(connection.send('SOME_REPLY'), 1)
  assert.deepEqual(await reply, ['SOME_REPLY'])
  assert.throws(() => consumer.send(5), /message must be a String/)
  const closed = once(provider.events, 'close')
  connection.close(4001, 'bye')
  const [who, code] = await closed
  assert.equal(who, connection)
  assert.equal(code, 4001)
  assert.equal(connection.closed, true)
  assert.equal(connection.send('x'), 0)
  assert.deepEqual(provider.connections, {})
  await end()
})

test('constructors connect and listen as that package does', async () => {
  const consumer = new NetworkCluster.Consumer({ host: '127.0.0.1', port: 1, reconnect: { interval: 1, max_attempts: 1 } })
  assert.equal(consumer.connected || consumer.in_flight, false)
  await assert.rejects(consumer.ready(), /Instance is not in flight. Please call Consumer.connect\(\) first./)
  let closes = 0
  consumer.on('close', () => closes++)
  const first = consumer.connect()
  assert.equal(consumer.in_flight, true)
  await Promise.all([assert.rejects(first, { code: 'MW_EREFUSED' }), assert.rejects(consumer.ready())])
  await consumer.core.closed
  assert.equal(closes, 1)
  const waiting = new NetworkCluster.Consumer({ host: '127.0.0.1', port: 1, reconnect: { interval: 100000 } })
  const never = waiting.connect()
  waiting.destroy()
  await assert.rejects(never, /Instance Destroyed/)
  assert.throws(() => new NetworkCluster.Provider({ ws: { compressor: 5 } }), /COMPRESSORS/)
})

test('topics: subscribe, publish, unsubscribe', async () => {
  const { provider, consumer, connection, end } = await pair()
  const other = new NetworkCluster.Consumer({ host: '127.0.0.1', port: provider.port })
  const came = once(provider.events, 'open')
  await other.connect()
  const [second] = await came
  const told = once(connection, 'subscription')
  assert.equal(connection.subscribe('news/#'), true)
  assert.deepEqual(await told, ['news/#', 1, 0])
  assert.equal(connection.is_subscribed('news/today'), true)
  assert.deepEqual(connection.topics, ['news/#'])
  const heard = once(consumer.events, 'message')
  assert.equal(second.publish('news/today', 'extra'), true)
  assert.deepEqual(await heard, ['extra'])
  assert.equal(connection.unsubscribe('news/#'), true)
  assert.equal(connection.unsubscribe('news/#'), false)
  assert.equal(connection.subscribe('a/#/b'), false)
  await other.destroy()
  await end()
})

test('stream, writable, atomic, one stream at a time', async () => {
  const { consumer, connection, end } = await pair({}, { 'recv.max_message': '8MiB' })
  const next = () => once(consumer.events, 'message').then(([m]) => m)
  let heard = next()
  await connection.stream(Readable.from(['one ', 'two ', 'three']), false)
  assert.equal(await heard, 'one two three')
  heard = next()
  const large = Array.from({ length: 64 }, (_, i) => Buffer.alloc(64 << 10, i))
  const streaming = connection.stream(Readable.from(large))
  assert.throws(() => connection.writable, /streamed/)
  await streaming
  assert.ok((await heard).equals(Buffer.concat(large)))
  heard = next()
  const writable = connection.writable
  writable.write('a')
  writable.end('b')
  assert.equal(String(await heard), 'ab')
  const both = []
  heard = new Promise(resolve => consumer.on('message', m => both.push(m) === 2 && resolve()))
  connection.atomic(() => {
    connection.send('first')
    connection.send('second')
  })
  await heard
  assert.deepEqual(both, ['first', 'second'])
  await end()
})

test('ping, pong, bad closes, destroy', async () => {
  const { consumer, connection, end } = await pair()
  const pong = once(connection, 'pong')
  assert.equal(connection.ping('x'), 1)
  assert.equal(String((await pong)[0]), 'x')
  assert.throws(() => connection.close(1005), RangeError)
  assert.throws(() => connection.close(1000, 'r'.repeat(124)), RangeError)
  const lost = once(consumer.events, 'disconnect')
  connection.destroy()
  assert.equal((await lost)[0], 1006)
  await end()
})

test('above max_backpressure the connection is ended', async () => {
  const { provider, consumer, connection, end } = await pair({ ws: { max_backpressure: 256 << 10 } })
  consumer.core.pause()
  const closed = once(provider.events, 'close')
  const verdicts = new Set()
  while (!connection.closed) {
    verdicts.add(connection.send('x'.repeat(32 << 10)))
    await new Promise(resolve => setImmediate(resolve))
  }
  await closed
  assert.ok(verdicts.has(1) && verdicts.has(0))
  await end()
})

test('messages above max_payload_length close with 1009', async () => {
  const { provider, consumer, end } = await pair({ ws: { max_payload_length: 1024 } })
  const closed = once(provider.events, 'close')
  consumer.send('x'.repeat(1025))
  assert.equal((await closed)[1], 1009)
  await end()
})

test('every compressor', async () => {
  for (const compressor of Object.values(COMPRESSORS)) {
    const { consumer, connection, end } = await pair({ ws: { compressor } }, { compress: compressor === 0 ? 'off' : 'shared' })
    const heard = once(consumer.events, 'message')
    connection.send('again and '.repeat(1000), false, true)
    assert.equal((await heard)[0].length, 10000)
    await end()
  }
})

test('the handler decides, also later, and may fail', async () => {
  const errors = []
  const provider = new NetworkCluster.Provider({
    port: 0,
    host: '127.0.0.1',
    auth: {
      handler: async (request, parameters) => {
        assert.equal(request.method, 'GET')
        assert.equal(request.path, '/connect')
        assert.equal(request.query_parameters, parameters)
        assert.match(request.headers.upgrade, /websocket/i)
        await null
        if (parameters.name === 'bad') throw new Error('handler failed')
        return parameters.name === 'good'
      }
    }
  })
  provider.set_error_handler(error => errors.push(error.message))
  await listening(provider)
  const join = name => {
    const consumer = new NetworkCluster.Consumer({ host: '127.0.0.1', port: provider.port, parameters: { name } })
    return consumer.connect().finally(() => consumer.destroy())
  }
  await join('good')
  await assert.rejects(join('other'), /Unexpected server response: 403/)
  await assert.rejects(join('bad'), /403/)
  assert.deepEqual(errors, ['handler failed'])
  await provider.destroy()
})

test('the debug loggers', async () => {
  const lines = []
  const provider = new NetworkCluster.Provider({ port: 0, host: '127.0.0.1', heartbeat: { interval: 20 } })
  provider.set_debug_logger(line => lines.push(line))
  await listening(provider)
  const consumer = new NetworkCluster.Consumer({ host: '127.0.0.1', port: provider.port })
  const own = []
  consumer.set_debug_logger(line => own.push(line))
  const came = once(provider.events, 'open')
  await consumer.connect()
  const [{ id }] = await came
  const closed = once(provider.events, 'close')
  await consumer.destroy()
  await closed
  await provider.destroy()
  for (const line of [`CONNECTION_OPEN|${id}`, `CONNECTION_CLOSE|${id}|1000|`]) assert.ok(lines.includes(line), lines.join('\n'))
  assert.ok(lines.some(line => line.startsWith('SERVER_ACTIVE|')) && lines.some(line => line.startsWith('CONNECTION_UPGRADE|')))
  assert.ok(own.includes('CONNECTED') && own.includes('CLOSED'), own.join('\n'))
})

test('TLS with a passphrase', async t => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cluster'))
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-passout', 'pass:strong',
      '-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
      '-keyout', path.join(dir, 'key.pem'), '-out', path.join(dir, 'cert.pem')], { stdio: 'ignore' })
  } catch {
    return t.skip('no openssl program')
  }
  const { consumer, connection, end } = await pair(
    { ssl: { key: path.join(dir, 'key.pem'), cert: path.join(dir, 'cert.pem'), passphrase: 'strong', prefer_low_memory_usage: true } },
    { ssl: { ca_file: path.join(dir, 'cert.pem') } })
  const heard = once(consumer.events, 'message')
  connection.send('private')
  assert.deepEqual(await heard, ['private'])
  await end()
  fs.rmSync(dir, { recursive: true })
})

test('the README programs of that package, with the require changed', async () => {
  const { code, out } = await run(path.join(programs, 'cluster-readme.js'))
  assert.equal(code, 0, out)
  assert.match(out, /Sent: CONSUMER_READY/)
  assert.match(out, /Successfully Connected To Provider! Ready For Work!/)
  assert.match(out, /Provider Sent: SOME_REPLY/)
})

if (seed) {
  test('our provider, an original consumer', async () => {
    const provider = new NetworkCluster.Provider({ port: 0, host: '127.0.0.1', auth: { parameters: { key: 'k' } }, heartbeat: { interval: 20 } })
    await listening(provider)
    const came = once(provider.events, 'open')
    const consumer = new seed.SeedConsumer(provider.port, { key: 'k', name: 'a b' })
    const [connection] = await came
    assert.deepEqual(connection.parameters, { key: 'k', name: 'a b' })
    await once(consumer, 'beat')
    await once(consumer, 'beat')
    assert.equal(consumer.interval, 20)
    assert.ok(connection.last_ping > 0)
    const heard = once(provider.events, 'message')
    consumer.ws.send('hello')
    assert.equal((await heard)[1], 'hello')
    const got = once(consumer, 'message')
    connection.send('you')
    assert.deepEqual(await got, ['you'])
    const gone = once(consumer, 'close')
    connection.close(4002, 'enough')
    assert.deepEqual(await gone, [4002, 'enough'])
    const stranger = new seed.SeedConsumer(provider.port, { key: 'wrong' })
    assert.deepEqual(await once(stranger, 'refused'), [403, 'Unauthorized'])
    await provider.destroy()
  })

  test('our provider strikes an original consumer that is silent', async () => {
    const provider = new NetworkCluster.Provider({ port: 0, host: '127.0.0.1', heartbeat: { interval: 20, max_strikes: 2 } })
    const lines = []
    provider.set_debug_logger(line => lines.push(line))
    await listening(provider)
    const closed = once(provider.events, 'close')
    const silent = new seed.SeedConsumer(provider.port, {}, { answers: false })
    const [{ id }] = await closed
    assert.equal(silent.pings, 1)
    assert.equal(lines.filter(line => line === `HEARTBEAT_STRIKE|${id}`).length, 2)
    assert.ok(lines.includes(`HEARTBEAT_KILL|${id}`))
    await provider.destroy()
  })

  test('our consumer, an original provider', async () => {
    const provider = new seed.SeedProvider({ interval: 30, parameters: { key: 'k' } })
    await once(provider.server, 'listening')
    const consumer = new NetworkCluster.Consumer({ host: '127.0.0.1', port: provider.port, parameters: { key: 'k', x: 'ü &' }, reconnect: { interval: 10 } })
    const came = once(provider, 'open')
    const heard = once(provider, 'message')
    const connecting = consumer.connect()
    assert.equal(consumer.send('before the link is up'), true)
    await connecting
    const [ws] = await came
    assert.deepEqual(ws.parameters, { key: 'k', x: 'ü &' })
    assert.equal((await heard)[1], 'before the link is up')
    await once(provider, 'pong')
    assert.equal(consumer.heartbeat_duration, 30)
    assert.equal(consumer.heartbeat_cutoff, 60)
    assert.ok(consumer.last_heartbeat > 0)
    const got = once(consumer.events, 'message')
    ws.send('you')
    assert.deepEqual(await got, ['you'])
    const lost = once(consumer.events, 'disconnect')
    const again = once(provider, 'open')
    ws.terminate()
    await lost
    assert.equal(consumer.send('while away'), false)
    await again
    await consumer.ready()
    await consumer.destroy()
    const stranger = new NetworkCluster.Consumer({ host: '127.0.0.1', port: provider.port, parameters: { key: 'no' } })
    await assert.rejects(stranger.connect(), /Unexpected server response: 403/)
    await provider.close()
  })

  test('our consumer leaves an original provider that is silent', async () => {
    const provider = new seed.SeedProvider({ interval: 3600000 })
    await once(provider.server, 'listening')
    provider.once('open', ws => ws.send('PROVIDER_HEARTBEAT|30'))
    const consumer = new NetworkCluster.Consumer({ host: '127.0.0.1', port: provider.port, reconnect: { interval: 5 } })
    const again = once(provider, 'open').then(() => once(provider, 'open'))
    const lost = once(consumer.events, 'disconnect')
    await consumer.connect()
    await lost
    await again
    await consumer.destroy()
    await provider.close()
  })
}
