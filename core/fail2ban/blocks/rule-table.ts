import { asciiCodes, type DispatchNode, type RuleDispatch } from '../lines/rule-dispatch.ts'

/** As the kernel has them: what rules may match, or that more characters tell. */
const [noRules, quietRules, someRules, moreRules, wordRules] = [0, 1, 2, 3, 4]
/** Words of a node. More are not held. */
const maxWords = 16
const maxWordBytes = 1 << 14
/** Bytes of a node: column, kind, where each character leads. */
const nodeBytes = 264
/** More are not held: then texts are wanted whose rules would have to be looked up. */
const maxNodes = 1024
const [root, overflow, firstFree] = [0, 1, 2]

/** Bytes that the table takes. */
export const ruleTableBytes = maxNodes * nodeBytes + maxWordBytes

/** The nodes of a dispatch as the kernel reads them. They are copied when the kernel misses them. */
export class RuleTable {
  readonly #dispatch: RuleDispatch
  readonly #memory: DataView
  readonly #at: number
  #wordsEnd = 0
  readonly #nodes: DispatchNode[] = []
  readonly #numbers = new Map<DispatchNode, number>()

  /** `at`: where its bytes are in the memory. */
  constructor(dispatch: RuleDispatch, memory: WebAssembly.Memory, at: number) {
    this.#dispatch = dispatch
    this.#memory = new DataView(memory.buffer)
    this.#at = at
    this.#put(root, dispatch.root)
    this.#write(overflow, 2, someRules)
  }

  /** Says where a text leads with a character of this code. */
  fill(number: number, code: number): void {
    const node = this.#nodes[number]
    if (node === undefined) return
    const next = this.#dispatch.step(node, code >= asciiCodes ? Number.NaN : code)
    this.#write(number, 4 + code * 2, this.#numberOf(next))
  }

  #numberOf(node: DispatchNode): number {
    const known = this.#numbers.get(node)
    if (known !== undefined) return known
    const number = Math.max(firstFree, this.#nodes.length)
    if (number >= maxNodes) return overflow
    this.#put(number, node)
    return number
  }

  #put(number: number, node: DispatchNode): void {
    this.#nodes[number] = node
    this.#numbers.set(node, number)
    this.#write(number, 0, Math.max(0, node.column))
    const { kind, words } = kindOf(node)
    const room = maxWordBytes - this.#wordsEnd
    const fits = words.length <= maxWords && words.reduce((sum, { length }) => sum + length, 0) <= room
    this.#write(number, 2, fits ? kind : someRules)
    if (fits) this.#writeWords(number, words)
  }

  #writeWords(number: number, words: readonly string[]): void {
    const node = this.#at + number * nodeBytes
    if (words.length > 0) this.#memory.setUint32(node + 4, words.length, true)
    for (const [index, word] of words.entries()) {
      const at = this.#at + maxNodes * nodeBytes + this.#wordsEnd
      for (let place = 0; place < word.length; place++) this.#memory.setUint8(at + place, word.charCodeAt(place))
      this.#memory.setUint32(node + 8 + index * 8, at, true)
      this.#memory.setUint32(node + 12 + index * 8, word.length, true)
      this.#wordsEnd += word.length
    }
  }

  #write(number: number, offset: number, value: number): void {
    this.#memory.setUint16(this.#at + number * nodeBytes + offset, value, true)
  }
}

/** What may match the texts of a node, and the words one of which stands in all texts that others match than such as end a session. */
function kindOf({ column, rules }: DispatchNode): { readonly kind: number; readonly words: readonly string[] } {
  if (column >= 0) return { kind: moreRules, words: [] }
  const others = rules.filter(({ endsQuietly }) => !endsQuietly)
  const quiet = rules.length > others.length ? quietRules : noRules
  if (others.length === 0) return { kind: quiet, words: [] }
  const words = [...new Set(others.map(({ laterLiteral }) => laterLiteral))]
  if (!words.every((word) => word !== null && word !== '')) return { kind: someRules, words: [] }
  return { kind: wordRules + quiet, words: words.flatMap((word) => word ?? []) }
}
