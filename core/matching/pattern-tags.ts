/** The tags of failregexes, `<HOST>` and `<F-USER>…</F-USER>`, in the native dialect. */
import { suggest } from '../errors.ts'
import type { PatternCursor } from './pattern-cursor.ts'
import type { AddressNode } from './pattern-tree.ts'

export type Tag =
  | { readonly type: 'address'; readonly family: AddressNode['family']; readonly brackets: boolean }
  /** `<F-USER>`: opens a group that fills `user`. */
  | { readonly type: 'open'; readonly word: string; readonly fills: string }

const addressTags: Readonly<Record<string, AddressNode['family']>> = { HOST: 'any', ADDR: 'any', IP4: '4', IP6: '6' }

/** Tags that only mean something in a Fail2ban configuration, and what to do without them. */
const foreign: Readonly<Record<string, string>> = {
  DNS: 'names never decide who is banned: use <ADDR>',
  CIDR: 'a log line names one address: use <ADDR>',
  SUBNET: 'a log line names one address: use <ADDR>',
  SKIPLINES: 'a failregex sees one line: use <F-MLFID> to join the lines of a session',
  'F-ID': 'the address is what is banned: use <ADDR>',
  'F-IP4': 'write <IP4>',
  'F-IP6': 'write <IP6>',
  'F-DNS': 'names never decide who is banned: use <ADDR>',
  'F-NOFAIL': 'mark lines that repeat a failure with <F-ONCE>, and leave out patterns for lines without one',
  'F-MLFFORGET': 'sessions end by themselves',
  'F-MLFGAINED': 'leave out patterns for lines that tell of a success',
}

const native = [...Object.keys(addressTags), 'F-USER', 'F-MLFID', 'F-ONCE', 'F-CONTENT']

/** Reads an opening tag or an address tag that begins here; null where `<` is an ordinary character. */
export function readTag(cursor: PatternCursor): Tag | null {
  const at = cursor.position
  const found = cursor.match(/<(F-[A-Za-z0-9_-]+|[A-Z][A-Z0-9_-]*)(\/?)>/y)
  if (!found) return null
  const [text, word = '', slash] = found
  const family = slash ? undefined : addressTags[word]
  if (family !== undefined) return { type: 'address', family, brackets: word === 'HOST' || word === 'ADDR' }
  refuseForeign(cursor, at, text, word)
  if (slash) cursor.fail(`${text} stands alone`, at, `write <${word}>…</${word}> around what it holds`)
  if (!/^F-[A-Z][A-Z0-9_-]*$/.test(word)) refuseUnknown(cursor, at, text, word)
  if (word === 'F-CONTENT' && cursor.place.list !== 'prefregex') cursor.fail(`${text} belongs into prefregex`, at)
  const fills = word.slice(2).toLowerCase().replaceAll('-', '_')
  if (fills === 'addr') cursor.fail(`${text} is the address itself`, at, 'write <ADDR>')
  return { type: 'open', word, fills }
}

/** Whether a closing tag begins here. */
export function atClosingTag(cursor: PatternCursor): boolean {
  const start = cursor.position
  const found = cursor.match(/<\/(F-[A-Za-z0-9_-]+|[A-Z][A-Z0-9_-]*)>/y)
  cursor.position = start
  return found !== null
}

function refuseForeign(cursor: PatternCursor, at: number, text: string, word: string): void {
  const instead =
    foreign[word] ?? (/^F-(ALT|TUPLE)_/.test(word) ? 'give each group its own name, or the same twice' : null)
  if (instead !== null) cursor.fail(`${text} is for Fail2ban configurations only`, at, instead)
}

function refuseUnknown(cursor: PatternCursor, at: number, text: string, word: string): never {
  const near = suggest(word, native)
  const meant = near === undefined ? '' : `; did you mean <${near}>?`
  const allowed = 'allowed: <HOST>, <ADDR>, <IP4>, <IP6>, <F-NAME>…</F-NAME>; a literal < is written \\<'
  return cursor.fail(`unknown tag ${text}${meant}`, at, allowed)
}
