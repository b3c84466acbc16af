// The same by send(): every answer crosses on its own, its result is known at once.
'use strict'
const { Provider } = require('meshwork')

const provider = new Provider({ port: 0, host: '127.0.0.1', wire: 'raw' })
provider.on('message', (connection, message) => connection.send(message))
provider.start().then(() => console.log(provider.address[0]))
