// A provider that admits who knows the key and answers every message.
//
//   node provider.js [port]        Ctrl-C ends
'use strict'
const { Provider } = require('meshwork')

const provider = new Provider({ port: Number(process.argv[2] ?? 8080), auth: { parameters: { key: 'SECRET_KEY' } } })
provider.on('connection', connection => console.log(`${connection.id} came from ${connection.ip}`))
provider.on('disconnection', (connection, { code }) => console.log(`${connection.id} left with ${code}`))
provider.on('message', (connection, message) => {
  console.log(`Consumer ${connection.id} Sent: ${message.text}`)
  connection.send('SOME_REPLY')
})

async function main () {
  await provider.start()
  console.log('listening', provider.address[0])
  process.once('SIGINT', () => provider.close({ code: 1001 }))
}
main().catch(error => { console.error(error.message); process.exitCode = 1 })
