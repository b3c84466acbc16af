export * from './socket-mesh.js'
import * as mesh from './socket-mesh.js'
export default mesh
