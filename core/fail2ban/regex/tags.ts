/**
 * The tags of a failregex, as Fail2ban 1.0 and 1.1 put Python in their place. What comes out is what
 * `fail2ban-client get JAIL failregex` shows, so it is the same to the character.
 */

const ip4 = '(?:::f{4,6}:)?(?P<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})'
const ip6 = '(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|::){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):))'
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

/**
 * The expression that a text with tags stands for. `names`: whether `<HOST>` may be a name (`usedns` other than `no`).
 * A tag that is none stays as it is. Flags behind an opening bracket become those of the bracket: `((?i)a)` is `(?i:a)`.
 */
export function expandTags(text: string, names: boolean): string {
  const open = new Set<string>()
  let skipped = 0
  const expanded = text.replaceAll(/<\/?[\p{L}\p{N}_-]+\/?>/gu, (tag) => {
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
  return expanded.replaceAll(/(?<!\\)\((?:\?:)?(\(\?[a-z]+)\)/g, '$1:')
}

/** What a tag fills: `<F-ID>` the group `fid`, `<F-PORT>` `fport`, any other the one of its name in lower case. */
export function groupName(tag: string): string {
  const name = tag.toLowerCase()
  return name === 'id' || name === 'port' ? `f${name}` : name
}
