// Run by npm: nothing to do where the prebuilt addon loads; elsewhere it is
// built from the sources in core/.
'use strict'
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

function loads () {
  return spawnSync(process.execPath, ['-e', 'require("./lib/addon.js")'], { cwd: __dirname }).status === 0
}

function run (...command) {
  const { status, error } = spawnSync(command[0], command.slice(1), { cwd: __dirname, stdio: 'inherit' })
  if (status === 0) return
  console.error(`meshwork: ${error ? error.message : `${command.join(' ')} failed`}.
There is no prebuilt addon for ${process.platform}-${process.arch} with this C library, so it is built from source, which needs
CMake 3.25, a C++20 compiler, Boost 1.81, OpenSSL 3, zlib, cJSON, c-ares and RE2. On Debian 12:
  apt install cmake g++ make libboost1.81-dev libssl-dev zlib1g-dev libcjson-dev libc-ares-dev libre2-dev pkg-config libnode-dev`)
  process.exit(1)
}

if (!loads()) {
  run('cmake', '-S', '.', '-B', 'build/cmake', '-DCMAKE_BUILD_TYPE=Release')
  run('cmake', '--build', 'build/cmake', '-j', '2', '--target', 'addon')
  const made = path.join(__dirname, 'build', 'cmake')
  for (const file of fs.readdirSync(made).filter(name => /^(meshwork\.node|lib(cjson|re2)\.so\.\d+)$/.test(name))) {
    fs.copyFileSync(path.join(made, file), path.join(__dirname, 'build', file))
  }
  if (!loads()) require('./lib/addon.js') // says why
}
