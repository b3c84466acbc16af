// The entry point netcluster: its README's programs, its commands, and a peer
// that speaks the original's wire.
'use strict'
const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { NCAgent, NCServer, readConfig } = require('meshwork/netcluster')
const { programs } = require('./kit')

const CONFIG = `{
  //UDP Multicast addr
  "addr": "224.0.0.0",
  "port": 4454,
  "dumpnet": true,
  "connecttonet": false, /* not in a test */
  "startcontrol": true,
  "channels": {
    "control": { "propagatetochannels": false, "propagatetonet": false, "dumptoconsole": false },
    "A": { "propagatetochannels": ".*", "propagatetonet": false, "dumptoconsole": false },
    "B": { "propagatetochannels": ".*", "propagatetonet": false, "dumptoconsole": true }
  }
}`
const command = name => path.join(path.dirname(require.resolve('meshwork/package.json')), 'bin', `${name}.js`)

const children = new Set()

/** A folder for one test, with a configuration that says so. */
async function folder (run) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'nc-'))
  const file = path.join(dir, 'config.json')
  fs.writeFileSync(file, CONFIG.replace('{', `{ "dir": "${dir}/run",`))
  try {
    await run({ dir: `${dir}/run`, file })
  } finally {
    for (const c of children) c.kill('SIGKILL') // of a test that failed
    fs.rmSync(dir, { recursive: true })
  }
}

/** A program, and all it has said. */
function child (program, ...words) {
  const c = spawn(process.execPath, [program, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  c.said = ''
  c.stdout.on('data', text => { c.said += text; c.emit('said') })
  children.add(c)
  c.on('close', () => {
    children.delete(c)
    c.emit('said')
  })
  c.heard = async part => {
    while (!c.said.includes(part)) {
      assert.equal(c.exitCode, null, `it ended without ${part}:\n${c.said}`)
      await once(c, 'said')
    }
  }
  c.ended = once(c, 'close')
  return c
}

test('the programs of its README, in processes of their own', () => folder(async ({ dir, file }) => {
  const server = child(path.join(programs, 'nc-server.js'), file)
  await server.heard('ready')
  const receiver = child(path.join(programs, 'nc-receiver.js'), dir)
  await receiver.heard('ready')
  const sender = child(path.join(programs, 'nc-sender.js'), dir)
  assert.deepEqual(await receiver.ended, [0, null])
  const packet = JSON.parse(receiver.said.match(/A called:(.*)/)[1])
  assert.deepEqual({ ...packet, emmiteruuid: packet.emmiteruuid.length },
    { emmiteruuid: 36, channel: 'A', broadcast: false, event: 'log', data: 'TESTE' })
  sender.kill()
  await sender.ended
  server.kill()
  assert.deepEqual(await server.ended, [0, null])
}))

test('ncserver and ncclient', () => folder(async ({ dir, file }) => {
  const server = child(command('ncserver'), file)
  await server.heard('keeps control, A, B')
  const agent = new NCAgent({ dir })
  await agent.connect('A')
  const client = child(command('ncclient'), file)
  await client.heard('netcluster> ')
  client.stdin.write('showconfig()\n')
  await client.heard("wire: 'netcluster'")
  client.stdin.write("showchannel('A')\n")
  await client.heard('[ ')
  const [, id] = client.said.match(/\[ '([0-9a-f-]{36})' \]/)
  client.stdin.write(`showclient('A', '${id}')\n`)
  await client.heard(`pid: ${process.pid}`)
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"B":', '"C":'))
  client.stdin.write(`reloadconfig('${file}')\n`)
  await client.heard('done')
  client.stdin.write("showchannel('B')\n")
  await client.heard('no channel is called B')
  client.stdin.end()
  assert.deepEqual(await client.ended, [0, null])
  await agent.disconnect()
  server.kill('SIGTERM')
  assert.deepEqual(await server.ended, [0, null])
}))

test('patterns, once, removeListener, and what is emitted here', () => folder(async ({ dir, file }) => {
  const server = new NCServer()
  server.config = readConfig(file)
  await server.start()
  const [a, b] = [new NCAgent({ dir }), new NCAgent({ dir })]
  const heard = []
  const note = name => packet => heard.push([name, packet.event, packet.data])
  const gone = note('gone')
  b.on('lo(g|ud)', note('b')).once('log', note('once')).on('log', gone).removeListener('log', gone)
  a.on('log', note('own'))
  await Promise.all([a.connect('A'), b.connect('A')])
  const end = new Promise(resolve => b.on('end', resolve))
  assert.throws(() => new NCAgent().emit('log'), /not connected/)
  for (const [event, data] of [['log', { n: 1 }], ['logs', 2], ['loud', [3]], ['log', undefined], ['end']]) a.emit(event, data)
  const packet = await end
  assert.equal(packet.emmiteruuid, a.uuid)
  assert.deepEqual(heard.filter(([name]) => name !== 'own'),
    [['b', 'log', { n: 1 }], ['once', 'log', { n: 1 }], ['b', 'loud', [3]], ['b', 'log', null]])
  assert.deepEqual(heard.filter(([name]) => name === 'own'), [['own', 'log', { n: 1 }], ['own', 'log', null]])
  assert.throws(() => b.on('(', () => {}), SyntaxError)
  await server.reload({ ...server.config, channels: { control: {}, A: {}, C: {} } })
  await assert.rejects(server.reload({ ...server.config, channels: { A: {} } }), { code: 'MW_EOPTION' })
  await Promise.all([a.disconnect(), b.disconnect()])
  await server.stop()
}))

test('a client of the original is heard and hears', () => folder(async ({ dir, file }) => {
  const server = new NCServer()
  server.config = readConfig(file)
  await server.start()
  const agent = new NCAgent({ dir })
  await agent.connect('A')
  const original = net.connect(path.join(dir, 'netcluster-A'))
  await once(original, 'connect')
  const came = new Promise(resolve => agent.on('.*', resolve))
  const packet = { emmiteruuid: 'u1', channel: 'A', broadcast: true, event: 'hi', data: { deep: [1, null] } }
  const text = `${JSON.stringify(packet)}\0`
  original.write(text.slice(0, 20))
  original.write(text.slice(20))
  assert.deepEqual(await came, packet)
  agent.removeAllListeners()
  agent.emit('back', 'x')
  let got = ''
  while (!got.endsWith('\0')) got += (await once(original, 'data'))[0]
  assert.deepEqual({ ...JSON.parse(got.slice(0, -1)), emmiteruuid: '' },
    { emmiteruuid: '', channel: 'A', broadcast: false, event: 'back', data: 'x' })
  original.destroy()
  await agent.disconnect()
  await server.stop()
}))

test('a server without the channel control is refused', async () => {
  const server = new NCServer()
  server.config = { channels: { A: {} } }
  await assert.rejects(server.start(), { code: 'MW_EOPTION', message: /control/ })
})
