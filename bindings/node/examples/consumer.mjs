// A consumer that joins, says it is ready, and prints the answer.
//
//   node consumer.mjs [url]        ends by itself
import { Consumer } from 'meshwork'

const consumer = new Consumer({ url: process.argv[2] ?? 'ws://127.0.0.1:8080/connect', parameters: { key: 'SECRET_KEY' } })
consumer.on('up', () => consumer.send('CONSUMER_READY')) // after every reconnect, too
await consumer.start({ timeout: 10000 })
console.log('Successfully Connected To Provider! Ready For Work!')
for await (const message of consumer) {
  console.log(`Provider Sent: ${message.text}`)
  break
}
await consumer.close()
