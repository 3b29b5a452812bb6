import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { compileFilter } from '../../core/matching/filters.ts'

/** What stands before the message of a line of these programs. */
const fronts: Readonly<Record<string, string>> = {
  sshd: String.raw`^[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [^ \n]+ (?:sshd|sshd-session|sshd-auth)(?:\[[0-9]+\])?: `,
  'nginx-bad-request': '^',
}

/**
 * The failregexes of a filter for whole lines, as every engine of regular expressions reads them: no names, no look-around,
 * nothing that goes on in the next line.
 */
export function plainRegexes(filter: string): string[] {
  const front = fronts[filter] ?? '^'
  const file = fileURLToPath(new URL(`../../../config/filters/${filter}.yaml`, import.meta.url))
  const { failregex } = parse(readFileSync(file, 'utf8')) as { failregex: readonly string[] }
  const compiled = compileFilter({ name: filter, programs: null, prefregex: null, failregex, ignoreregex: [] })
  return compiled.failregex.map(({ ascii }) => plain(ascii).replace(/^\^/, () => front))
}

function plain(source: string): string {
  return withoutLooks(source)
    .replace(/\((?!\?)/g, '(?:')
    .replaceAll('\\/', '/')
    .replace(/\[\^(?!\\x0a\])/g, String.raw`[^\x0a`)
}

/** Cuts out `(?!…)` and `(?=…)`. */
function withoutLooks(source: string): string {
  const start = source.search(/\(\?[!=]/)
  if (start < 0) return source
  let depth = 0
  for (let at = start; at < source.length; at++) {
    const character = source[at]
    if (character === '\\') at++
    else if (character === '[') at = source.indexOf(']', at + 2)
    else if (character === '(') depth++
    else if (character === ')' && --depth === 0) return withoutLooks(source.slice(0, start) + source.slice(at + 1))
  }
  return source
}
