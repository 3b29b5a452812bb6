/**
 * The names of characters as Python 3.11 knows them (Unicode 14.0), for `\N{…}`. They lie compressed in
 * character-names.br: a line a character in order, with the distance from the one before (base 36) where it is not the
 * next one; behind an empty line the other names that some have, each with its code point (base 36). Names are read
 * anew for each question: hardly a pattern asks.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'

const file = fileURLToPath(new URL('../../../core/matching/character-names.br', import.meta.url))

/** The code point of the character with a name, in whatever case; null: no character has it. */
export function characterNamed(name: string): number | null {
  const wanted = name.toUpperCase()
  return ideograph(wanted) ?? syllable(wanted) ?? listed(wanted)
}

function listed(wanted: string): number | null {
  const [names = '', others = ''] = brotliDecompressSync(readFileSync(file)).toString('latin1').split('\n\n')
  let code = -1
  for (const line of names.split('\n')) {
    const [, distance = '', name] = /^(?:([0-9a-z]+) )?(.+)$/.exec(line) ?? []
    code += 1 + (distance === '' ? 0 : parseInt(distance, 36))
    if (name === wanted) return code
  }
  for (const line of others.split('\n')) {
    const [, other = '', name] = /^([0-9a-z]+) (.+)$/.exec(line) ?? []
    if (name === wanted) return parseInt(other, 36)
  }
  return null
}

const ideographs = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b738],
  [0x2b740, 0x2b81d],
  [0x2b820, 0x2cea1],
  [0x2ceb0, 0x2ebe0],
  [0x30000, 0x3134a],
] as const

function ideograph(name: string): number | null {
  const digits = /^CJK UNIFIED IDEOGRAPH-([0-9A-F]{4,5})$/.exec(name)?.[1]
  if (digits === undefined) return null
  const code = parseInt(digits, 16)
  return ideographs.some(([from, to]) => from <= code && code <= to) ? code : null
}

const leading = ['G', 'GG', 'N', 'D', 'DD', 'R', 'M', 'B', 'BB', 'S', 'SS', '', 'J', 'JJ', 'C', 'K', 'T', 'P', 'H']
const vowels = 'A AE YA YAE EO E YEO YE O WA WAE OE YO U WEO WE WI YU EU YI I'.split(' ')
const trailing = ' G GG GS N NJ NH D L LG LM LB LS LT LP LH M B BS S SS NG J C K T P H'.split(' ')

/** Names of Hangul syllables are put together (The Unicode Standard, section 3.12). */
function syllable(name: string): number | null {
  const [, first = '', vowel = '', last = ''] =
    /^HANGUL SYLLABLE ([BCDGHJKMNPRST]*)([AEIOUWY]+)([A-Z]*)$/.exec(name) ?? []
  const [l, v, t] = [leading.indexOf(first), vowels.indexOf(vowel), trailing.indexOf(last)]
  return vowel === '' || l < 0 || v < 0 || t < 0 ? null : 0xac00 + (l * vowels.length + v) * trailing.length + t
}
