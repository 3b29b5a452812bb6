/**
 * Scans chunks of logs, synchronously and without state between them: cuts lines, lets the matchers
 * find what the filters of the chunk's jails match, and makes `Match` records of it.
 */
import { readSync } from 'node:fs'
import { BailiffError, quote } from '../errors.ts'
import type { LogChunk, ScanResult } from '../events.ts'
import type { LineBlock, MatcherPlugin, Scanner } from '../plugin.ts'
import { cutLines } from './line-cutting.ts'
import { LogForms } from './log-form.ts'
import { LineReader, type LineProgress } from './lines.ts'
import { MatchMaker } from './match-records.ts'
import type { JailFilter } from './messages.ts'

export interface LogScanner {
  /**
   * Scans the whole lines of a chunk, of its first MiB if it is longer. `progress` hears of each line
   * before it is matched. Strings in the result may share memory with the text of the chunk: whoever
   * keeps them for long copies them, as sending them to another thread does.
   */
  scan(chunk: LogChunk, progress?: LineProgress): ScanResult
}

/** Bytes that one call looks at, at most. */
export const maxChunkBytes = 1 << 20

/** What a set of jails needs: some scanners, and the jails that each of their filters stands for. */
interface Bound {
  readonly scanners: readonly { readonly scanner: Scanner; readonly filters: readonly FilterJails[] }[]
  readonly order: ReadonlyMap<string, number>
}

/** A filter, matched once, and the jails that use it. */
interface FilterJails {
  readonly filter: JailFilter['filter']
  readonly jails: readonly string[]
}

const maxBound = 200

/** A scanner for these jails. Throws a BailiffError when a chunk names another jail or no engine takes a filter. */
export function createLogScanner(setup: {
  readonly jails: readonly JailFilter[]
  readonly engines: readonly MatcherPlugin[]
}): LogScanner {
  const filters = new Map(setup.jails.map(({ jail, filter }) => [jail, { filter, key: JSON.stringify(filter) }]))
  const bound = new Map<string, Bound>()
  const reader = new LineReader()
  const maker = new MatchMaker()
  const forms = new LogForms()
  const memory = Buffer.alloc(maxChunkBytes)

  const boundFor = (jails: readonly string[]): Bound => {
    const key = jails.join('\0')
    const known = bound.get(key)
    if (known) return known
    const made = bind(jails, filters, setup.engines)
    for (const [oldKey, old] of bound) {
      if (bound.size < maxBound) break
      for (const { scanner } of old.scanners) scanner.dispose?.()
      bound.delete(oldKey)
    }
    bound.set(key, made)
    return made
  }

  return {
    scan(chunk, progress): ScanResult {
      const { scanners, order } = boundFor(chunk.jails)
      const { bytes, base } = bytesOf(chunk, memory)
      const text = bytes.toString('latin1')
      const bare = forms.isBare(chunk)
      const { segments, ...counts } = cutLines(text, chunk.insideLine)
      reader.reference = chunk.arrivedAt
      maker.start(chunk.log)
      for (const { start, end } of segments) {
        const whole = start === 0 && end === text.length
        const block = reader.block(bytes.subarray(start, end), whole ? text : text.slice(start, end), start, progress)
        for (const { scanner, filters: taken } of scanners) scanBlock(scanner, taken, block, base + start, bare, maker)
      }
      return { matches: maker.take(order), ...counts, bare: bare === true }
    },
  }
}

/**
 * A filter that names its programs takes lines by their syslog header; without one only in a file whose
 * lines have none. A bare line among others is not what it seems: something wrote a line break there.
 * In a bare file all can be forged; there at least no line stands for many.
 */
function scanBlock(
  scanner: Scanner,
  filters: readonly FilterJails[],
  block: LineBlock,
  base: number,
  bare: boolean | null,
  maker: MatchMaker,
): void {
  scanner.scan(block, (found) => {
    const taken = filters[found.filter]
    if (!taken) return
    if (bare === false && taken.filter.programs !== null && found.head.syslog === null) return
    maker.add(found, taken.filter.name, taken.jails, base + found.start, bare === true)
  })
}

/** The bytes of a chunk, and the offset that its first byte has in the log. */
function bytesOf(chunk: LogChunk, memory: Buffer): { bytes: Buffer; base: number } {
  const { data } = chunk
  if (data instanceof Uint8Array) return { bytes: asBuffer(data), base: 0 }
  if (data.bytes !== undefined) return { bytes: asBuffer(data.bytes), base: data.start }
  const wanted = Math.min(data.end - data.start, maxChunkBytes)
  let length = 0
  while (length < wanted) {
    const count = readSync(data.fd, memory, length, wanted - length, data.start + length)
    if (count === 0) break
    length += count
  }
  return { bytes: memory.subarray(0, length), base: data.start }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxChunkBytes))
}

/** Gives each filter of the jails to the first engine that takes it. */
function bind(
  jails: readonly string[],
  known: ReadonlyMap<string, { readonly filter: JailFilter['filter']; readonly key: string }>,
  engines: readonly MatcherPlugin[],
): Bound {
  const distinct = new Map<string, { filter: JailFilter['filter']; jails: string[] }>()
  for (const jail of new Set(jails)) {
    const one = known.get(jail)
    if (!one) throw new BailiffError('software', `the scanner knows no jail ${quote(jail)}`)
    const same = distinct.get(one.key)
    if (same) same.jails.push(jail)
    else distinct.set(one.key, { filter: one.filter, jails: [jail] })
  }
  let rest: FilterJails[] = [...distinct.values()]
  const reasons: string[] = []
  const scanners: Bound['scanners'][number][] = []
  for (const engine of engines) {
    if (rest.length === 0) break
    const scanner = engine.compile(rest.map(({ filter }) => filter))
    const took = new Set(scanner.took)
    for (const { filter, reason } of scanner.left ?? []) reasons.push(`${rest[filter]?.filter.name}: ${reason}`)
    // The scanner goes on naming filters by their index in what it was given.
    if (took.size > 0) scanners.push({ scanner, filters: rest })
    else scanner.dispose?.()
    rest = rest.filter((_, index) => !took.has(index))
  }
  if (rest.length > 0) {
    const names = rest.map(({ filter }) => quote(filter.name)).join(', ')
    throw new BailiffError(
      'config',
      `no matcher takes the filters ${names}${reasons.map((one) => `; ${one}`).join('')}`,
    )
  }
  return { scanners, order: new Map(jails.map((jail, index) => [jail, index])) }
}
