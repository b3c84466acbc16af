// Compiled by tsc, not run: what the types must take and what they must refuse.
import meshwork, { Channel, Consumer, Context, Election, Hub, Manager, MeshworkError, Message, Node, Provider, Share, stat } from 'meshwork'
import { NCAgent, NCServer, Packet } from 'meshwork/netcluster'
import { COMPRESSORS, Provider as ClusterProvider, Consumer as ClusterConsumer } from 'meshwork/network-cluster'
import { Manager as MeshManager, Schema, SocketNode } from 'meshwork/socket-mesh'
import clusterClient, { APIClientBase } from 'meshwork/cluster-client'

async function main (): Promise<void> {
  const context = new Context({ threads: 0, 'memory.max_bytes': '64MiB' })
  const provider = new Provider({ port: 0, 'send.overflow': 'drop_old', heartbeat: { interval: '5s' }, 'auth.parameters': { key: 's' } }, context)
  provider.on('message', (connection, message) => {
    const text: string = message.text
    const going: boolean = connection.send(text, { headers: { k: Buffer.from('v') } })
    if (!going) connection.once('writable', () => connection.post(message))
  })
  provider.on('disconnection', (connection, { code, error }) => { const c: number = code; const e: MeshworkError | undefined = error; void [c, e, connection.id] })
  await provider.start({ timeout: 1000, signal: new AbortController().signal })
  const consumer = await new Consumer({ url: provider.address[0], wire: ['meshwork'] }).start()
  const how: 'sent' | 'taken' = await consumer.deliver(new Uint8Array(3))
  for await (const message of consumer) { const m: Message = message; void [m.headers.get('k')?.length, how] }
  for await (const [connection, message] of provider.messages()) void [connection.ip, message.json()]
  const waiting: number = consumer.stat(stat.BUFFERED)
  const reached: number = await provider.reach('', 'x', { except: undefined })
  void [waiting, reached, meshwork.version]

  const service = provider.serve('Sum', async ({ message, signal }) => signal.aborted ? null : message.json() as number[], { methods: 'add' })
  const answer: string = (await consumer.call('Sum.add', [1, 2], { timeout: 500, credit: '64KiB' })).text
  for await (const part of consumer.stream('Sum.add', 'x')) void part.data
  await service.drain()
  void answer
  // @ts-expect-error: connections do not serve
  provider.connections.values().next().value?.serve('x', () => 1)

  const channel = await new Channel({ name: 'A', 'emit.local': true }, context).start({ timeout: 500 })
  channel.on('slow', ({ waiting, member }) => { const pid: number | undefined = member?.pid; void [waiting, pid] })
  await channel.subscribe('log\\..*', { limit: 1 })
  const more: boolean = channel.publish('log.warn', 'text', { headers: { k: 'v' } })
  await channel.deliver('log.warn', new Uint8Array(1))
  for await (const { topic, isLocal } of channel) { const both: [string, boolean] = [topic, isLocal]; void [both, more] }
  const hub = new Hub({ channels: { A: { propagate: '.*' } } })
  hub.on('connection', member => { const where: string = member.facts.channel; void [where, member.hub === hub] })
  hub.on('dump', (message, member) => void [message.text, member?.id])
  const share = new Share({ name: 'S', 'retry.safe': ['get'] }, context)
  share.serve(({ method, caller }) => { const nobody: undefined = caller; return [method, nobody] })
  share.on('leader', (self, epoch) => { const both: [boolean, number] = [self, epoch]; void both })
  const answers: Message = await share.call('get', { a: 1 }, { headers: { key: 'k' } })
  await share.call('register', 'me', { oneway: true, repeat: true })
  const led: boolean = share.info().leader
  void [answers, led]
  const election = await new Election({ name: 'E', lease: '2s' }).start()
  election.on('leader', (self, epoch) => { const known: boolean | undefined = self; void [known, epoch, election.info().leader] })
  // @ts-expect-error: an election has a name
  void new Election({ lease: 5 })
  // @ts-expect-error: a channel has no calls
  void channel.call('x')
  // @ts-expect-error: a share has no url
  void new Share({ name: 'S', url: 'x' })

  class Data { async get (id: number): Promise<string> { return `${id}` } }
  const shared = clusterClient(Data, { port: 7777, isLeader: null }).delegate('get').override('kind', 1).create({ any: 1 })
  const got: string = await shared.get(1)
  shared.subscribe({ id: 1 }, value => void value).on('error', () => {})
  await shared.ready()
  await clusterClient.close(shared)
  void got
  // @ts-expect-error: no such verb
  clusterClient(Data).delegate('get', 'call')
  class Api extends APIClientBase {
    get DataClient () { return Data }
    get clusterOptions () { return { name: 'Api' } }
  }
  await new Api().close()

  // @ts-expect-error: no such policy
  void new Provider({ 'send.overflow': 'explode' })
  // @ts-expect-error: no such option
  void new Consumer({ ulr: 'ws://x' })
  // @ts-expect-error: a message has no number
  provider.on('message', (connection, message) => message.number)
  // @ts-expect-error: messages are not numbers
  consumer.send(5)

  const cluster = new ClusterProvider({ port: 8080, ws: { compressor: COMPRESSORS.SHARED_COMPRESSOR }, 'max_peers': 5 })
  cluster.on('message', (connection, message) => { const verdict: 0 | 1 | 2 = connection.send(message.trim()); void verdict })
  const member = new ClusterConsumer({ host: 'x', ssl: { ca_file: 'ca.pem' } })
  await member.connect()
  const sent: boolean = member.send('x')
  void sent
}
void main

async function mesh (): Promise<void> {
  const node = new Node({ 'cluster.deployment': 'D', member: { service: 'words' }, 'gate.services': { sums: 1 } })
  node.on('memberDown', ({ name, reason, error }) => { const why: string = error?.code ?? reason; void [name, why] })
  node.on('memberChanged', ({ suspected, address }) => { const all: [boolean, string[]] = [suspected, address]; void all })
  node.on('serviceUp', ({ service, member, count }) => { const rest: number = count; void [service, member, rest] })
  node.on('ready', (met, services) => { const n: number | undefined = services.sums; void [met, n] })
  const service = node.serve('words', ({ caller }) => { const name: string = caller; return { name } }, { mode: 'broadcast' })
  await node.start()
  const answer: Message = await node.call('sums.add', [1, 2], { only: ['m'], version: '^1.2', 'retry.safe': true, timeout: 50 })
  for await (const said of node.broadcast('words', answer)) {
    if ('error' in said) throw said.error
    const member: string = said.member
    void member
  }
  const jobs = node.serve('jobs', request => { if (!request.over) request.giveBack('later', { code: 'MW_EAGAIN' }) }, { queue: 'memory' })
  jobs.on('dropped', ({ count, error, message }) => { const lost: [number, string | undefined, string] = [count, error?.code, message.topic]; void lost })
  const manager: Manager = await new Manager({ 'cluster.deployment': 'D', port: 0 }).start()
  manager.on('memberUp', ({ name, incarnation }) => { const born: [string, number] = [name, incarnation]; void born })
  for (const { name, suspected } of await manager.members()) { const who: [string, boolean] = [name, suspected]; void who }
  // @ts-expect-error a manager does not serve
  manager.serve('x', () => 1)
  const { answers, failures } = await node.gather('words', 'x', { signal: AbortSignal.timeout(5) })
  void [answers[0]?.message.json(), failures[0]?.error.code]
  const wanted: number = await node.reach('log/x', 'text', { local: true })
  for await (const { topic } of node) void [topic, wanted]
  for (const { self, linked } of await node.members()) { const both: boolean = self && linked; void both }
  await service.drain()
  // @ts-expect-error a node's registry is one of its own
  void new Node({ registry: 'zookeeper' })
}
void mesh

async function socketMesh (): Promise<void> {
  const schema: Schema = {
    A: { _allow: 'anyNode', _connect: ['B'] },
    B: { _allow: ['A'], _commands: { _balanced: { m: ({ test }) => test }, _broadcast: { all: { responds: true, method: () => 1 }, note: null } } }
  }
  const keys = { publicKey: 'p', privateKey: 's' }
  const manager = new MeshManager({ ...keys, schema, port: '8000' })
  const workers: string[] = Object.keys(manager.connections())
  const node = new SocketNode({ ...keys, worker: 'A', schema, port: 8000, onConnection: ({ worker, variant }) => void [worker, variant, workers] })
  const { failures } = await node.call.B!.all!.call({ test: 1 }, { only: ['1'], exclude: '2' })
  void [failures, node.getConnection({ worker: 'B' })?.variant, node.meshServer.listening, node.connections.connected('B')]
  // @ts-expect-error both keys are needed
  void new SocketNode({ publicKey: 'p', worker: 'A', schema })
  await Promise.all([node.destroy(), manager.destroy()])
}
void socketMesh

async function netcluster (): Promise<void> {
  const server = new NCServer()
  server.config = { dir: '/tmp/x', channels: { control: {}, A: { propagatetochannels: '.*', dumptoconsole: true } } }
  await server.start(() => {})
  const agent = new NCAgent({ dir: '/tmp/x' })
  await agent.connect('A')
  agent.on('log', (packet: Packet) => { const event: string = packet.event; agent.emit(event, packet.data) }).once('x', () => {})
  // @ts-expect-error a channel's settings are no texts
  server.config = { channels: { A: 'x' } }
}
void netcluster
