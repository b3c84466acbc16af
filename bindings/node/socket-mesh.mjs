import mesh from './socket-mesh.js'

export const { Manager, SocketNode } = mesh
export default mesh
