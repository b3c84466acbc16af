// Words of the agents' lines: bytes as printable text and back, flags by name.
'use strict'

const isPlain = byte => byte > 0x20 && byte < 0x7f && byte !== 0x25

function show (data, most = Infinity) {
  const bytes = Buffer.from(data)
  if (bytes.length > most) {
    let hash = 2166136261
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619) >>> 0
    return `@${bytes.length}:${hash.toString(16).padStart(8, '0')}`
  }
  let text = ''
  for (const [i, byte] of bytes.entries()) {
    text += isPlain(byte) && !(i === 0 && byte === 0x40) ? String.fromCharCode(byte) : '%' + byte.toString(16).toUpperCase().padStart(2, '0')
  }
  return text
}

function read (word) {
  if (/^@\d+$/.test(word)) return Buffer.from(Uint8Array.from({ length: Number(word.slice(1)) }, (_, i) => 97 + i % 26))
  return Buffer.from(word.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1')
}

function cut (line) {
  const [verb, ...rest] = line.split(' ')
  const name = rest.length > 0 && !rest[0].includes('=') ? rest.shift() : ''
  const args = {}
  for (const word of rest) {
    const at = word.indexOf('=')
    args[word.slice(0, at)] = read(word.slice(at + 1))
  }
  return { verb, name, args }
}

function pack (headers) {
  return Buffer.concat([...headers].flatMap(([key, value]) => {
    const head = Buffer.alloc(6)
    head.writeUInt16LE(Buffer.byteLength(key))
    head.writeUInt32LE(value.length, 2)
    return [head, Buffer.from(key), value]
  }))
}

const flags = { TEXT: 1, LOCAL: 0x80, PARTS: 0x1000, RETAINED: 0x10000, ASCII: 0x2000000 }
const flagsOf = message => Object.keys(flags).filter(name => message.flags & flags[name]).join('+')

module.exports = { show, cut, pack, flagsOf }
