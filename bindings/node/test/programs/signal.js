'use strict'
const { pair } = require('../kit')
pair().then(({ context }) => {
  process.once('SIGTERM', () => {
    console.log('SIGTERM came')
    context.close()
  })
  process.kill(process.pid, 'SIGTERM')
})
