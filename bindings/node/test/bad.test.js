// What a program may do wrong, and what must hold all the same.
'use strict'
const assert = require('node:assert/strict')
const { once } = require('node:events')
const path = require('node:path')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { Context, Provider, Consumer } = require('meshwork')
const { threads, pair, run, descriptors, tasks, programs } = require('./kit')

const cycles = Number(process.env.MW_CYCLES ?? 10000) / threads.length

for (const n of threads) {
  test(`threads=${n}: the process ends by itself when nothing is open`, async () => {
    const { code, out } = await run(path.join(programs, 'ends.js'), [String(n)])
    assert.equal(code, 0, out)
  })

  test(`threads=${n}: exit with everything open gives code 0 within a second`, async () => {
    const { code, out } = await run(path.join(programs, 'exits.js'), [String(n)])
    assert.equal(code, 0, out)
    assert.ok(Number(out.match(/exiting at (\d+)/)[1]) > 0)
    assert.ok(Date.now() - Number(out.match(/exiting at (\d+)/)[1]) < 1000)
  })

  test(`threads=${n}: an uncaught error ends the process with everything open`, async () => {
    const { code, out } = await run(path.join(programs, 'throws.js'), [String(n)])
    assert.equal(code, 1, out)
    assert.match(out, /from the handler/)
  })

  test(`threads=${n}: workers, closed, ended and cut off`, async () => {
    for (const how of ['close', 'exit', 'terminate', 'throw']) {
      const worker = new Worker(path.join(programs, 'worker.js'), { workerData: { threads: n, how } })
      worker.on('error', error => assert.match(error.message, /worker fails/))
      const ended = new Promise(resolve => worker.on('exit', resolve))
      await new Promise(resolve => worker.on('message', resolve))
      if (how === 'terminate') worker.terminate()
      await ended
    }
    const { context, consumer } = await pair({ context: new Context({ threads: n }) })
    assert.equal(await consumer.deliver('still works'), 'taken')
    await context.close()
  })

  test(`threads=${n}: a million messages received, memory stays flat`, async () => {
    const { context, provider, consumer } = await pair({ context: new Context({ threads: n }) })
    const sizes = []
    let seen = 0
    const all = new Promise(resolve => provider.on('message', (connection, message) => {
      if (++seen % 100000 === 0) sizes.push(process.memoryUsage().rss)
      if (seen === 1000000) resolve()
      connection.post(message)
    }))
    consumer.on('message', message => consumer.post(message))
    for (let i = 0; i < 256; i++) consumer.post('twenty bytes of text')
    await all
    await context.close({ abort: true })
    assert.ok(sizes[9] - sizes[1] < 32 << 20, `resident memory: ${sizes}`)
  })

  test(`threads=${n}: ${cycles} open and close, nothing grows`, async () => {
    const context = new Context({ threads: n })
    const once1 = async () => {
      const { provider, consumer } = await pair({ context })
      await consumer.close()
      await provider.close()
    }
    for (let i = 0; i < 50; i++) await once1()
    const [fds, tids, before] = [descriptors(), tasks(), process.memoryUsage().rss]
    for (let i = 0; i < cycles; i++) await once1()
    assert.ok(descriptors() <= fds + 2, `${descriptors()} descriptors, ${fds} before`)
    assert.ok(tasks() <= tids, `${tasks()} threads, ${tids} before`)
    assert.ok(process.memoryUsage().rss - before < 64 << 20, 'memory grew')
    await context.close()
  })

  test(`threads=${n}: contexts come and go, nothing grows`, async () => {
    for (let i = 0; i < 10; i++) await (await pair({ context: new Context({ threads: n }) })).context.close()
    const [fds, tids] = [descriptors(), tasks()]
    for (let i = 0; i < 100; i++) await (await pair({ context: new Context({ threads: n }) })).context.close()
    assert.ok(descriptors() <= fds && tasks() <= tids)
  })
}

test('objects dropped without close are collected and told', async () => {
  const { code, out } = await run(path.join(programs, 'drops.js'), [], { env: { NODE_OPTIONS: '--expose-gc' } })
  assert.equal(code, 0, out)
  assert.match(out, /dropped without close/)
})

test('signals reach the program', async () => {
  const { code, out } = await run(path.join(programs, 'signal.js'))
  assert.equal(code, 0, out)
  assert.match(out, /SIGTERM came/)
})

test('a provider that cannot listen says why', async () => {
  const { context, provider } = await pair()
  const port = Number(new URL(provider.address[0]).port)
  await assert.rejects(new Provider({ port, host: '127.0.0.1' }, context).start(), { code: 'MW_EADDRINUSE' })
  await assert.rejects(new Consumer({ url: 'ws://no-such-host.invalid/', 'reconnect.max_attempts': 0 }, context).start(),
    { code: 'MW_ERESOLVE' })
  await context.close()
})
