export * from './network-cluster.js'
import * as cluster from './network-cluster.js'
export default cluster
