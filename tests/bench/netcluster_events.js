// The neighbour from the seed: netcluster's wire as its documentation says it, JSON and NUL over a unix socket a channel.
//   netcluster_events.js hub DIR | hear DIR | send DIR SECONDS      hear and send as mw_events
const net = require('net')

const [, , role, dir, seconds] = process.argv
const where = `${dir}/netcluster-bench`
const clock = () => Number(process.hrtime.bigint()) / 1e9
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6 }
const say = (o) => console.log(typeof o === 'string' ? o : JSON.stringify(o))

// Whole frames out of what comes; the NUL stays with the frame.
function frames (socket, each) {
  let rest = Buffer.alloc(0)
  socket.on('data', (data) => {
    rest = rest.length ? Buffer.concat([rest, data]) : data
    let from = 0
    for (let end; (end = rest.indexOf(0, from)) >= 0; from = end + 1) each(rest.subarray(from, end + 1))
    rest = rest.subarray(from)
  })
}

if (role === 'hub') {
  const all = new Set()
  net.createServer((socket) => {
    all.add(socket)
    socket.on('close', () => all.delete(socket)).on('error', () => {})
    frames(socket, (frame) => {
      JSON.parse(frame.subarray(0, -1))
      for (const other of all) if (other !== socket) other.write(frame)
    })
  }).listen(where, () => say('up'))
} else {
  const socket = net.connect(where)
  let n = 0
  let at = 0
  const listener = /^log\..*$/
  if (role === 'hear') {
    frames(socket, (frame) => { if (listener.test(JSON.parse(frame.subarray(0, -1)).event)) { n++; at = clock() } })
    socket.on('connect', () => say('up'))
    process.stdin.on('data', () => say({ heard: n, at, cpu: cpu() })).on('end', () => process.exit(0))
  } else {
    socket.on('connect', () => {
      const began = clock()
      const before = cpu()
      const packet = { emmiteruuid: 'b7', channel: 'bench', broadcast: true, event: 'log.warn', data: { id: 123456, host: 'alpha', text: 'disk nearly full' } }
      const go = () => {
        while (clock() < began + Number(seconds)) {
          n++
          if (!socket.write(JSON.stringify(packet) + '\0')) return socket.once('drain', go)
        }
        socket.end(() => say({ sent: n, began, cpu: cpu() - before }))
      }
      go()
    })
  }
}
