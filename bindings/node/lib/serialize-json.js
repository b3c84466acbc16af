// The encoding of the package serialize-json, which programs of cluster-client
// speak to each other: dictionaries of strings, integers, floats and dates,
// then the tree as places in them.
'use strict'
const [TRUE, FALSE, NULL, EMPTY, UNDEFINED] = [-1, -2, -3, -4, -5]
const base36 = number => number.toString(36).toUpperCase()
const escapes = { ' ': '+', '+': '%2B', '|': '%7C', '^': '%5E', '%': '%25' }
const plain = { '+': ' ', '%2B': '+', '%7C': '|', '%5E': '^', '%25': '%' }

/** A value as bytes. */
function encode (value) {
  const tables = [[], [], [], []] // strings, integers, floats, dates
  const tokens = [] // '@' or the like, a constant, or [table, place]
  const put = (table, text) => tokens.push([table, tables[table].push(text) - 1])
  const walk = value => {
    switch (typeof value) {
      case 'string': return value === '' ? tokens.push(EMPTY) : put(0, value.replace(/[+ |^%]/g, c => escapes[c]))
      case 'number': return value % 1 === 0 ? put(1, base36(value)) : put(2, String(value))
      case 'boolean': return tokens.push(value ? TRUE : FALSE)
      case 'undefined': return tokens.push(UNDEFINED)
      case 'object': break
      default: return tokens.push(NULL)
    }
    if (value === null) return tokens.push(NULL)
    if (value instanceof Date) return put(3, base36(value.getTime()))
    if (Array.isArray(value) || Buffer.isBuffer(value)) {
      tokens.push(Array.isArray(value) ? '@' : '*')
      for (const item of value) walk(item)
    } else {
      const error = value instanceof Error
      tokens.push(error ? '#' : '$')
      for (const [key, item] of Object.entries(error ? { message: value.message, stack: value.stack, ...value } : value)) {
        walk(key)
        walk(item)
      }
    }
    tokens.push(']')
  }
  walk(value)
  const from = tables.map((_, i) => tables.slice(0, i).reduce((n, table) => n + table.length, 0))
  let tree = ''
  let open = true // nothing to separate from
  for (const token of tokens) {
    if (token !== ']' && !open) tree += '|'
    tree += typeof token === 'string' ? token : base36(typeof token === 'number' ? token : from[token[0]] + token[1])
    open = typeof token === 'string' && token !== ']'
  }
  return Buffer.from([...tables.map(table => table.join('|')), tree].join('^'))
}

/** The value of bytes; throws where they are none. */
function decode (bytes) {
  const parts = bytes.toString().split('^')
  if (parts.length !== 5) throw new TypeError('not serialize-json: it has not five parts')
  const each = (part, f) => part === '' ? [] : part.split('|').map(f)
  const values = [
    ...each(parts[0], text => text.replace(/\+|%2B|%7C|%5E|%25/g, c => plain[c])),
    ...each(parts[1], text => parseInt(text, 36)),
    ...each(parts[2], parseFloat),
    ...each(parts[3], text => new Date(parseInt(text, 36)))
  ]
  const tokens = parts[4].match(/[@$*#\]]|[^@$*#\]|]+/g) ?? []
  let at = 0
  const next = () => {
    if (at === tokens.length) throw new TypeError('not serialize-json: it ends too soon')
    return tokens[at++]
  }
  const walk = depth => {
    if (depth > 1000) throw new TypeError('not serialize-json: it is nested too deep')
    const token = next()
    const more = () => tokens[at] !== ']' || (at++, false)
    if (token === '@' || token === '*') {
      const list = []
      while (more()) list.push(walk(depth + 1))
      return token === '@' ? list : Buffer.from(list)
    }
    if (token === '$' || token === '#') {
      const object = {}
      while (more()) {
        const key = walk(depth + 1)
        Object.defineProperty(object, key, { value: walk(depth + 1), writable: true, enumerable: true, configurable: true })
      }
      return token === '$' ? object : Object.assign(new Error(object.message), object)
    }
    const place = parseInt(token, 36)
    switch (place) {
      case TRUE: return true
      case FALSE: return false
      case NULL: return null
      case EMPTY: return ''
      case UNDEFINED: return undefined
    }
    if (!(place >= 0 && place < values.length)) throw new TypeError('not serialize-json: a place is outside')
    return values[place]
  }
  return walk(0)
}

module.exports = { encode, decode }
