/** Zone files of the system (RFC 8536, TZif), read as the C library of Linux reads them. */
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { ruleClock, type ClockState, type ZoneClock } from './zone-rule.ts'

const zoneFolder = '/usr/share/zoneinfo'
const hostFile = '/etc/localtime'
const utc: ZoneClock = () => ({ offset: 0, isDst: false })

/**
 * The clock of a zone as the variable TZ names it: a file below the system's zones, a path, or a POSIX rule, with
 * or without a colon before it. Null: that of the host. What cannot be read is UTC, as for every program.
 */
export function zoneClock(zone: string | null): ZoneClock {
  if (zone === '') return utc
  const name = zone === null ? hostFile : zone.replace(/^:/, '')
  const file = isAbsolute(name) ? name : join(zoneFolder, name)
  return readZone(file) ?? ruleClock(name) ?? utc
}

interface Transitions {
  readonly times: readonly number[]
  /** What holds from each of them on. */
  readonly states: readonly ClockState[]
  readonly before: ClockState
  /** What holds behind the last; null: what the last one brought. */
  readonly after: ZoneClock | null
  /** Leap seconds of a zone that counts them (`right/…`), in order: from then on so many are counted. */
  readonly leaps: readonly { readonly time: number; readonly seconds: number }[]
}

function readZone(path: string): ZoneClock | null {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch {
    return null
  }
  if (bytes.length < headerBytes || bytes.toString('latin1', 0, 4) !== 'TZif') return null
  try {
    const transitions = readTransitions(bytes)
    return withLeaps(clockOf(transitions), transitions.leaps)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

const headerBytes = 44

/** Reads past its end throw a RangeError. */
function readTransitions(bytes: Buffer): Transitions {
  const counts = (at: number) => Array.from({ length: 6 }, (_, index) => bytes.readUInt32BE(at + 20 + index * 4))
  const blockBytes = (at: number, width: number) => {
    const [utcs = 0, walls = 0, leaps = 0, times = 0, kinds = 0, names = 0] = counts(at)
    return times * (width + 1) + kinds * 6 + names + leaps * (width + 4) + walls + utcs
  }
  // Versions above 1 have the whole once more in 64 bits, and a rule for the time behind it.
  const wide = bytes.readUInt8(4) >= 0x32
  const start = wide ? headerBytes + blockBytes(0, 4) : 0
  const width = wide ? 8 : 4
  const [, , leapCount = 0, timeCount = 0, kindCount = 0, nameBytes = 0] = counts(start)
  const timesAt = start + headerBytes
  const indexesAt = timesAt + timeCount * width
  const kindsAt = indexesAt + timeCount
  const kinds = Array.from({ length: kindCount }, (_, index): ClockState => {
    const at = kindsAt + index * 6
    return { offset: bytes.readInt32BE(at), isDst: bytes.readUInt8(at + 4) === 1 }
  })
  const first = kinds[0]
  if (first === undefined) throw new RangeError('a zone without a clock')
  const rule = wide ? bytes.toString('latin1', start + headerBytes + blockBytes(start, 8)).trim() : ''
  const timeAt = (at: number) => (wide ? Number(bytes.readBigInt64BE(at)) : bytes.readInt32BE(at))
  const leapsAt = kindsAt + kindCount * 6 + nameBytes
  return {
    times: Array.from({ length: timeCount }, (_, index) => timeAt(timesAt + index * width)),
    states: Array.from({ length: timeCount }, (_, index) => kinds[bytes.readUInt8(indexesAt + index)] ?? first),
    before: kinds.find(({ isDst }) => !isDst) ?? first,
    after: rule === '' ? null : ruleClock(rule),
    leaps: Array.from({ length: leapCount }, (_, index) => {
      const at = leapsAt + index * (width + 4)
      return { time: timeAt(at), seconds: bytes.readInt32BE(at + width) }
    }),
  }
}

/** Remembers the span that it was asked for last, for logs go through time in order. */
function clockOf({ times, states, before, after }: Transitions): ZoneClock {
  const last = times.at(-1) ?? -Infinity
  let from = 0
  let to = 0
  let state = before
  return (time) => {
    if (time >= from && time < to) return state
    if (time >= last && after !== null) return after(time)
    const next = countUpTo(times, time)
    from = times[next - 1] ?? -Infinity
    to = times[next] ?? Infinity
    state = states[next - 1] ?? before
    return state
  }
}

/** Clocks that count leap seconds show a civil time that is so much behind. */
function withLeaps(clock: ZoneClock, leaps: Transitions['leaps']): ZoneClock {
  if (leaps.length === 0) return clock
  return (time) => {
    const { offset, isDst } = clock(time)
    return { offset: offset - (leaps.findLast((leap) => leap.time <= time)?.seconds ?? 0), isDst }
  }
}

/** How many of the times, which are in order, are not after this one. */
function countUpTo(times: readonly number[], time: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] ?? Infinity) <= time) low = middle + 1
    else high = middle
  }
  return low
}
