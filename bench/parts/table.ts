import { FailureTable } from '../../core/judging/failure-table.ts'
import type { Case, Figure, Part } from '../part.ts'

const limits = { maxretry: 5, findtimeMs: 600_000 }
/** Calls between two looks at the clock: to ask it costs more than a call. */
const batch = 256
const begun = 1_790_000_000_000

/** The counter table of a jail at scale. */
export default {
  name: 'table',
  about:
    'the table of addresses with failures: what an address takes, what a call costs, how long one call holds all up',
  cases: [1_000_000, 10_000_000].map((addresses): Case => ({
    name: `${addresses / 1_000_000} million addresses`,
    why: 'a failure is counted in the main thread, where everything waits for it',
    corpus:
      'addresses that fail once, then again in another order, then as many others, then one for long; one in four is IPv6',
    answer: 'none is lost, the bound holds, and in the end all have expired',
    drawn: 'CPU ns/call',
    measure: () => measure(addresses),
  })),
} satisfies Part

function measure(addresses: number): Figure[] {
  const table = new FailureTable({ ...limits, maxAddresses: addresses })
  const key = new Uint32Array(4)
  const add = (number: number, time: number) => {
    writeSource(number, key)
    return table.addKey(key, 0, begun + time, 1)
  }
  const insert = timed('a new address', addresses, (call) => void add(call, 0))
  const update = timed(
    'a known address',
    addresses,
    (call) => void add(scattered(call, addresses), 1000 + call / addresses),
  )
  const bytes = table.bytes / addresses
  if (table.size !== addresses || table.evicted > 0) throw new Error(`${table.size} of ${addresses} are tracked`)
  if (add(7, 2000) < 3) throw new Error('a failure is lost')
  const full = timed('a new address, full', addresses, (call) => void add(addresses + call, 3000))
  if (table.size !== addresses || table.evicted === 0) throw new Error('the bound does not hold')
  // Two windows later everything is too old, and goes while one address goes on failing.
  const expiry = timed('while all expire', addresses, (call) => void add(0, 2 * limits.findtimeMs + call / addresses))
  if (table.size > 1) throw new Error(`${table.size} addresses have not expired`)
  const memory = { subject: 'memory', values: { 'bytes/address': bytes } }
  return [insert, update, full, expiry, memory]
}

/**
 * CPU nanoseconds of a call, and the longest that some calls in a row took while nothing else had the processor: on a
 * busy machine a call also waits for its turn, which says nothing of the table.
 */
function timed(subject: string, calls: number, call: (index: number) => void): Figure {
  const cpu = process.cpuUsage()
  let longestMs = 0
  let { involuntaryContextSwitches: switches } = process.resourceUsage()
  for (let done = 0; done < calls;) {
    const end = Math.min(done + batch, calls)
    const from = performance.now()
    for (; done < end; done++) call(done)
    const ms = performance.now() - from
    const { involuntaryContextSwitches } = process.resourceUsage()
    if (involuntaryContextSwitches === switches) longestMs = Math.max(longestMs, ms)
    switches = involuntaryContextSwitches
  }
  const { user, system } = process.cpuUsage(cpu)
  return { subject, values: { 'CPU ns/call': ((user + system) * 1000) / calls, 'longest, ms': longestMs } }
}

/** Neighbours in the order of failing are none in the table. */
function scattered(call: number, addresses: number): number {
  return (call * 7_368_787) % addresses
}

function writeSource(number: number, key: Uint32Array): void {
  if (number % 4 === 3) {
    key[0] = 0x2001_0db8
    key[1] = number
    key[2] = 0
    key[3] = 1 + (number & 15)
  } else {
    key[0] = key[1] = 0
    key[2] = 0xffff
    key[3] = Math.imul(number, 2_654_435_761)
  }
}
