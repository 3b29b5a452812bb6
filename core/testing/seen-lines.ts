import { runProgram } from '../run-program.ts'
import { readSync } from 'node:fs'
import type { FilePosition, LogChunk, LogCursor, LogPosition } from '../events.ts'
import type { Scanned } from '../intake/scanner.ts'
import { createIntake, positionAfter, type Intake, type IntakeOptions, type IntakeSource } from '../intake/intake.ts'
import type { Logger, SourcePlugin } from '../plugin.ts'

const maxLine = 64 * 1024

/** What one agent saw: lines in order, chunks, and the positions it kept. */
export class Seen {
  readonly lines: string[] = []
  readonly chunks: LogChunk[] = []
  readonly positions = new Map<string, FilePosition>()
  /** By path. */
  readonly cursors = new Map<string, LogCursor>()
  readonly alarms: string[] = []
  skipped = 0
  /** When set, scans wait for it. */
  gate: Promise<void> | null = null
  readonly #textOf: (line: string) => string

  /** `textOf`: what is kept of a line. */
  constructor(textOf = (line: string) => line) {
    this.#textOf = textOf
  }

  /** What an agent finds that starts after this one was killed now. */
  killed(): Seen {
    const next = new Seen(this.#textOf)
    next.lines.push(...this.lines)
    for (const [path, position] of this.positions) next.positions.set(path, position)
    for (const [path, cursor] of this.cursors) next.cursors.set(path, cursor)
    return next
  }

  readonly scan = async (chunk: LogChunk, position: LogPosition | null): Promise<Scanned> => {
    if (this.gate !== null) await this.gate
    const result = cutLines(bytesOf(chunk), chunk.insideLine, (line) => this.lines.push(this.#textOf(line)))
    this.chunks.push(chunk)
    this.skipped += result.skipped
    if (position !== null && 'cursor' in position) this.cursors.set(position.path, position)
    else if (position !== null) this.positions.set(position.path, positionAfter(position, result))
    return result
  }
}

/** An intake over `seen` that looks only when woken by the kernel or, seldom, by the clock. */
export function intakeFor(seen: Seen, more: Partial<IntakeOptions> = {}): Intake {
  return createIntake({
    positions: [...seen.positions.values(), ...seen.cursors.values()],
    scan: seen.scan,
    log: silent,
    alarm: (subject, message) => seen.alarms.push(`${subject}: ${message}`),
    lookEveryMs: 50,
    ...more,
  })
}

/** A source as the configuration would have it, of these jails, with failures that count for ten minutes. */
export function sourceOf<Options>(
  key: string,
  plugin: SourcePlugin<Options>,
  options: Options,
  ...jails: string[]
): IntakeSource {
  return {
    name: key,
    key,
    id: key,
    jails,
    findtimeMs: 600_000,
    plugin: plugin as SourcePlugin,
    host: (parts) => ({
      options,
      name: key,
      log: silent,
      now: Date.now,
      stateDir: '/',
      runProgram: (command, given = {}) => runProgram(command, given, parts.signal),
      ...parts,
    }),
  }
}

/** Waits until `holds` is true, looking every few milliseconds; fails after ten seconds with what `tell` says. */
export async function until(holds: () => boolean, tell: () => unknown = () => ''): Promise<void> {
  for (let i = 0; i < 5000; i++) {
    if (holds()) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  throw new Error(`waited ten seconds in vain: ${holds} ${JSON.stringify(tell())}`)
}

/** A log that nobody reads. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

function bytesOf(chunk: LogChunk): Buffer {
  if (chunk.data instanceof Uint8Array) return Buffer.from(chunk.data)
  const { fd, start, end } = chunk.data
  const bytes = Buffer.alloc(end - start)
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start))
}

/** The contract of a scan, as simply as it can be written. */
function cutLines(bytes: Buffer, insideLine: boolean, found: (line: string) => void): Scanned {
  let [start, lines, skipped] = [0, 0, 0]
  let inside = insideLine
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    if (inside || end - start > maxLine) skipped++
    else found(bytes.toString('latin1', start, end))
    lines++
    inside = false
    start = end + 1
  }
  if (inside || bytes.length - start > maxLine) {
    inside = true
    start = bytes.length
  }
  return { found: 0, consumed: start, insideLine: inside, lines, skipped, malformed: 0, bare: false }
}
