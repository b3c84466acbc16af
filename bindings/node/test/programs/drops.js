'use strict'
// Providers that nobody started and nobody holds go away, each with a warning.
const { Context, Provider } = require('meshwork')
const context = new Context()
for (let i = 0; i < 100; i++) new Provider({ port: 0 }, context)
for (let i = 0; i < 20; i++) new Context()
const limit = Date.now() + 10000
process.once('warning', warning => {
  console.error(warning.message)
  clearInterval(timer)
})
const timer = setInterval(() => {
  global.gc()
  if (Date.now() > limit) process.exit(1)
}, 1)
