/** Texts that a pattern should match, made from its tree by chance, and the same with a few changes. */
import { children, type PatternNode } from '../../../../core/matching/pattern-tree.ts'
import { isIn, programOf } from '../../../../core/fail2ban/regex/program.ts'
import type { Dice } from './chance-expressions.ts'

const pool = [...' abcefnorstuxzAFKST0123456789.:-_/[]()<>"\'=,;@%\\\n\t', 'é', 'ß', '😀', '\u2003']

/** A text that goes along the pattern; look-arounds are not asked, so not every text matches. */
export function textOf(root: PatternNode, dice: Dice): string {
  const captured = new Map<number, string>()
  const write = (node: PatternNode): string => {
    switch (node.type) {
      case 'character':
        return String.fromCodePoint(node.code)
      case 'set':
        return memberOf(node, dice)
      case 'sequence':
        return node.items.map(write).join('')
      case 'alternation':
        return write(node.branches[dice(node.branches.length)] ?? node)
      case 'repeat': {
        const most = Math.min(node.max, node.min + (dice(3) === 0 ? 5 : 2))
        return Array.from({ length: node.min + dice(most - node.min + 1) }, () => write(node.item)).join('')
      }
      case 'group': {
        const text = write(node.item)
        captured.set(node.number, text)
        return text
      }
      case 'atomic':
        return write(node.item)
      case 'reference':
        return captured.get(node.number) ?? ''
      case 'conditional':
        return write(captured.has(node.number) ? node.yes : node.no)
      default:
        return ''
    }
  }
  return write(root)
}

/** A text with some characters changed, left out, doubled or put in. */
export function bentText(text: string, dice: Dice): string {
  let bent = text
  for (let times = 1 + dice(3); times > 0; times--) {
    const at = dice(bent.length + 1)
    const put = dice(4) === 0 ? '' : (pool[dice(pool.length)] ?? '')
    const gone = dice(3)
    bent = bent.slice(0, at) + put + (dice(5) === 0 ? bent.slice(at - gone) : bent.slice(at + gone))
  }
  return bent
}

/** How many nodes a tree has. */
export function sizeOf(node: PatternNode): number {
  return children(node).reduce((sum, child) => sum + sizeOf(child), 1)
}

function memberOf(node: PatternNode & { type: 'set' }, dice: Dice): string {
  const program = programOf(node)
  if (program.type !== 'one') return ''
  const fits = pool.filter((character) => isIn(program.set, character.codePointAt(0) ?? 0))
  return fits[dice(Math.max(1, fits.length))] ?? String.fromCodePoint(node.ranges[0]?.from ?? 0x78)
}
