import cluster from './network-cluster.js'

export const { Provider, Consumer, Connection, COMPRESSORS } = cluster
export default cluster
