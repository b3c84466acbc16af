// Calls either way: answers, failures, parts, giving up.
'use strict'
const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Context } = require('meshwork')
const { threads, pair } = require('./kit')

for (const n of threads) {
  const open = options => pair({ context: new Context({ threads: n }), ...options })

  test(`threads=${n}: what a handler returns, promises or throws is the answer`, async () => {
    const { context, provider, consumer, connection } = await open()
    provider.serve('Sum', ({ method, message }) => {
      if (method === 'Sum.now') return message.json().reduce((a, b) => a + b)
      if (method === 'Sum.later') return new Promise(resolve => setImmediate(resolve)).then(() => message)
      throw Object.assign(new RangeError('no such sum'), { detail: { limit: 5 }, code: method === 'Sum.denied' ? 'MW_EDENIED' : undefined })
    })
    consumer.serve('Clock', request => { setImmediate(() => request.reply('noon', { headers: { zone: 'UTC' } })) })
    assert.equal((await consumer.call('Sum.now', [1, 2, 3])).json(), 6)
    assert.equal((await consumer.call('Sum.later', 'as it came')).text, 'as it came')
    await assert.rejects(consumer.call('Sum.other'), { code: 'MW_EREMOTE', message: 'no such sum', detail: { limit: 5, name: 'RangeError', message: 'no such sum' } })
    await assert.rejects(consumer.call('Sum.denied'), { code: 'MW_EDENIED' })
    await assert.rejects(consumer.call('Nobody'), { code: 'MW_ENOSERVICE' })
    const noon = await connection.call('Clock')
    assert.deepEqual([noon.text, noon.headers.get('zone').toString()], ['noon', 'UTC'])
    assert.throws(() => provider.serve('Sum', () => {}), { code: 'MW_EDUPLICATE' })
    await context.close()
  })

  test(`threads=${n}: parts come one by one, and who gives them waits`, async () => {
    const { context, provider, consumer } = await open()
    let given = 0
    let ended
    const over = new Promise(resolve => { ended = resolve })
    provider.serve('Count', async function * ({ message }) {
      try {
        for (const body = 'x'.repeat(4096); given < message.json(); given++) yield body
      } finally {
        ended()
      }
    })
    let seen = 0
    let ahead = 0
    for await (const part of consumer.stream('Count', 1000, { timeout: Infinity, credit: '16KiB' })) {
      assert.equal(part.length, 4096)
      ahead = Math.max(ahead, given - ++seen)
      if (seen % 100 === 0) await new Promise(resolve => setImmediate(resolve)) // the other side gets its turns
    }
    assert.equal(seen, 1000)
    // 64 are kept and 4 are within the credit; what a crossing brings at once comes on top. Nobody waits: all 1000.
    assert.ok(ahead < 600, `${ahead} parts given and not taken`)
    given = 0
    for await (const part of consumer.stream('Count', 1000000, { timeout: Infinity })) {
      if (part.length > 0) break
    }
    await over // who is given up by the caller stops
    await context.close()
  })

  test(`threads=${n}: giving up reaches the other side`, async () => {
    const { context, provider, consumer } = await open()
    const reasons = []
    let waits
    const served = new Promise(resolve => { waits = resolve })
    provider.serve('Wait', ({ signal }) => new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => { reasons.push(signal.reason.why); reject(signal.reason) })
      waits()
    }))
    const give = new AbortController()
    const first = consumer.call('Wait', '', { signal: give.signal, timeout: Infinity })
    await served
    give.abort(new Error('enough'))
    await assert.rejects(first, { message: 'enough' })
    await assert.rejects(consumer.call('Wait', '', { timeout: 20 }), { code: 'MW_ETIMEDOUT' })
    await consumer.deliver('behind both')
    for (let i = 0; i < 100 && reasons.length < 2; i++) await consumer.deliver('a round trip')
    assert.deepEqual(reasons, ['asked', 'deadline'])
    await context.close()
  })

  test(`threads=${n}: many answers in parts at once are no leak of listeners`, async () => {
    const warnings = []
    const warn = warning => warnings.push(warning.message)
    process.on('warning', warn)
    const { context, provider, consumer } = await open()
    provider.serve('Count', async function * () { yield * [1, 2, 3] })
    const { signal } = new AbortController()
    const take = async () => {
      let n = 0
      for await (const part of consumer.stream('Count', '', { signal, timeout: Infinity })) n += part.json()
      return n
    }
    assert.deepEqual(await Promise.all(Array.from({ length: 20 }, take)), Array(20).fill(6))
    await context.close()
    process.off('warning', warn)
    assert.deepEqual(warnings, [])
  })

  test(`threads=${n}: ten thousand calls at once, and as many given up`, async () => {
    const { context, provider, consumer } = await open({ consumer: { 'send.max_bytes': '64MiB' } })
    const service = provider.serve('Echo', ({ message }) => message)
    const answers = await Promise.all(Array.from({ length: 10000 }, (_, i) => consumer.call('Echo', i, { timeout: Infinity })))
    assert.ok(answers.every((answer, i) => answer.json() === i))
    const give = new AbortController()
    const given = Array.from({ length: 10000 }, (_, i) => consumer.call('Echo', i, { signal: give.signal, timeout: Infinity }))
    give.abort(new Error('all of them'))
    const ends = await Promise.allSettled(given)
    assert.ok(ends.every(({ status, reason }) => status === 'rejected' && reason.message === 'all of them'))
    assert.equal((await consumer.call('Echo', 'still', { timeout: Infinity })).text, 'still') // behind all of them
    assert.ok((await service.close()).error === undefined)
    await assert.rejects(consumer.call('Echo', 'none', { timeout: Infinity }), { code: 'MW_ENOSERVICE' })
    await context.close()
  })
}
