export * from './netcluster.js'
import * as netcluster from './netcluster.js'
export default netcluster
