/**
 * The regular expression of an address. It takes the address whole or not at all: a piece of a longer
 * number, address or host name is none, on either side. What it takes need not be an address yet
 * (`999.1.1.1`): the one parser in core/address.ts decides.
 */
import type { AddressNode } from './pattern-tree.ts'

/** Which sides need no look-around, because the pattern itself demands a character there that ends an address. */
export interface KnownSides {
  readonly left: boolean
  readonly right: boolean
}

/** Characters that cannot belong to an address, or to a name, number or zone that holds one. */
export const endsAddress: ReadonlySet<string> = new Set(' \t"\'()[]<>{},;=|@/#')

const quad = '[0-9]{1,3}(?:\\.[0-9]{1,3}){3}'
const hextet = '[0-9A-Fa-f]{1,4}'
/**
 * A group as it is cut out: too many digits are left to the parser. V8's linear engine takes no
 * expression whose nested counts multiply to more than 16, so there is no count here.
 */
const hex = '[0-9A-Fa-f]+'
/** IPv6 whose last 32 bits are written as a dotted quad. */
const mixed = `(?:(?:${hex}:){6}|(?:${hex}(?::${hex}){0,6})?::(?:${hex}:){0,5})${quad}`
/** Eight groups, or fewer with `::` in place of the missing ones, but not `::` alone. Too many groups are left to the parser. */
const six = `(?:(?:${hex}:){7}${hex}|${hex}(?::${hex}){0,6}::(?:${hex}(?::${hex}){0,6})?|::${hex}(?::${hex}){0,6})`

/** The source of an address node; `word` is the inside of a class: what counts as letter, digit or `_`. */
export function addressSource(node: AddressNode, word: string, known: KnownSides): string {
  const core = alternatives(node.family, word, known)
  return node.brackets ? `\\[?(${core})\\]?` : `(${core})`
}

function alternatives(family: AddressNode['family'], word: string, known: KnownSides): string {
  const left4 = known.left ? '' : leftOfQuad(word)
  const left6 = known.left ? '' : leftOfSix(word)
  const right4 = known.right ? '' : rightOfQuad(word)
  const right6 = known.right ? '' : rightOfSix(word)
  const plain = `${left4}${quad}${right4}`
  if (family === '4') return `${plain}|${left6}::[Ff]{4}:${quad}${right4}`
  const ofSix = `${left6}(?:${mixed}${right4}|${six}${right6})`
  return family === '6' ? ofSix : `${plain}|${ofSix}`
}

/** Before a dotted quad: no word, dot or dash, and no front part of an IPv6 address. `client:` is fine. */
function leftOfQuad(word: string): string {
  return `(?<![${word}.\\-])(?<!::(?:${hextet}:){0,5}|(?:${hextet}:){6})`
}

/** Before IPv6 a colon is fine only behind a word that cannot be a group of it: `client:`, not `face:` or `22:`. */
function leftOfSix(word: string): string {
  return `(?<![${word}.\\-])(?<!::|[0-9]:|\\b${hextet}:)`
}

/** After a dotted quad: a dot or dash may end the sentence, but not go on as a name. No zone, no word. */
function rightOfQuad(word: string): string {
  return `(?![${word}%]|[.\\-][${word}]|::[0-9A-Fa-f])`
}

/** After IPv6 also no colon with something behind it that could be one more group, or a port. */
function rightOfSix(word: string): string {
  return `(?![${word}%]|[.\\-][${word}]|::|:[0-9]|:${hextet}(?![${word}]))`
}
