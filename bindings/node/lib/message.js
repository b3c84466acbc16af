// One message that came, borrowed from the batch until its handler returns.
'use strict'
const { flag } = require('./tables')

class Message {
  #context
  #batch
  #bytes
  #start
  #topic // bytes of it, in front of the headers
  #meta // bytes of them, in front of the body
  #length

  constructor (context, bytes, start, topic, meta, length, flags, sequence, owned) {
    this.#context = context
    this.#batch = owned ? -1 : context.batch
    this.#bytes = bytes
    this.#start = start
    this.#topic = topic
    this.#meta = meta
    this.#length = length
    this.flags = flags
    /** Number of the message on its link, modulo 2^31; 0 where the wire has none. */
    this.sequence = sequence
  }

  /** Whether it was sent as text. */
  get isText () { return (this.flags & flag.TEXT) !== 0 }
  /** Whether the body is a list: length (u32, little endian) and bytes, each. */
  get isList () { return (this.flags & flag.PARTS) !== 0 }
  /** Whether it comes from the handle that got it (option emit.local). */
  get isLocal () { return (this.flags & flag.LOCAL) !== 0 }
  /** Whether it is the last value of a key, from before the subscription. */
  get isRetained () { return (this.flags & flag.RETAINED) !== 0 }
  /** Bytes of the body. */
  get length () { return this.#length }

  #here () {
    if (this.#batch !== -1 && this.#batch !== this.#context.batch) {
      throw new Error('This message was lent to its handler only; call detach() there to keep it.')
    }
    return this.#bytes
  }

  /** The body as bytes: a view that lives as long as the message. */
  get data () {
    const at = this.#start + this.#topic + this.#meta
    return this.#here().subarray(at, at + this.#length)
  }

  /** The body as text. */
  get text () {
    const at = this.#start + this.#topic + this.#meta
    return this.#here().toString(this.flags & flag.ASCII ? 'latin1' : 'utf8', at, at + this.#length)
  }

  toString () { return this.text }
  /** The body, parsed. */
  json () { return JSON.parse(this.text) }

  /** The topic it was published to; '' where there is none. */
  get topic () {
    return this.#topic === 0 ? '' : this.#here().toString('utf8', this.#start, this.#start + this.#topic)
  }

  /** Headers: a Map of name to bytes. */
  get headers () {
    const bytes = this.#here()
    const found = new Map()
    let at = this.#start + this.#topic
    for (const end = at + this.#meta; at + 6 <= end;) {
      const key = at + 6 + bytes.readUInt16LE(at)
      const value = key + bytes.readUInt32LE(at + 2)
      found.set(bytes.toString('utf8', at + 6, key), Buffer.from(bytes.subarray(key, value)))
      at = value
    }
    return found
  }

  /** Makes the message own its bytes, so that it may be kept. Returns it. */
  detach () {
    if (this.#batch === -1) return this
    const end = this.#start + this.#topic + this.#meta + this.#length
    this.#bytes = Buffer.from(this.#here().subarray(this.#start, end))
    this.#start = 0
    this.#batch = -1
    return this
  }

  /** Where a body that is still in the batch lies, or -1. For Context. */
  static lent (message, context) {
    return message.#batch !== -1 && message.#batch === context.batch && message.#context === context
      ? message.#start + message.#topic + message.#meta
      : -1
  }
}

module.exports = { Message }
