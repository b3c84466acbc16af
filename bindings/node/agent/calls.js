// The verbs of calls: serve, call, reply, fail.
'use strict'

module.exports = tools => {
  const { event, begin, number, nameOf, how, options, told, droppedOf, flagsOf, Connection } = tools

  /** At a node it is a name, told in the headers. */
  const peerOf = request => typeof request.caller === 'object' ? request.caller : undefined

  function asked (service, request) {
    const { code, ...rest } = told(request.message)
    if (request.oneway) tools.names.set('#0', request)
    else number(service, request, 'r')
    const id = request.oneway ? '' : nameOf(request)
    request.signal.addEventListener('abort', () => {
      const { reason } = request.signal
      event(service, 'CANCEL', { id, peer: peerOf(request), error: reason, code: ['', 'asked', 'deadline', 'gone'].indexOf(reason.why) })
    })
    event(service, 'REQUEST', {
      ...rest, id, code: request.timeLeft === Infinity ? -1 : request.timeLeft, peer: peerOf(request),
      flags: [flagsOf(request.message), request.oneway ? 'ONEWAY' : ''].filter(Boolean).join('+')
    }, 512)
  }

  const routes = ['credit', 'version', 'only', 'exclude', 'sticky', 'retry.safe']
  const waiting = new Set() // requests without room
  const said = (args, now) => now.$body && args.body?.toString() === '$body' ? now.$body : args.body ?? ''
  const way = args => ({
    ...how(args), oneway: (args.flags ?? '').includes('ONEWAY'), repeat: (args.flags ?? '').includes('REPEAT'),
    all: (args.flags ?? '').includes('ALL')
  })

  const verbs = {
    serve: (object, _, args) => {
      const service = object.serve((args.name ?? '').toString(), request => asked(service, request), options(args, 'name', 'as'))
      tools.names.set(args.as.toString(), service)
      service.on('dropped', lost => event(service, 'DROPPED', droppedOf(lost), 512))
      service.on('close', ({ error, code, reason }) => event(service, 'CLOSED', { id: nameOf(service), error, code, body: reason }))
    },
    call: (object, name, args, now) => {
      const peer = object instanceof Connection ? object : undefined
      const ms = Number(args.ms ?? 0)
      let parts = 0
      const part = (message, error) => event(object.provider ?? object, 'PART',
        { ...told(message), id: Number(args.op), code: ++parts && 0, peer, error }, 512)
      return begin(name, args, signal => object.call((args.target ?? '').toString(), said(args, now), {
        ...way(args), signal, part, timeout: ms < 0 ? Infinity : ms, parent: tools.names.get(args.parent?.toString()),
        ...Object.fromEntries(routes.filter(key => args[key]).map(key => [key, args[key].toString()]))
      }).then(message => ({ ...told(message), peer }), error => {
        error.fields = { code: error.detail?.failed?.length ?? parts, peer, body: JSON.stringify(error.detail ?? { message: error.message }), flags: 'TEXT+ASCII' }
        throw error
      }))
    },
    reply: (object, name, args, now) => {
      if (!(args.flags ?? '').includes('MORE')) return object.reply(said(args, now), way(args))
      let room = false
      try {
        return (room = object.part(said(args, now), way(args)))
      } finally {
        if (!room && !waiting.has(object)) {
          waiting.add(object)
          object.room().then(() => {
            waiting.delete(object)
            if (!object.over) event(tools.names.get(name.split('.')[0]), 'WRITABLE', { id: name, peer: peerOf(object) })
          })
        }
      }
    },
    fail: (object, _, args) => object[args.retry ? 'giveBack' : 'fail'](args.json && JSON.parse(args.json), { code: args.code && `MW_${args.code}` })
  }
  return { verbs, asked }
}
