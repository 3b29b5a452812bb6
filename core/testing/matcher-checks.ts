import { parseAddress } from '../address.ts'
import { LineReader } from '../matching/lines.ts'
import type { CompiledFilter, LineHead, MatcherPlugin, Pattern, Structure } from '../plugin.ts'
import { ensureFunctions } from './call-checks.ts'
import { ensure, ensureSame, type Check } from './check.ts'
import { holdsPlainly, parsed, valueAt } from './fields-of-json.ts'
import { hostileLines } from './hostile-inputs.ts'
import { matcherFilters as filters, linesOfChance } from './matcher-filters.ts'

/** Blocks of lines of chance. */
const rounds = 2000

/** What every matcher keeps: of the filters it takes it finds exactly what the plain patterns find, line by line. */
export function matcherChecks(plugin: MatcherPlugin, seed = 11): Check[] {
  return [
    {
      name: 'it has the functions of a matcher',
      remedy: 'export default { compile(filters) { return { took: […], scan(block, found) {…} } } }',
      run: async () => ensureFunctions(plugin, ['compile'], []),
    },
    {
      name: 'what it took and what it left are all filters, each once',
      remedy: '`took` has the indexes of the filters that it matches, `left` those of the others with a reason',
      run: async () => {
        const { took, left = [] } = plugin.compile(filters)
        const all = [...took, ...left.map((one) => one.filter)].toSorted((a, b) => a - b)
        ensureSame(all, [...filters.keys()], 'the filters that were taken or left')
        for (const { reason } of left) ensure(reason.length > 0, 'a filter is left without a reason')
        ensureSame(plugin.compile([]).took, [], 'of no filters it took')
      },
    },
    {
      name: 'it finds what the plain patterns find, whatever stands in the lines',
      remedy: 'leave a filter, with a reason, where its patterns cannot be matched exactly',
      run: async () => {
        const block = linesOfChance(seed)
        for (let round = 0; round < rounds; round++) {
          const lines = block()
          const found = foundBy(plugin, lines.map(asBytes))
          const expected = foundPlainly(plugin, lines.map(asBytes))
          if (JSON.stringify(found) === JSON.stringify(expected)) continue
          // One line that tells it alone says more than eight.
          const alone = lines.find((line) => !agrees(plugin, [asBytes(line)]))
          ensureSame(found, expected, `of ${JSON.stringify(alone ?? lines)} (line, filter, failregex, address)`)
        }
      },
    },
    {
      name: 'lines of an enemy are matched or passed over',
      remedy: 'bytes that are no text, endless lines and broken JSON come every day: scan() must not throw',
      run: async () => {
        for (const line of hostileLines)
          ensure(
            agrees(plugin, [line]),
            `it finds something else than the patterns in ${JSON.stringify(Buffer.from(line).toString('latin1').slice(0, 80))}`,
          )
        ensure(agrees(plugin, hostileLines), 'it finds something else than the patterns in all of them together')
      },
    },
    {
      name: 'a scanner may be used again and again, and after another',
      remedy: 'keep what belongs to a scanner in what compile() returns, and nothing of one block for the next',
      run: async () => usedAgain(plugin),
    },
  ]
}

function usedAgain(plugin: MatcherPlugin): void {
  const [one, two] = [plugin.compile(filters), plugin.compile(filters.slice(0, 1))]
  const lines = [
    'Nov 22 13:41:02 h sshd[1]: Failed x from 192.0.2.1',
    'Nov 22 13:41:02 h sshd[1]: Failed x from 192.0.2.2',
    '{"ip":"192.0.2.7","a":"x"}',
    '{"ip":"192.0.2.8","a":"x"}',
  ].map(asBytes)
  const first = foundBy({ compile: () => one }, lines)
  foundBy({ compile: () => two }, [asBytes(''), ...lines])
  ensureSame(foundBy({ compile: () => one }, lines), first, 'what it finds the second time')
  ensureSame(first, foundPlainly(plugin, lines), 'what it finds')
  one.dispose?.()
  two.dispose?.()
}

function agrees(plugin: MatcherPlugin, lines: readonly Uint8Array[]): boolean {
  return JSON.stringify(foundBy(plugin, lines)) === JSON.stringify(foundPlainly(plugin, lines))
}

function asBytes(line: string): Uint8Array {
  return Buffer.from(line)
}

const newline = Uint8Array.of(10)

type Found = [line: number, filter: number, rule: number, address: string]

function foundBy(plugin: MatcherPlugin, lines: readonly Uint8Array[]): Found[] {
  const bytes = Buffer.concat(lines.flatMap((line) => [line, newline]))
  const found: Found[] = []
  const scanner = plugin.compile(filters)
  scanner.scan(
    new LineReader().block(bytes, bytes.toString('latin1'), 0),
    ({ filter: index, rule, start, address }) => {
      const number = bytes.subarray(0, start).filter((byte) => byte === 10).length
      if (parseAddress(address) !== null) found.push([number, index, rule, address])
    },
  )
  return found.toSorted(byPlace)
}

/** The same, line by line and pattern by pattern, as the language says it. */
function foundPlainly(plugin: MatcherPlugin, lines: readonly Uint8Array[]): Found[] {
  const { took } = plugin.compile(filters)
  const found: Found[] = []
  for (const [number, line] of lines.entries()) {
    const bytes = Buffer.concat([line, newline])
    const head = new LineReader().block(bytes, bytes.toString('latin1'), 0).head(0, bytes.length - 1)
    for (const index of took) {
      const hit = plainly(filters[index]!, head)
      if (hit !== null && parseAddress(hit[1]) !== null) found.push([number, index, ...hit])
    }
  }
  return found.toSorted(byPlace)
}

function plainly(
  { programs, prefregex, failregex, ignoreregex, structure }: CompiledFilter,
  head: LineHead,
): [rule: number, address: string] | null {
  if (structure !== null) return plainlyByField(structure, head)
  const syslog = programs?.some((name) => isNamed(name, head.syslog?.program)) ? head.syslog : null
  if (programs !== null && syslog === null && head.time !== null && !programs.includes('-')) return null
  const text = syslog === null ? head.undated : syslog.message
  const match = (pattern: Pattern, on: string) =>
    new RegExp(head.ascii ? pattern.ascii : pattern.unicode, pattern.flags + (head.ascii ? '' : 'u')).exec(on)
  const group = (pattern: Pattern, result: RegExpExecArray | null, tag: string) =>
    pattern.groups
      .map((each, index) => (each === tag ? result?.[index + 1] : undefined))
      .find((value) => value !== undefined && value !== '')
  if (ignoreregex.some((pattern) => match(pattern, text))) return null
  const before = prefregex && match(prefregex, text)
  if (prefregex && !before) return null
  const content = prefregex?.groups.includes('content') ? (group(prefregex, before, 'content') ?? '') : text
  for (const [rule, pattern] of failregex.entries()) {
    const result = match(pattern, content)
    if (result) return [rule, group(pattern, result, 'addr') ?? (prefregex && group(prefregex, before, 'addr')) ?? '']
  }
  return null
}

/** Whether the name, in which a `*` is any text, is that of the program. */
function isNamed(name: string, program: string | undefined): boolean {
  if (program === undefined) return false
  const [start = '', end] = name.split('*')
  if (end === undefined) return name === program
  return program.length >= start.length + end.length && program.startsWith(start) && program.endsWith(end)
}

function plainlyByField(structure: Structure, head: LineHead): [rule: number, address: string] | null {
  const { undated, syslog } = head
  const text = undated.startsWith('{') ? undated : (syslog?.message ?? '')
  const rule = structure.match.findIndex((one) => holdsPlainly(one, text))
  const ip = rule < 0 ? undefined : valueAt(parsed(text) ?? {}, { key: 'ip', steps: ['ip'] })
  return typeof ip === 'string' ? [rule, ip] : null
}

function byPlace(a: Found, b: Found): number {
  return a[0] - b[0] || a[1] - b[1]
}
