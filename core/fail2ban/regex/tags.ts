/**
 * The tags of a failregex, as Fail2ban 1.1 puts Python in their place. What comes out is what
 * `fail2ban-client get JAIL failregex` shows, so it is the same to the character (1.0 found a little less as IPv6).
 */

const ip4 = '(?:::f{4,6}:)?(?P<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})'
const ip6 = '(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):))'
const dns = '(?P<dns>[\\w\\-.^_]*\\w)'
const cidr = '(?P<cidr>\\d+)'
const address = `\\[?(?:${ip4}|${ip6})\\]?`
const host = `(?:${address}|${dns})`
const subnet = `\\[?(?:${ip4}|${ip6})(?:/${cidr})?\\]?`

/** Tags that stand for a pattern. Those that begin with `F-` end in a slash. */
const fixed: ReadonlyMap<string, string> = new Map([
  ...[
    ['IP4', ip4] as const,
    ['IP6', ip6] as const,
    ['ADDR', address] as const,
    ['CIDR', cidr] as const,
    ['SUBNET', subnet] as const,
    ['DNS', dns] as const,
  ].flatMap(([word, text]): [string, string][] => [
    [word, text],
    [`F-${word}/`, text],
  ]),
  ['F-ID/', '(?P<fid>\\S+)'],
  ['F-PORT/', '(?P<fport>\\w+)'],
])

/** A text that was made of another one. */
export interface Expansion {
  readonly text: string
  /** The offset into what was written for one into the text: where it stands, or the tag that it comes from. */
  origin(offset: number): number
}

/**
 * The expression that a text with tags stands for. `names`: whether `<HOST>` may be a name (`usedns` other than `no`).
 * A tag that is none stays as it is. Flags behind an opening bracket become those of the bracket: `((?i)a)` is `(?i:a)`.
 */
export function expandTags(text: string, names: boolean): Expansion {
  const open = new Set<string>()
  let skipped = 0
  const tags = replaced(text, /<\/?[\p{L}\p{N}_-]+\/?>/gu, (tag) => {
    const word = tag.slice(1, -1)
    if (word === 'HOST') return names ? host : address
    if (word === 'SKIPLINES') return `\\n(?P<skiplines${skipped++}>(?:(?:.*\\n)*?))`
    const stands = fixed.get(word)
    if (stands !== undefined) return stands
    const [, closing, name = ''] = /^(\/?)F-([A-Z0-9_-]+)$/.exec(word) ?? []
    if (closing === undefined) return tag
    if (closing !== '') return open.has(name) ? ')' : tag
    open.add(name)
    return `(?P<${groupName(name)}>`
  })
  const flags = replaced(tags.text, /(?<!\\)\((?:\?:)?(\(\?[a-z]+)\)/g, (_, group) => `${group}:`)
  return { text: flags.text, origin: (offset) => tags.origin(flags.origin(offset)) }
}

/** What a tag fills: `<F-ID>` the group `fid`, `<F-PORT>` `fport`, any other the one of its name in lower case. */
export function groupName(tag: string): string {
  const name = tag.toLowerCase()
  return name === 'id' || name === 'port' ? `f${name}` : name
}

/** `put` is given what was found and its first group. */
function replaced(text: string, pattern: RegExp, put: (found: string, group: string) => string): Expansion {
  /** Where a piece of the new text ends, and where it and the next one begin in the old one. */
  const pieces: { readonly end: number; readonly from: number; readonly to: number }[] = []
  let made = ''
  let done = 0
  for (const found of text.matchAll(pattern)) {
    const from = found.index
    const instead = put(found[0], found[1] ?? '')
    if (instead === found[0]) continue
    made += text.slice(done, from) + instead
    done = from + found[0].length
    pieces.push({ end: made.length, from, to: done })
  }
  const origin = (offset: number): number => {
    const before = pieces.findLast(({ end }) => end <= offset) ?? { end: 0, to: 0 }
    const next = pieces.find(({ end }) => end > offset)
    return Math.min(before.to + offset - before.end, next?.from ?? text.length)
  }
  return { text: made + text.slice(done), origin }
}
