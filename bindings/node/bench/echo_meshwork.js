// Echo provider on this package: node echo_meshwork.js [threads]; prints its url.
'use strict'
const { Context, Provider } = require('meshwork')

const context = new Context(process.argv[2] === undefined ? {} : { threads: Number(process.argv[2]) })
const provider = new Provider({ port: 0, host: '127.0.0.1', wire: 'raw' }, context)
provider.on('message', (connection, message) => connection.post(message))
provider.start().then(() => console.log(provider.address[0]))
