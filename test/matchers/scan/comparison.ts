/** Compares engines line by line: everything that each says of the lines it finds. */
import { isDeepStrictEqual } from 'node:util'
import { parseAddress } from '../../../core/address.ts'
import { addressBytes } from '../../../core/address.ts'
import { compileSettings } from '../../../core/compiled-settings.ts'
import { filterLanguage } from '../../../core/matching/filter-language.ts'
import { LineReader } from '../../../core/matching/lines.ts'
import type { CompiledFilter, FoundLine, LineBlock, Scanner } from '../../../core/plugin.ts'
import { inMode } from '../../../core/settings/filter-modes.ts'
import { shippedFilter, shippedFilters } from '../../config/scan-text.ts'
import { Seeded } from './seeded.ts'
import { lineOf, messageOf, spoiled } from './written-lines.ts'

/** A shipped filter in one of its modes. */
export interface ShippedFilter {
  readonly name: string
  readonly filter: CompiledFilter
  /** Its samples, those of all modes. */
  readonly samples: readonly string[]
}

/** All shipped filters of plain text, in all modes. */
export async function allShipped(): Promise<ShippedFilter[]> {
  const definitions = await Promise.all(shippedFilters().map(shippedFilter))
  return definitions.flatMap((definition) =>
    Object.keys(definition.modes).flatMap((mode) => {
      const settings = inMode(definition, mode, definition.where)
      const filter = compileSettings(settings, filterLanguage)
      const { match, pass, hostile } = settings.samples
      const samples = [...match, ...pass, ...hostile].map((sample) =>
        typeof sample === 'string' ? sample : sample.line,
      )
      return filter.structure === null ? [{ name: `${settings.name} (${mode})`, filter, samples }] : []
    }),
  )
}

/** So many lines for a filter: its samples first, then others. */
export function linesFor({ filter, samples }: ShippedFilter, count: number, seed: number): string[] {
  const random = new Seeded(seed)
  const lines = samples.slice(0, count)
  while (lines.length < count) {
    const sample = random.of(samples) ?? ''
    const line = random.once(3) ? sample : lineOf(messageOf(filter, random), filter.programs, random)
    lines.push(spoiled(line, sample, random))
  }
  return lines.map((line) => line.replaceAll('\n', ' '))
}

/** What a scanner says of lines, in the order of the lines and then of the filters. Views are copied. */
export function foundIn(scanner: Scanner, lines: readonly string[], reader = readerOf2026()): FoundLine[] {
  const found: FoundLine[] = []
  const scan = (block: LineBlock) => scanner.scan(block, (line) => found.push(copyOf(line)))
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  scan(reader.block(bytes, bytes.toString('latin1'), 0))
  return found.toSorted((a, b) => a.start - b.start || a.filter - b.filter)
}

/** How many lines a scanner counts that has no need to say anything of them. */
export function countIn(scanner: Scanner, lines: readonly string[]): number | undefined {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  return scanner.count?.(readerOf2026().block(bytes, bytes.toString('latin1'), 0))
}

/**
 * Has a scanner look at each line of the blocks that follow, and at two at once: it searches for no literals after a
 * block in which most lines were found, as are all of these.
 */
export function showBusyLog(scanner: Scanner, plain: Scanner, lines: readonly string[]): void {
  const starts = new Set(foundIn(plain, lines).map(({ start }) => start))
  let at = 0
  const found = lines.filter((line) => {
    const start = at
    at += Buffer.byteLength(line) + 1
    return starts.has(start)
  })
  if (found.length > 0) foundIn(scanner, found)
}

/** The first line of which two scanners say different things; null: there is none. */
export function firstDifference(
  one: Scanner,
  other: Scanner,
  lines: readonly string[],
  reader = readerOf2026,
): string | null {
  const [left, right] = [foundIn(one, lines, reader()), foundIn(other, lines, reader())]
  const at = left.findIndex((line, index) => !isDeepStrictEqual(line, right[index]))
  if (at < 0 && left.length === right.length) return null
  return `${JSON.stringify(left[at < 0 ? right.length : at])} is not ${JSON.stringify(right[at < 0 ? left.length : at])}`
}

/** A reader for which it is November 23, 2026. */
export function readerOf2026(): LineReader {
  const reader = new LineReader()
  reader.reference = Date.UTC(2026, 10, 23)
  return reader
}

/** All that is said of the line in texts; what is said in numbers must agree with it. */
function copyOf(found: FoundLine): FoundLine {
  const { filter, rule, start, end, address, head, groups, words, timeMs } = found
  const { line, ascii, time, undated, syslog } = head
  if (timeMs !== undefined && timeMs !== time) throw new Error(`the time ${timeMs} is not ${time} in ${line}`)
  if (words !== undefined && !isDeepStrictEqual([...words], wordsOf(address)))
    throw new Error(`the words ${words.join()} are not ${address}`)
  for (const tag of [...Object.keys(groups), 'content', 'once', 'mlfid', 'port'])
    if (found.tag && found.tag(tag) !== groups[tag])
      throw new Error(`the tag ${tag} is not ${groups[tag]} but ${found.tag(tag)} in ${line}`)
  const header =
    syslog === null
      ? null
      : { program: syslog.program, pid: syslog.pid, message: syslog.message, attempts: syslog.attempts }
  return {
    filter,
    rule,
    start,
    end,
    address,
    head: { line, ascii, time, undated, syslog: header },
    groups: { ...groups },
  }
}

/** As `FoundLine.words` has them; null for a text that is no address. */
export function wordsOf(text: string): number[] | null {
  const address = parseAddress(text)
  if (address === null) return null
  const bytes = Buffer.from(addressBytes(address))
  return bytes.length === 4 ? [0, 0, 0xffff, bytes.readUInt32BE(0)] : [0, 4, 8, 12].map((at) => bytes.readUInt32BE(at))
}
