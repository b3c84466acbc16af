import meshwork from './index.js'

export const { Context, Provider, Consumer, Connection, Message, MeshworkError, stat, status, version, describe, readOption } = meshwork
export default meshwork
