// The README's programs and the examples, run as a user would.
'use strict'
const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { run } = require('./kit')

const root = path.join(__dirname, '..')

/** Starts a provider, gives its url to the consumer's program, ends the provider. */
async function play (provider, consumer, heard) {
  const child = spawn(process.execPath, provider, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  const url = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the provider ended:\n${out}`)))
    child.stdout.on('data', text => {
      out += text
      const found = out.match(/listening (\S+)/)
      if (found) resolve(found[1].replace('0.0.0.0', '127.0.0.1'))
    })
  })
  try {
    const { code, out } = await consumer(url)
    assert.equal(code, 0, out)
    assert.match(out, heard)
  } finally {
    child.removeAllListeners('exit')
    child.kill('SIGINT')
    await once(child, 'exit')
  }
}

test('the examples', () => play([path.join(root, 'examples', 'provider.js'), '0'],
  url => run(path.join(root, 'examples', 'consumer.mjs'), [url]), /Provider Sent: SOME_REPLY/))

const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
const block = name => readme.match(new RegExp('```js ' + name + '\n([^]*?)```'))[1]

test('the programs of the README', async () => {
  const dir = fs.mkdtempSync(path.join(root, 'readme-'))
  try {
    const provider = path.join(dir, 'provider.js')
    fs.writeFileSync(provider, block('provider').replace('8080', '0'))
    await play([provider], url => {
      const consumer = path.join(dir, 'consumer.mjs')
      fs.writeFileSync(consumer, block('consumer').replace('ws://127.0.0.1:8080/connect', url))
      return run(consumer)
    }, /HELLO/)
  } finally {
    fs.rmSync(dir, { recursive: true })
  }
})

test('the programs of the README about one host, and the example', async () => {
  const dir = fs.mkdtempSync(path.join(root, 'readme-'))
  const meet = fs.mkdtempSync(path.join(os.tmpdir(), 'mw-'))
  try {
    const program = name => {
      fs.writeFileSync(path.join(dir, `${name}.mjs`), block(name).replace(/\{ (name: '|cluster: )/, `{ dir: '${meet}', $1`))
      return run(path.join(dir, `${name}.mjs`))
    }
    assert.deepEqual(await program('channel'), { code: 0, out: '' })
    assert.deepEqual(await program('share'), { code: 0, out: 'leads since 1\nquote of ACME\nACME 42\n' })
    const others = Array.from({ length: 3 }, () => run(path.join(root, 'examples', 'host.mjs'), ['3', meet]))
    for (const { code, out } of await Promise.all(others)) {
      assert.equal(code, 0, out)
      assert.match(out, /3 of us/)
    }
    const { code, out } = await program('mesh')
    assert.equal(code, 0, out)
    assert.match(out, /^(\S+) asks for tea\n\1 \1 asks for all\nlog\/warn disk \1\n$/)
    const members = Array.from({ length: 3 }, () => run(path.join(root, 'examples', 'mesh.mjs'), ['3', meet]))
    for (const { code, out } of await Promise.all(members)) {
      assert.equal(code, 0, out)
      assert.match(out, /^10 words\n3 of 3 members count 10\n/m)
    }
  } finally {
    for (const each of [dir, meet]) fs.rmSync(each, { recursive: true })
  }
})
