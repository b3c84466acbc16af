'use strict'
// Leaves with everything open.
const { Context } = require('meshwork')
const { pair } = require('../kit')
pair({ context: new Context({ threads: Number(process.argv[2]) }) }).then(({ consumer }) => {
  consumer.send('never heard')
  console.log(`exiting at ${Date.now()}`)
  process.exit(0)
})
