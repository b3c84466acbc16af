// What the tests share: a provider with a consumer, and children that must end.
'use strict'
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { Context, Provider, Consumer } = require('meshwork')

/** Doors of a context: polled by libuv where there is one, or a library thread. */
const threads = process.versions.bun || process.versions.deno ? [1] : [0, 1]

async function pair ({ context = new Context(), provider: p = {}, consumer: c = {} } = {}) {
  const provider = await new Provider({ port: 0, host: '127.0.0.1', ...p }, context).start()
  const came = once(provider, 'connection')
  const consumer = await new Consumer({ url: provider.address[0], ...c }, context).start()
  const [connection] = await came
  return { context, provider, consumer, connection }
}

/** Runs a program; rejects unless it ends by itself within the time. */
async function run (program, args = [], { limit = 20000, env = {} } = {}) {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...env } })
  let out = ''
  child.stdout.on('data', text => { out += text })
  child.stderr.on('data', text => { out += text })
  const timer = setTimeout(() => child.kill('SIGKILL'), limit)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  if (signal) throw new Error(`${path.basename(program)} did not end within ${limit} ms:\n${out}`)
  return { code, out }
}

const descriptors = () => fs.readdirSync('/proc/self/fd').length
const tasks = () => fs.readdirSync('/proc/self/task').length

module.exports = { threads, pair, run, descriptors, tasks, programs: path.join(__dirname, 'programs') }
