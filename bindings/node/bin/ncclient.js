#!/usr/bin/env node
// ncclient [config.json]: a prompt for the server, over its channel control.
'use strict'
const repl = require('node:repl')
const { NCAgent, readConfig, optionsOf } = require('../netcluster.js')

const PATIENCE = 10000
const fail = (error, code = 1) => {
  console.error(`ncclient: ${error.message}`)
  process.exit(code)
}

function main () {
  const { dir, wire } = process.argv[2] === undefined ? {} : readConfig(process.argv[2])
  const agent = new NCAgent({ ...dir && { dir }, ...wire && { wire }, 'reconnect.interval': '100ms' })
  let prompt
  let last = Promise.resolve() // one question at a time

  const ask = (command, data) => new Promise((resolve, reject) => {
    const topic = `nc-control-${command}`
    const clock = setTimeout(() => reject(new Error('the server does not answer')), PATIENCE)
    agent.once(`${topic}-response`, packet => {
      clearTimeout(clock)
      resolve(packet.data)
    })
    agent.emit(topic, data)
  })
  const show = (command, read) => {
    last = last.then(() => ask(command, read())).then(value => console.log(value), error => console.error(`ncclient: ${error.message}`))
      .then(() => prompt.displayPrompt())
  }
  const commands = {
    showconfig: () => show('showconfig', () => ''),
    reloadconfig: path => show('reloadconfig', () => optionsOf(readConfig(path))),
    showchannel: name => show('showchannel', () => name),
    showclient: (channel, client) => show('showclient', () => ({ channel, client }))
  }

  const clock = setTimeout(() => fail(new Error(`no server keeps the channel control${dir ? ` in ${dir}` : ''}; ncserver does`), 3), PATIENCE)
  agent.connect('control', () => {
    clearTimeout(clock)
    console.log('showconfig(), reloadconfig(path), showchannel(name), showclient(channel, uuid)')
    prompt = repl.start({ prompt: 'netcluster> ', ignoreUndefined: true })
    Object.assign(prompt.context, commands)
    prompt.on('exit', () => last.then(() => agent.disconnect()).then(() => process.exit(0)))
  }).catch(fail)
}

try {
  main()
} catch (error) {
  fail(error)
}
