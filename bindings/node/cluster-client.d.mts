import cluster = require('./cluster-client.js')
export const close: typeof cluster.close
export const APIClientBase: typeof cluster.APIClientBase
export default cluster
