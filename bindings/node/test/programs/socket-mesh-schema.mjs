// Names as people write them: nodeB is NodeB. Each node knows what it may call by the same schema.
const commands = worker => ({
  _balanced: {
    status: ({ test }) => ({ status: `${worker} is well, says ${test}` }),
    sampleRespondingMethod: ({ test }) => ({ command: test })
  },
  _broadcast: {
    sampleRespondingBroadcastMethod: { responds: true, method: ({ test }) => ({ command: test }) },
    sampleQueuedBroadcastMethod: {
      queued: true,
      method: async ({ test }) => {
        console.log(`${test} begins`)
        await new Promise(resolve => setImmediate(resolve))
        console.log(`${test} ends`)
      }
    }
  }
})

export const publicKey = 'any string you wish'
export const privateKey = 'short'
export default async worker => ({
  NodeA: { _allow: 'anyNode', _connect: ['nodeB'], _commands: commands(worker) },
  NodeB: { _allow: ['nodeA'], _connect: ['NodeA'], _commands: commands(worker) }
})
