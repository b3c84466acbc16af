// The Node agent of the scenario table: carries out lines from stdin with the
// public classes. tests/scenario/README.md has the protocol.
//
//   node agent.js turn|queue     polled by libuv, or a library thread and its waker
'use strict'
const fs = require('node:fs')
const { Context, Provider, Consumer, Connection, MeshworkError, stat, status, version, readOption } = require('meshwork')
const { show, cut, pack, flagsOf } = require('./words')

const door = process.argv[2]
if (door !== 'turn' && door !== 'queue') {
  console.error('usage: agent.js turn|queue')
  process.exit(2)
}

let context
let names = new Map() // name -> object
let hooks = []
const aborts = new Map() // "name op" -> AbortController
const policies = ['refuse', 'drop_new', 'drop_old', 'conflate', 'disconnect']

// ---- Words --------------------------------------------------------------------

const say = line => fs.writeSync(1, line + '\n')

// ---- Events -------------------------------------------------------------------

const nameOf = object => [...names].find(([, value]) => value === object)?.[0] ?? `#${object?.handle ?? 0}`
const word = error => error instanceof MeshworkError ? error.code.slice(3) : error instanceof TypeError ? 'EKIND' : 'EINVAL'

/** Events of a peer are told of its provider. */
const owner = object => object.provider ?? object

function event (object, kind, { error, status, code, id, peer, flags, topic, meta, body } = {}, most) {
  const name = object === context ? 'ctx' : nameOf(object)
  let line = `! ${name} ${kind}`
  if (error) line += ` status=${word(error)}`
  if (code) line += ` code=${code}`
  if (id) line += ` id=${id}`
  if (peer) line += ` peer=${nameOf(peer)}`
  if (flags) line += ` flags=${flags}`
  if (topic) line += ` topic=${show(topic)}`
  if (meta?.length) line += ` meta=${show(meta)}`
  if (body?.length) line += ` body=${show(body, most)}`
  say(line)
  for (const hook of hooks) {
    if (hook.name !== name || hook.kind !== kind) continue
    const { verb, name: on, args } = cut(hook.line)
    carry(verb, { $peer: peer, $id: find(id || '#0') }[on] ?? find(on), on, args, { $peer: peer, $body: body })
      .then(({ status }) => say(`! ${name} HOOK verb=${verb} status=${status}`))
  }
}

const facts = value => JSON.stringify(value)

const ended = ({ error, code, reason, unsent, unsentBytes }) => ({
  error,
  code,
  body: reason,
  meta: pack(Object.entries({ unsent, unsent_bytes: unsentBytes }).filter(([, v]) => v !== undefined)
    .map(([k, v]) => [k, Buffer.from(String(v))]))
})

const told = message => ({
  code: message.sequence, flags: flagsOf(message), topic: message.topic, meta: pack(message.headers), body: message.data
})

const droppedOf = ({ count, error, message }) => ({ error, ...told(message), code: count })

function number (object, peer, infix) {
  let n = 1
  while (names.has(`${nameOf(object)}.${infix}${n}`)) n++
  names.set(`${nameOf(object)}.${infix}${n}`, peer)
}

function listen (object) {
  object.on('up', ({ attempts, resumed, ...rest }) => event(object, 'UP', {
    code: attempts, flags: resumed ? 'RESUMED' : '', body: facts(rest), peer: object instanceof Consumer ? object : undefined
  }))
  object.on('down', end => event(object, 'DOWN', { ...ended(end), id: end.retryIn }))
  object.on('close', end => event(object, 'CLOSED', { ...ended(end), id: nameOf(object) }))
  object.on('log', (line, level, area) => event(object, 'LOG', { code: level, topic: area, body: line }))
  object.on('fault', (error, peer) => event(object, 'ERROR', { error, code: error.errno, peer, body: error.message }))
  object.on('interest', (topic, now, before, peer) => event(object, 'INTEREST', { topic, code: now, id: before, peer }))
  object.on('connection', peer => {
    number(object, peer, '')
    event(object, 'PEER_UP', { peer, body: facts(peer.facts) })
    peer.on('writable', () => event(object, 'WRITABLE', { peer }))
  })
  object.on('disconnection', (peer, end) => event(object, 'PEER_DOWN', { peer, ...ended(end) }))
  object.on('ask', ask => {
    number(object, ask, 'ask')
    event(object, 'ASK', { code: 1, id: nameOf(ask), body: facts(ask) })
  })
}

/** A provider or consumer, with what its connections tell. */
function linked (object) {
  listen(object)
  object.on('writable', () => event(object, 'WRITABLE', { peer: object }))
  const both = fn => object instanceof Consumer ? (...rest) => fn(object, ...rest) : fn
  object.on('message', both((peer, message) => event(object, 'MESSAGE', { peer, ...told(message) }, 512)))
  object.on('slow', both((peer, { waiting, policy }) => event(object, 'SLOW', { peer, id: waiting, code: policy })))
  object.on('dropped', both((peer, lost) => event(object, 'DROPPED', { peer, ...droppedOf(lost) }, 512)))
  object.on('ping', both((peer, body) => event(object, 'PING', { peer, body })))
  object.on('pong', both((peer, body, rtt) => event(object, 'PONG', { peer, body, id: Math.round(rtt * 1000) })))
  if (object instanceof Consumer) object.on('leader', (self, epoch) => event(object, 'LEADER', { code: Number(self), id: epoch }))
  object.on('draining', both((peer, { slot, deadline }) => event(object, 'DRAINING', { peer, code: slot, id: deadline })))
}

// ---- Verbs --------------------------------------------------------------------

const find = name => name === 'ctx' ? context : names.get(name)
const count = folder => fs.readdirSync(folder).length - 1

function options (args, ...own) {
  return Object.fromEntries(Object.entries(args).filter(([key]) => !own.includes(key)).map(([key, value]) => [key, value.toString()]))
}

function how (args) {
  const flags = (args.flags ?? '').toString()
  const headers = Object.entries(args).filter(([key]) => key.startsWith('meta.')).map(([key, value]) => [key.slice(5), value])
  return {
    text: flags.includes('TEXT'),
    list: flags.includes('PARTS'),
    compress: flags.includes('COMPRESS'),
    more: flags.includes('MORE'),
    continues: flags.includes('CONT'),
    queue: !flags.includes('NOQUEUE'),
    ...flags.includes('LOCAL') && { local: true },
    ...headers.length && { headers: Object.fromEntries(headers) }
  }
}

/** What the promise of an op tells becomes a DONE; a refusal at once is the answer.
 *  wait: a call without an op is one that is awaited. */
async function begin (name, args, start, wait = false) {
  const op = Number(args.op ?? 0)
  const abort = new AbortController()
  aborts.set(`${name} ${op}`, abort)
  let refused
  let accepted = false
  const object = owner(find(name))
  const done = start(abort.signal).then(
    value => op && event(object, 'DONE', { id: op, ...value }),
    error => accepted ? op && event(object, 'DONE', { id: op, error, body: facts({ text: error.message }), ...error.fields }) : (refused = error))
  if (wait && op === 0) await done
  else for (let i = 0; i < 8; i++) await null // a refusal is there within this turn
  accepted = true
  if (refused) throw refused
}

const nothing = async promise => { await promise }

function add (name, made) {
  names.set(name, made)
  return made
}

const verbs = {
  ctx: (_, __, args) => {
    context = new Context({ threads: door === 'turn' ? 0 : 1, ...options(args) })
    context.on('log', (line, level, area) => event(context, 'LOG', { code: level, topic: area, body: line }))
  },
  end: async () => {
    const before = threads
    await context.close()
    say('! ctx CLOSED')
    names = new Map()
    hooks = []
    aborts.clear()
    for (let i = 0; i < 1000 && count('/proc/self/task') > before; i++) await new Promise(resolve => setTimeout(resolve, 1))
    return { fds: count('/proc/self/fd'), threads: count('/proc/self/task') }
  },
  provider: (_, name, args) => linked(add(name, new Provider(options(args, 'ctx'), context))),
  consumer: (_, name, args) => linked(add(name, new Consumer(options(args, 'ctx'), context))),
  start: (object, name, args) => begin(name, args, signal => nothing(object.start({ signal }))),
  send: (object, name, args) => (args.flags ?? '').includes('PING')
    ? object.ping(args.body)
    : args.op
    ? begin(name, args, signal => object.deliver(args.body ?? '', { ...how(args), signal }).then(r => ({ code: r === 'taken' ? 1 : 0 })))
    : object.send(args.body ?? Buffer.alloc(0), how(args)),
  bytes: (object, _, args, now) => object.send(now.$body && args.body?.toString() === '$body' ? now.$body : args.body ?? Buffer.alloc(0), how(args)),
  records: (object, _, args) => {
    let refused
    object.once('refused', error => { refused ??= error })
    for (let i = 0; i < Number(args.n ?? 1); i++) object.post(args.body ?? Buffer.alloc(0), how(args))
    context.flush()
    object.removeAllListeners('refused')
    if (refused) throw refused
  },
  publish: (object, name, args, now) => {
    const except = args.except && (now[args.except.toString()] ?? find(args.except.toString()))
    const body = now.$body && args.body?.toString() === '$body' ? now.$body : args.body ?? Buffer.alloc(0)
    const topic = (args.topic ?? '').toString()
    if (!args.op) return object.publish(topic, body, { ...how(args), except })
    return begin(name, args, signal => object.reach
      ? object.reach(topic, body, { ...how(args), except, signal }).then(code => ({ code }))
      : object.deliver(topic, body, { ...how(args), signal }).then(how => ({ code: Number(how === 'taken') })))
  },
  subscribe: (object, name, args) => begin(name, args, signal =>
    nothing(object.subscribe((args.pattern ?? '').toString(), { ...options(args, 'pattern', 'op', 'as'), signal })), object.state !== 'idle'),
  unsubscribe: (object, name, args) => begin(name, args, signal =>
    nothing(object.unsubscribe((args.pattern ?? '').toString(), { signal })), true),
  subscribed: (object, _, args) => ({ value: Number(object.subscribed((args.topic ?? '').toString())) }),
  close: (object, _, args) => {
    if (object.state === 'closed' || object.over) throw new MeshworkError(status.MW_ECLOSED)
    object.close({ code: Number(args.code ?? 0), reason: (args.reason ?? '').toString(), abort: (args.flags ?? '').includes('ABORT') })
  },
  drain: (object, name, args) => begin(name, args, signal => nothing(object.drain(Number(args.ms ?? 5000), { signal }))),
  update: (object, name, args) => begin(name, args, signal => nothing(object.update(options(args, 'op', 'kind'), { signal }))),
  pause: (object, _, args) => Number(args.on ?? 1) ? object.pause() : object.resume(),
  cork: (object, _, args) => Number(args.on ?? 1) ? object.cork() : object.uncork(),
  state: object => {
    if (object.state === 'closed') throw new MeshworkError(status.MW_ECLOSED)
    return { value: ['idle', 'connecting', 'up', 'ready', 'waiting', 'draining'].indexOf(object.state) }
  },
  stat: (object, _, args) => ({ value: object.stat(stat[args.what.toString()] ?? 0) }),
  info: (object, name, args) => {
    const what = (args.what ?? '').toString()
    if (!/^(peers|metrics|members|stats$|lan$|channel\/|client\/)/.test(what)) return { body: show(JSON.stringify(object.info(what))) }
    if (!args.op) return { body: show(JSON.stringify(object.info(what))) }
    return begin(name, args, signal => object.query(what, { signal }).then(r => ({ body: typeof r === 'string' ? r : facts(r) })))
  },
  answer: (object, _, args) => {
    const json = args.json ? JSON.parse(args.json) : {}
    Number(args.allow ?? 1) ? object.allow(json.data) : object.refuse(json)
  },
  cancel: (_, name, args) => aborts.get(`${name} ${Number(args.op)}`)?.abort(new MeshworkError(status.MW_ECANCELED)),
  conf: (_, name, args) => {
    const kind = { ctx: 'context', sub: 'subscription', elect: 'election' }[name] ?? name
    const get = (args.get ?? '').toString()
    const value = readOption(kind, options(args, 'get'), get || 'log.level')
    return get ? { value: show(value) } : {}
  },
  hook: (_, name, args) => { hooks.push({ name, kind: args.kind.toString(), line: args.do.toString('latin1') }) }
}

const calls = require('./calls')({ get names () { return names }, event, begin, number, nameOf, how, options, told, droppedOf, flagsOf, Connection })
Object.assign(verbs, calls.verbs, require('./mesh')({ get context () { return context }, event, told, droppedOf, listen, options, add }),
  require('./host')({ get context () { return context }, event, told, listen, options, asked: calls.asked, add }))

async function carry (verb, object, name, args, now = {}) {
  if (verbs[verb] === undefined) return { status: 'ENOTSUP', error: 'no such verb' }
  if (object === undefined && !['ctx', 'end', 'provider', 'consumer', 'channel', 'hub', 'share', 'elect', 'node', 'manager', 'conf', 'hook', 'cancel'].includes(verb)) return { status: 'ECLOSED' }
  try {
    const result = await verbs[verb](object, name, args, now)
    return { status: result === false ? 'BUFFERED' : 'OK', facts: typeof result === 'object' ? result : {} }
  } catch (error) {
    return { status: word(error), error: error.message }
  }
}

let threads = count('/proc/self/task')

async function serve (line) {
  if (line === 'quit') process.exit(0) // with everything open that is open
  const { verb, name, args } = cut(line)
  if (verb === 'ctx') threads = count('/proc/self/task')
  const { status, error, facts = {} } = await carry(verb, find(name), name, args)
  say(`= ${status}` + Object.entries(facts).map(([k, v]) => ` ${k}=${v}`).join('') + (error ? ` error=${show(error)}` : ''))
}

say(`hello node ${door} ${version}`)
let rest = ''
let last = Promise.resolve()
process.stdin.setEncoding('latin1')
process.stdin.on('data', chunk => {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop()
  for (const line of lines) last = last.then(() => serve(line))
})
process.stdin.on('end', () => process.exit(0))
