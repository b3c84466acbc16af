import meshwork from './index.js'

export const { Context, Provider, Consumer, Connection, Service, Channel, Election, Hub, Manager, Member, Node, Share, Message, MeshworkError, stat, status, version, describe, readOption } = meshwork
export default meshwork
