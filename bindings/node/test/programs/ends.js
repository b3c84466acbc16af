'use strict'
// Ends by itself: what was open is closed, and an idle context holds nothing.
const { Context, Provider } = require('meshwork')
const { pair } = require('../kit')
const context = new Context({ threads: Number(process.argv[2]) })
new Provider({ port: 0 }, context) // never started
pair({ context }).then(async ({ consumer, provider }) => {
  await consumer.deliver('x')
  await consumer.close()
  await provider.close()
})
