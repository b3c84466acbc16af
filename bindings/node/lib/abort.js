// What waits for a signal, many at a time: one listener for all of them, since
// more than a few are told as a leak.
'use strict'

const waiting = new WeakMap() // by signal

/** give(reason) when it aborts; what is returned takes that back. */
function onAbort (signal, give) {
  let all = waiting.get(signal)
  if (all === undefined) {
    const gives = new Set()
    const aborted = () => {
      waiting.delete(signal)
      for (const each of gives) each(signal.reason)
    }
    waiting.set(signal, all = { gives, aborted })
    signal.addEventListener('abort', aborted, { once: true })
  }
  const { gives, aborted } = all
  gives.add(give)
  return () => {
    gives.delete(give)
    if (gives.size > 0 || waiting.get(signal) !== all) return
    waiting.delete(signal)
    signal.removeEventListener('abort', aborted)
  }
}

module.exports = { onAbort }
