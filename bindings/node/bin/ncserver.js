#!/usr/bin/env node
// ncserver [config.json]: keeps the channels of a configuration until a signal ends it.
'use strict'
const path = require('node:path')
const { NCServer, readConfig } = require('../netcluster.js')

const file = process.argv[2] ?? path.join(__dirname, 'config.json')
const server = new NCServer()
const said = error => console.error(`ncserver: ${file}: ${error.message}`)
const fail = error => {
  said(error)
  process.exitCode = 1
}

try {
  server.config = readConfig(file)
  server.start(() => console.log(`ncserver: keeps ${Object.keys(server.config.channels).join(', ')}`)).catch(fail)
  process.on('SIGHUP', () => {
    new Promise(resolve => { resolve(server.reload(readConfig(file))) }).then(() => console.log('ncserver: reloaded'), said)
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => { server.stop().then(() => process.exit(0)) })
} catch (error) {
  fail(error)
}
