// Calls over a link: what one end serves, a request to it, and its answer.
'use strict'
const { onAbort } = require('./abort')
const addon = require('./addon')
const { MeshworkError, check } = require('./error')
const { Handle, flagsOf: plainFlags, bytesOf, textOf, pairs } = require('./handle')
const { Message } = require('./message')
const { flag, status } = require('./tables')

const RETRY = 1 // of addon.fail

/** Text, bytes and messages travel as they are, anything else as JSON. */
const plain = data => data === undefined
  ? ''
  : typeof data === 'string' || data instanceof Message || data instanceof ArrayBuffer || ArrayBuffer.isView(data)
    ? data
    : JSON.stringify(data)
const flagsOf = (data, how) => plainFlags(how) | textOf(data) | (how.oneway ? flag.ONEWAY : 0) | (how.repeat ? flag.REPEAT : 0) |
  (how.all ? flag.ALL : 0)

/** The options among what a call is made with, as JSON; without any: ''. */
function optionsOf ({ credit, version, only, exclude, sticky, retry, 'retry.safe': safe }) {
  const options = JSON.stringify({ credit, version, only, exclude, sticky, retry, 'retry.safe': safe })
  return options === '{}' ? '' : options
}

/** A call to answer, once and at any time. */
class Request {
  #service
  #abort
  #full = false // until room
  #room
  #roomy

  constructor (service, id, caller, code, message) {
    this.#service = service
    this.id = id
    /** The connection, or at a consumer itself, whose other end calls; at a node the name of the member. */
    this.caller = caller
    /** The method's full name. */
    this.method = message.topic
    this.message = message
    /** Milliseconds left to answer when it came; Infinity: no limit. */
    this.timeLeft = code < 0 ? Infinity : code
    /** Answered or over: nobody waits any more. */
    this.over = this.oneway
  }

  /** Nobody waits for an answer; a queue does. */
  get oneway () { return this.id === 0 }

  /** Aborted when the answer is wanted no more. */
  get signal () {
    this.#abort ??= new AbortController()
    return this.#abort.signal
  }

  #send (data, how, flags) {
    data = plain(data)
    this.#service.context.flush()
    return check(addon.reply(this.id, bytesOf(data), flagsOf(data, how) | flags, pairs(how.headers), 0)) === 0
  }

  /** The answer. */
  reply (data, how = {}) {
    this.#send(data, how, 0)
    this.#end()
  }

  /** A part of it. true: go on; false: it was kept, but go on after room(). Throws MW_EAGAIN when refused. */
  part (data, how = {}) {
    this.#full = true
    this.#full = !this.#send(data, how, flag.MORE)
    return !this.#full
  }

  /** Resolves when there is room for parts again. */
  async room () {
    if (!this.#full) return
    this.#room ??= new Promise(resolve => { this.#roomy = resolve })
    await this.#room
  }

  roomy () {
    this.#full = false
    this.#room = undefined
    this.#roomy?.()
  }

  /** A failure instead: an error, a text, or an object that travels as it is. code: 'MW_EDENIED' ..., else MW_EREMOTE. */
  fail (error, how) { this.#fail(error, how, 0) }

  /** Back into the queue of its service, to come again later; error and code are the caller's where that was the last time. */
  giveBack (error, how) { this.#fail(error, how, RETRY) }

  #fail (error, { code = error?.code } = {}, flags) {
    this.#service.context.flush()
    if (typeof error === 'string') error = { message: error }
    if (error instanceof Error) error = { ...error.detail, message: error.message, name: error.name }
    check(addon.fail(this.id, status[code] ?? 0, error === undefined ? '' : JSON.stringify(error), flags))
    this.#end()
  }

  #end () {
    this.over = true
    this.#service.forget(this.id)
  }

  cancelled (error) {
    this.#end()
    this.roomy()
    this.#abort?.abort(error)
  }
}

/** Makes what a handler returned the answer. */
async function answer (request, given) {
  try {
    if (typeof given?.[Symbol.asyncIterator] === 'function') {
      for await (const part of given) {
        if (request.over) return
        if (!request.part(part)) await request.room()
      }
      given = ''
    } else {
      given = await given
    }
    if (!request.over) request.reply(given)
  } catch (error) {
    if (request.over) return // who waited has gone; the handler was told by its signal
    try {
      request.fail(error)
    } catch (late) {
      if (late.status !== status.MW_ECLOSED) throw late // else its CANCEL is on the way
    }
  }
}

/** What answers requests by a handler. */
const Answerer = Base => class extends Base {
  #handler
  #requests = new Map()

  answerBy (handler) { this.#handler = handler }

  requested (id, caller, code, message) {
    const request = new Request(this, id, caller ?? this.owner?.callerOf?.(message) ?? this.owner, code, message)
    if (id !== 0) this.#requests.set(id, request)
    let given
    try {
      given = this.#handler(request)
    } catch (error) {
      given = Promise.reject(error)
    }
    if (given === undefined) return // the host answers by itself
    message.detach()
    answer(request, given).catch(error => process.nextTick(() => { throw error }))
  }

  cancelled (id, error) { this.#requests.get(id)?.cancelled(error) }
  forget (id) { this.#requests.delete(id) }
  room (id) { this.#requests.get(id)?.roomy() }
}

/** What one end of a link serves under a name. */
class Service extends Answerer(Handle) {
  constructor (owner, name, handler, options) {
    super(owner.context)
    this.owner = owner
    this.name = name
    this.answerBy(handler)
    this.token = this.context.add(this)
    const handle = addon.serve(owner.handle, name, JSON.stringify(options), this.token)
    if (handle < 0) this.context.forget(this.token)
    this.handle = check(handle)
    this.context.keep(this)
  }

  /** Answers new calls with MW_EDRAINING, finishes those that run, closes; at the latest after ms. */
  async drain (ms = 30000, how) {
    await this.context.run(this, op => addon.drain(this.handle, ms, op), how)
  }

  ended (end) { this.finished(end) }
}

/** Verbs of who can be called. */
const Caller = Base => class extends Base {
  /** Calls a method of the other end; resolves with its answer, a message. */
  async call (target, data, { headers, signal, timeout = 0, parent, part, ...how } = {}) {
    data = plain(data)
    this.context.flush()
    const options = optionsOf(how)
    return this.context.run(this, op => addon.call(this.handle, target, bytesOf(data), flagsOf(data, how), pairs(headers),
      options, timeout === Infinity ? -1 : timeout, parent?.handle ?? parent?.id ?? 0, op), { signal, whole: true, part })
  }

  /** The parts of an answer one by one, then the answer where it has bytes; who answers waits while they are not taken. */
  async * stream (target, data, how = {}) {
    for await (const { part, last } of this.follow(target, data, how, (message, error) => error ? undefined : message.detach())) {
      if (part) yield part
      else if (last.length > 0) yield last
    }
  }

  /** Each { part } of a call, made by each(), then { last }; giving up the iteration gives up the call. */
  async * follow (target, data, how, each) {
    how.signal?.throwIfAborted()
    const give = new AbortController()
    const stop = how.signal && onAbort(how.signal, reason => give.abort(reason))
    const tell = (push, part) => part && push({ part })
    const parts = this.iterate(push => {
      this.call(target, data, { ...how, signal: give.signal, part: (...facts) => tell(push, each(...facts)) })
        .then(last => push({ last }), error => push({ error }))
      return () => {}
    })
    try {
      for await (const told of parts) {
        if (told.error) throw told.error
        yield told
        if (told.last) return
      }
      throw new MeshworkError(status.MW_ECLOSED)
    } finally {
      stop?.()
      give.abort(new MeshworkError(status.MW_ECANCELED))
    }
  }
}

/** Verbs of who can serve: providers and consumers. */
const Server = Base => class extends Base {
  /** Serves calls to name and name.method. What the handler returns, or its promise resolves with, is the answer; an
   *  async generator gives parts; what it throws is the failure. undefined: request.reply() follows. */
  serve (name, handler, options = {}) { return new Service(this, name, handler, options) }
}

module.exports = { Service, Answerer, Caller, Server }
