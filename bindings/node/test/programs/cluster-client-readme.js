// The programs of cluster-client's README: only the require lines differ, and
// the logic that the README leaves out is filled in. usage: ... PORT
'use strict'

const co = require('co')
const Base = require('sdk-base')
const cluster = require('meshwork/cluster-client')
const { APIClientBase } = cluster
process.env.NODE_CLUSTER_CLIENT_PORT = process.argv[2]

/**
 * Client Example
 */
class YourClient extends Base {
  constructor (options) {
    super(options)

    this.options = options
    this.ready(true)
  }

  subscribe (reg, listener) {
    setImmediate(listener, `value of ${reg}`) // subscribe logic
  }

  publish (reg) {
    console.log('published ' + reg) // publish logic
  }

  * getData (id) {
    return `${this.options.foo} ${id}` // invoke api
  }

  getDataCallback (id, cb) {
    cb(null, 'called back ' + id) // ...
  }

  getDataPromise (id) {
    return Promise.resolve('promised ' + id) // ...
  }
}

// create some client instances, but only one instance will connect to server
const client_1 = cluster(YourClient)
  .delegate('getData')
  .delegate('getDataCallback')
  .delegate('getDataPromise')
  .create({ foo: 'bar' })
const client_2 = cluster(YourClient)
  .delegate('getData')
  .delegate('getDataCallback')
  .delegate('getDataPromise')
  .create({ foo: 'bar' })
const client_3 = cluster(YourClient)
  .delegate('getData')
  .delegate('getDataCallback')
  .delegate('getDataPromise')
  .create({ foo: 'bar' })

// subscribe information
client_1.subscribe('some thing', result => console.log('1 ' + result))
client_2.subscribe('some thing', result => console.log('2 ' + result))
client_3.subscribe('some thing', result => console.log('3 ' + result))

// publish data
client_2.publish('some data')

// invoke method
client_3.getDataCallback('some thing', (err, val) => console.log(err ?? val))
client_2.getDataPromise('some thing').then(val => console.log(val))

co(function * () {
  const ret = yield client_1.getData('some thing')
  console.log(ret)
}).catch(err => console.error(err))

// Best practice: DataClient and APIClient
class DataClient extends YourClient {}

class APIClient extends APIClientBase {
  constructor (options) {
    super(options)
    this._cache = new Map()
  }

  get DataClient () {
    return DataClient
  }

  get delegates () {
    return {
      getData: 'invoke'
    }
  }

  get clusterOptions () {
    return {
      name: 'MyClient'
    }
  }

  subscribe (...args) {
    return this._client.subscribe(...args)
  }

  publish (...args) {
    return this._client.publish(...args)
  }

  * getData (id) {
    // write your business logic & use data client API
    if (this._cache.has(id)) {
      return this._cache.get(id)
    }
    const data = yield this._client.getData(id)
    this._cache.set(id, data)
    return data // the README says datal
  }
}

const api = new APIClient({ foo: 'api' })
api.subscribe('news', result => console.log('api ' + result))
co(function * () {
  yield api.ready()
  console.log(yield api.getData(1))
  console.log(yield api.getData(1))
  console.log(api.isClusterClientLeader ? 'leads' : 'follows')
}).catch(err => console.error(err))

process.stdin.once('end', async () => {
  for (const client of [client_1, client_2, client_3]) await cluster.close(client)
  await api.close()
  console.log('end')
  process.exit(0)
}).resume()
