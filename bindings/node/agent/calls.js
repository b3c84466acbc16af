// The verbs of calls: serve, call, reply, fail.
'use strict'

module.exports = tools => {
  const { event, begin, number, nameOf, how, options, told, flagsOf, Connection } = tools

  function asked (service, request) {
    const { code, ...rest } = told(request.message)
    if (request.oneway) tools.names.set('#0', request)
    else number(service, request, 'r')
    const id = request.oneway ? '' : nameOf(request)
    request.signal.addEventListener('abort', () => {
      const { reason } = request.signal
      event(service, 'CANCEL', { id, peer: request.caller, error: reason, code: ['', 'asked', 'deadline', 'gone'].indexOf(reason.why) })
    })
    event(service, 'REQUEST', {
      ...rest, id, code: request.timeLeft === Infinity ? -1 : request.timeLeft, peer: request.caller,
      flags: [flagsOf(request.message), request.oneway ? 'ONEWAY' : ''].filter(Boolean).join('+')
    }, 512)
  }

  const waiting = new Set() // requests without room
  const said = (args, now) => now.$body && args.body?.toString() === '$body' ? now.$body : args.body ?? ''
  const way = args => ({
    ...how(args), oneway: (args.flags ?? '').includes('ONEWAY'), repeat: (args.flags ?? '').includes('REPEAT')
  })

  const verbs = {
    serve: (object, _, args) => {
      const service = object.serve((args.name ?? '').toString(), request => asked(service, request), options(args, 'name', 'as'))
      tools.names.set(args.as.toString(), service)
      service.on('close', ({ error, code, reason }) => event(service, 'CLOSED', { id: nameOf(service), error, code, body: reason }))
    },
    call: (object, name, args, now) => {
      const peer = object instanceof Connection ? object : undefined
      const ms = Number(args.ms ?? 0)
      let parts = 0
      const part = message => event(object.provider ?? object, 'PART', { ...told(message), id: Number(args.op), code: ++parts && 0, peer }, 512)
      return begin(name, args, signal => object.call((args.target ?? '').toString(), said(args, now), {
        ...way(args), signal, part, timeout: ms < 0 ? Infinity : ms, parent: tools.names.get(args.parent?.toString()),
        ...args.credit && { credit: args.credit.toString() }
      }).then(message => ({ ...told(message), peer }), error => {
        error.fields = { code: parts, peer, body: JSON.stringify(error.detail ?? { message: error.message }), flags: 'TEXT+ASCII' }
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
            if (!object.over) event(tools.names.get(name.split('.')[0]), 'WRITABLE', { id: name, peer: object.caller })
          })
        }
      }
    },
    fail: (object, _, args) => object.fail(args.json && JSON.parse(args.json), { code: args.code && `MW_${args.code}` })
  }
  return { verbs, asked }
}
