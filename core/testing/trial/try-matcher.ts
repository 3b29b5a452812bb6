import { findInLines } from '../filter-tester.ts'
import { failureOf } from './failure.ts'
import type { Tried } from './load-tried.ts'
import type { Tell } from './messages.ts'

const sampleLines = [
  'Nov 22 13:41:02 host app[7]: Failed login of root from 192.0.2.7',
  'Nov 22 13:41:03 host app[7]: Failed login of root from 2001:db8::7',
  'Nov 22 13:41:04 host app[7]: Accepted login of root from 192.0.2.8',
]
const sampleFailregex = ['Failed login of <F-USER>\\S+</F-USER> from <HOST>$']

/** Gives a matcher lines (some of ours, where there are none) and tells what it finds in each. Answers whether it did so. */
export function tryMatcher(
  { plugin, file }: Extract<Tried, { kind: 'matcher' }>,
  given: { readonly lines: readonly string[]; readonly failregex: readonly string[] },
  tell: Tell,
): boolean {
  const lines = given.lines.length > 0 ? given.lines : sampleLines
  const failregex = given.failregex.length > 0 ? given.failregex : sampleFailregex
  for (const line of lines) {
    tell({ type: 'doing', what: 'scan' })
    try {
      const [found = null] = findInLines(plugin, { failregex }, [line])
      tell({ type: 'found', line, found })
    } catch (error) {
      tell({ type: 'failure', failure: failureOf(error, file) })
      return false
    }
  }
  return true
}
