import cluster from './cluster-client.js'

export const { close, APIClientBase } = cluster
export default cluster
