'use strict'
const { parentPort, workerData } = require('node:worker_threads')
const { Context } = require('meshwork')
const { pair } = require('../kit')
pair({ context: new Context({ threads: workerData.threads }) }).then(async ({ context, consumer }) => {
  await consumer.deliver('x')
  parentPort.postMessage('ready')
  if (workerData.how === 'close') await context.close()
  if (workerData.how === 'exit') process.exit(0)
  if (workerData.how === 'throw') setImmediate(() => { throw new Error('worker fails') })
})
