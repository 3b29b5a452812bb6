/** One piece of what a container wrote: a line, or a part of one that is too long for a piece. */
export interface Entry {
  /** 1: standard output, 2: standard error; each is in the order of its times. */
  readonly stream: number
  /** Nanoseconds since the epoch. */
  readonly time: bigint
  /** Without its newline. */
  readonly text: Buffer
  /** Whether a line ends here. */
  readonly ends: boolean
}

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/

/** The time that an engine writes, RFC 3339 with up to nine digits of a second; null where it is none. */
export function nanoseconds(text: string): bigint | null {
  const [, second, fraction = '', zone] = rfc3339.exec(text) ?? []
  const ms = second === undefined ? Number.NaN : Date.parse(`${second}${zone}`)
  return Number.isNaN(ms) ? null : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

/**
 * The entries in a piece of a log with time stamps, as the engine's API sends it: `TIME text` lines, of which the last
 * may not end. What has no time has that of what came before it, `before`.
 */
export function entriesOf(bytes: Buffer, stream: number, before: bigint): Entry[] {
  const found: Entry[] = []
  let time = before
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline < 0 ? bytes.length : newline
    const blank = bytes.subarray(start, Math.min(end, start + 40)).indexOf(0x20)
    const stamp = blank < 0 ? null : nanoseconds(bytes.toString('latin1', start, start + blank))
    time = stamp ?? time
    found.push({
      stream,
      time,
      text: bytes.subarray(stamp === null ? start : start + blank + 1, end),
      ends: newline >= 0,
    })
    start = end + 1
  }
  return found
}

/** What dockerd writes to each line of a JSON file when its options `labels` or `tag` say so; null where it does not. */
export function attributesOfJson(line: string): Readonly<Record<string, string>> | null {
  try {
    const { attrs } = JSON.parse(line) as { attrs?: Readonly<Record<string, unknown>> | null }
    if (typeof attrs !== 'object' || attrs === null) return null
    return Object.fromEntries(
      Object.entries(attrs).filter((one): one is [string, string] => typeof one[1] === 'string'),
    )
  } catch {
    return null
  }
}

/** The entry on a line of a JSON file (`{"log":"text\n","stream":"stdout","time":"…"}`); null where it is none. */
export function entryOfJson(line: string): Entry | null {
  try {
    const { log, stream, time } = JSON.parse(line) as { log?: unknown; stream?: unknown; time?: unknown }
    const at = typeof time === 'string' ? nanoseconds(time) : null
    if (typeof log !== 'string' || at === null) return null
    const ends = log.endsWith('\n')
    return { stream: stream === 'stderr' ? 2 : 1, time: at, text: Buffer.from(ends ? log.slice(0, -1) : log), ends }
  } catch {
    return null
  }
}
