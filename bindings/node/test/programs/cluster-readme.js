'use strict'
// The two programs of that package's README, in one process. Repaired: they
// use some_condition, and the consumer calls an undefined Provider.send.
const NetworkCluster = require('meshwork/network-cluster')
const some_condition = true // eslint-disable-line camelcase

// Create a provider instance to faciliate/manage a cluster
const Provider = new NetworkCluster.Provider({
  port: 0, // 8080 in the README: a test takes any free port
  auth: {
    parameters: {
      key: 'SECRET_KEY' // This will authenticate incoming consumer connections
    }
  }
})

// Listen for incoming messages from connected consumers
Provider.on('message', (consumer, message) => {
  console.log(`Consumer ${consumer.id} Sent: ${message}`)

  // We can also send some message back
  if (some_condition) consumer.send('SOME_REPLY') // eslint-disable-line camelcase
})

Provider.core.once('up', () => {
  // Create a consumer instance to join a cluster
  const Consumer = new NetworkCluster.Consumer({
    host: '127.0.0.1',
    port: Provider.port,
    parameters: {
      key: 'SECRET_KEY', // This is important as our provider above expects this parameter
      something1: 'Some Value 1',
      something2: 'Some Value 2' // You can also include other parameters as metadata
    }
  })

  // Listen for incoming messages from provider
  Consumer.on('message', (message) => {
    console.log(`Provider Sent: ${message}`)
    Consumer.destroy()
    Provider.destroy()
  })

  // Connect to the provider instance to initiate communication
  Consumer.connect()
    .then(() => {
      console.log('Successfully Connected To Provider! Ready For Work!')
    })
    .catch((error) => {
      console.log('Failed To Connect To Provider! Reason: ')
      console.log(error)
    })

  // Send some message to provider to let it know we are ready
  Consumer.send('CONSUMER_READY')
})
