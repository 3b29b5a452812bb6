/**
 * What the front of a prefregex finds in a text, by the first few characters of it: a tree of what their classes (bytes that
 * the expression does not tell apart) may be. Where no way through the expression goes on, whatever follows, the tree has a
 * leaf: all texts that lead there have the same match, at the same places, which was searched in the first of them.
 */
import { Program, ProgramTooLarge } from '../../../matchers/scan/program.ts'
import { readRegex, UnreadableRegex } from '../../../matchers/scan/regex-syntax.ts'
import type { NamedSpans, PythonPattern } from '../regex/python-pattern.ts'

/** Nodes of the expression. */
const largestProgram = 2000
/** Characters after which a leaf says that the expression is to be searched. */
const deepest = 160
const stepBytes = 1 << 22
const maxLeaves = 1 << 13
const leafBytes = 16
/** So often all is forgotten as there is no more room, before it is given up. */
const maxRenewals = 8
const leafBit = 0x80000000
const noSession = 0xffffffff
const [frontMatches, frontFails, frontUnsure] = [0, 1, 2]
const newline = 10

/** Bytes that the table takes: classes, steps, leaves. */
export const frontTableBytes = 256 + stepBytes + maxLeaves * leafBytes

/** The expression of a front as the table has it; null: it has something that only the expression itself can tell. */
export function frontProgram(front: PythonPattern): Program | null {
  const { asciiSource } = front
  if (asciiSource === null) return null
  try {
    const tree = readRegex(asciiSource)
    if (tree.type !== 'sequence' || tree.items[0]?.type !== 'start') return null
    const program = new Program(largestProgram)
    const isExact = program.rules[program.add(tree, [])]?.exact === true
    // Who goes forwards does not know what is ahead.
    return isExact && program.looks.length === 0 ? program : null
  } catch (error) {
    if (error instanceof UnreadableRegex || error instanceof ProgramTooLarge) return null
    throw error
  }
}

/** Characters that lead to here: how many, and which bytes of the expression may come next. */
interface FrontNode {
  readonly depth: number
  readonly taking: readonly number[]
}

export class FrontTable {
  /** Of a step's class, so many bits. */
  readonly shift: number
  /** Where the kernel finds its parts. */
  readonly classesAt: number
  readonly stepsAt: number
  readonly leavesAt: number
  readonly #front: PythonPattern
  readonly #session: number
  readonly #program: Program
  readonly #steps: Uint32Array
  readonly #leafWords: Uint32Array
  /** A byte of each class. */
  readonly #members: readonly number[]
  readonly #maxNodes: number
  #nodes: FrontNode[] = []
  #leaves: (NamedSpans | null)[] = []
  #renewals = 0

  /** `session`: the place of the session among the names of the front; -1: it has none. `at`: where its bytes are in the memory. */
  constructor(front: PythonPattern, program: Program, session: number, memory: WebAssembly.Memory, at: number) {
    this.#front = front
    this.#program = program
    this.#session = session
    this.classesAt = at
    this.stepsAt = at + 256
    this.leavesAt = this.stepsAt + stepBytes
    const { classes, members } = classesOf(program)
    new Uint8Array(memory.buffer).set(classes, at)
    this.#members = members
    this.shift = Math.ceil(Math.log2(Math.max(2, members.length)))
    this.#maxNodes = (stepBytes >> 2) >> this.shift
    this.#steps = new Uint32Array(memory.buffer, this.stepsAt, stepBytes >> 2)
    this.#leafWords = new Uint32Array(memory.buffer, this.leavesAt, maxLeaves << 2)
    this.#clear()
  }

  /** The match in all texts that lead to this leaf: places in the text; null: there is none. */
  matchAt(leaf: number): NamedSpans | null {
    return this.#leaves[leaf] ?? null
  }

  /** Makes the step that is missing in this text, which has no line break. False: there is no room any more. */
  fill(number: number, byteClass: number, text: string): boolean {
    const node = this.#nodes[number]
    const member = this.#members[byteClass]
    if (node === undefined || member === undefined) return false
    if (this.#nodes.length >= this.#maxNodes || this.#leaves.length >= maxLeaves) {
      if (++this.#renewals > maxRenewals) return false
      this.#clear()
      return true
    }
    const taking = this.#after(node, member)
    const depth = node.depth + 1
    const isDecided = taking.length === 0 || member === newline
    const step =
      isDecided || depth >= deepest
        ? (leafBit | this.#leaf(isDecided, text)) >>> 0
        : this.#nodes.push({ depth, taking }) - 1
    this.#steps[(number << this.shift) + byteClass] = step
    return true
  }

  #leaf(isDecided: boolean, text: string): number {
    const found = isDecided ? this.#front.namedSpans(`${text}\n`) : null
    const leaf = this.#leaves.push(found) - 1
    const session = found?.named[this.#session] ?? null
    const kind = isDecided ? (found === null ? frontFails : frontMatches) : frontUnsure
    this.#leafWords.set([(found?.end ?? 1) - 1, session?.[0] ?? 0, session?.[1] ?? noSession, kind], leaf << 2)
    return leaf
  }

  #clear(): void {
    this.#steps.fill(0, 0, this.#nodes.length << this.shift)
    this.#leaves = []
    this.#nodes = [{ depth: 0, taking: this.#reached(this.#program.rules.map(({ start }) => start)) }]
  }

  #after({ taking }: FrontNode, byte: number): readonly number[] {
    const { nodes, sets } = this.#program
    const next = taking.flatMap((index) => {
      const node = nodes[index]
      return node?.op === 'take' && holds(sets[node.set] ?? [], byte) ? [node.next] : []
    })
    return this.#reached(next)
  }

  /** The nodes that take a byte, of all that are reached without one. What passes at the end only may pass anywhere. */
  #reached(from: readonly number[]): readonly number[] {
    const seen = new Set(from)
    const { nodes } = this.#program
    for (const index of seen) {
      const node = nodes[index]
      if (node?.op === 'split') seen.add(node.first).add(node.second)
      else if (node?.op === 'note' || node?.op === 'end') seen.add(node.next)
    }
    return [...seen].filter((index) => nodes[index]?.op === 'take')
  }
}

/** The bytes of ASCII that no set tells apart have one class; a newline has its own. */
function classesOf({ sets }: Program): { readonly classes: Uint8Array; readonly members: readonly number[] } {
  const classes = new Uint8Array(256)
  const known = new Map<string, number>()
  const members: number[] = []
  for (let byte = 0; byte < 128; byte++) {
    const key = byte === newline ? 'newline' : sets.map((ranges) => (holds(ranges, byte) ? '1' : '0')).join('')
    const index = known.get(key) ?? members.push(byte) - 1
    known.set(key, index)
    classes[byte] = index
  }
  return { classes, members }
}

function holds(ranges: readonly number[], byte: number): boolean {
  for (let at = 0; at < ranges.length; at += 2)
    if (byte >= (ranges[at] ?? 0) && byte <= (ranges[at + 1] ?? 0)) return true
  return false
}
