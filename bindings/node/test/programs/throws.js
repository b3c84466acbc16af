'use strict'
// A handler fails and nobody catches it: the process ends as Node's do.
const { Context } = require('meshwork')
const { pair } = require('../kit')
pair({ context: new Context({ threads: Number(process.argv[2]) }) }).then(({ consumer, connection }) => {
  connection.on('message', () => { throw new Error('from the handler') })
  consumer.send('x')
})
