// Finds and loads the addon: prebuilt for this platform, built here, or where
// MESHWORK_ADDON says (for tests). The only file that requires it.
'use strict'
const path = require('node:path')

const root = path.join(__dirname, '..')
const places = process.env.MESHWORK_ADDON
  ? [process.env.MESHWORK_ADDON]
  : [path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'meshwork.node'),
      path.join(root, 'build', 'meshwork.node')]

function load () {
  const why = []
  for (const place of places) {
    try {
      return require(place)
    } catch (error) {
      why.push(error.message)
    }
  }
  throw new Error(`meshwork has no addon for ${process.platform}-${process.arch} here; ` +
    `run "npm rebuild meshwork" (needs CMake, a C++20 compiler and OpenSSL 3). Tried:\n${why.join('\n')}`)
}

module.exports = load()
