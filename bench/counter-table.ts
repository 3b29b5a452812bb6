/**
 * The counter table of a jail at scale: what an address takes, what it costs to count a failure of a new one and of a
 * known one, and the longest that one call holds everything up. `node --expose-gc dist/bench/counter-table.js
 * [ADDRESSES…]`, by default 1000000 and 10000000; `maxretry` is 5, every fourth address is IPv6.
 */
import { cpus } from 'node:os'
import { FailureTable } from '../core/judging/failure-table.ts'

const limits = { maxretry: 5, findtimeMs: 600_000 }
/** Calls between two looks at the clock: to ask it costs more than a call. */
const batch = 256
const begun = 1_790_000_000_000

const asked = process.argv.slice(2).map(Number)
console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus()[0]?.model}; CPU time`)
for (const addresses of asked.length > 0 ? asked : [1_000_000, 10_000_000]) measure(addresses)

function measure(addresses: number): void {
  const table = new FailureTable({ ...limits, maxAddresses: addresses })
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  const key = new Uint32Array(4)
  const add = (number: number, time: number) => {
    writeSource(number, key)
    return table.addKey(key, 0, begun + time, 1)
  }
  const figures = {
    insert: timed(addresses, (call) => void add(call, 0)),
    update: timed(addresses, (call) => void add(scattered(call, addresses), 1000 + call / addresses)),
  }
  const perAddress = table.bytes / addresses
  globalThis.gc?.()
  const resident = (process.memoryUsage().rss - before) / addresses
  if (table.size !== addresses || table.evicted > 0) throw new Error(`${table.size} of ${addresses} are tracked`)
  if (add(7, 2000) < 3) throw new Error('a failure is lost')
  const full = timed(addresses, (call) => void add(addresses + call, 3000))
  if (table.size !== addresses || table.evicted === 0) throw new Error('the bound does not hold')
  // Two windows later everything is too old, and goes while one address goes on failing.
  const expiry = timed(addresses, (call) => void add(0, 2 * limits.findtimeMs + call / addresses))
  if (table.size > 1) throw new Error(`${table.size} addresses have not expired`)
  const told = Object.entries({ ...figures, full, expiry }).map(
    ([name, { ns, longestMs }]) => `${name} ${ns.toFixed(0)} ns (longest ${longestMs.toFixed(1)} ms)`,
  )
  console.log(
    `${addresses} addresses: ${perAddress.toFixed(1)} bytes each (${resident.toFixed(0)} resident); ${told.join(', ')}; ` +
      `${table.bytes} bytes at the end`,
  )
}

/**
 * CPU nanoseconds of a call, and the longest that some calls in a row took while nothing else had the processor: on a
 * busy machine a call also waits for its turn, which says nothing of the table.
 */
function timed(calls: number, call: (index: number) => void): { readonly ns: number; readonly longestMs: number } {
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
  return { ns: ((user + system) * 1000) / calls, longestMs }
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
