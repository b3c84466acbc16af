// The one error class, and how a status becomes one.
'use strict'
const addon = require('./addon')
const { errors } = require('./tables')

/** A failure told by the core: code, name, retryable, and errno where the system said so. */
class MeshworkError extends Error {
  constructor (status, text, os = 0) {
    const [name, sentence, retryable] = errors.get(status) ?? ['MW_EUNKNOWN', `Status ${status}.`, false]
    super(text || sentence)
    this.name = 'MeshworkError'
    this.code = name
    this.status = status
    this.retryable = retryable
    if (os) this.errno = os
  }
}

/** Passes a status (or value) through; a negative one is thrown. */
function check (status) {
  if (!(status < 0)) return status
  const [code, os, text] = addon.detail()
  throw code === status ? new MeshworkError(status, text, os) : new MeshworkError(status)
}

module.exports = { MeshworkError, check }
