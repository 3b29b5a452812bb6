/**
 * The states in which the kernel reads a text backwards, made when it first comes to them. A state is the set of the
 * program's nodes from which the rest of the text, from here to its end, leads to a match. So at the begin of a text
 * its state says which expressions match, and on the way forward it says which of two ways leads on.
 */
import type { Program } from './program.ts'
import type { TableMemory } from './table-memory.ts'

/** What the kernel does for a state at the begin of a text: words as `assembly/automaton.ts` reads them. */
export interface Verdict {
  /** 0: the rule matched; 1: somebody who is sure must look; 2: the rule matched, and the line is to be ignored. */
  readonly kind: 0 | 1 | 2
  readonly filter: number
  readonly rule: number
}

/** In place of the number of a state. Real ones come behind. */
const [notKnown, noMatch, notAscii, firstState] = [0, 1, 2, 3]

/** Bytes of one automaton's memory, by its program. */
export interface AutomatonSize {
  readonly states: number
  readonly shift: number
  readonly bytes: number
}

/** Verdicts of all states together. */
const verdictBytes = 65_536

/** How much memory an automaton of so many states takes. */
export function sizeOf(program: Program, states: number): AutomatonSize {
  const shift = Math.ceil(Math.log2(classesOf(program).members.length + 1))
  const each = (2 << shift) + 4 + choiceBytes(program)
  return { states, shift, bytes: states * each + verdictBytes + 256 + program.nodes.length * 16 + 512 }
}

export class Automaton {
  /** Counts how often it was emptied since there was no room for one more state. */
  flushes = 0
  /** Where the transitions are, and so on: words of the kernel's record of an automaton. */
  readonly words: readonly number[]
  readonly #program: Program
  readonly #judge: (matching: (rule: number) => boolean) => readonly Verdict[]
  readonly #memory: TableMemory
  readonly #size: AutomatonSize
  readonly #members: readonly number[]
  /** By node: those from which it is reached without a byte; at the end of the text; and by a byte. */
  readonly #before: readonly number[][]
  readonly #beforeAtEnd: readonly number[][]
  readonly #taking: readonly number[][]
  /** Ends of expressions behind which there may be more text. */
  readonly #openEnds: readonly number[]
  readonly #choices: readonly { readonly choice: number; readonly first: number }[]
  readonly #states: (readonly number[])[] = []
  readonly #known = new Map<string, number>()
  readonly #verdicts = new Map<string, number>()
  #verdictEnd = 0
  readonly #at: {
    readonly trans: number
    readonly bits: number
    readonly verdictOf: number
    readonly verdicts: number
  }

  /** `judge` says what is to be done where these rules match. */
  constructor(
    program: Program,
    size: AutomatonSize,
    memory: TableMemory,
    judge: (matching: (rule: number) => boolean) => readonly Verdict[],
  ) {
    this.#program = program
    this.#judge = judge
    this.#memory = memory
    this.#size = size
    const { classes, members } = classesOf(program)
    this.#members = members
    const { states, shift } = size
    this.#at = {
      trans: memory.take(states * (2 << shift)),
      bits: memory.take(states * choiceBytes(program)),
      verdictOf: memory.take(states * 4),
      verdicts: memory.take(verdictBytes),
    }
    const classesAt = memory.take(256)
    memory.u8.set(classes, classesAt)
    const nodesAt = memory.take(program.nodes.length * 16)
    program.nodes.forEach((_, index) => memory.u32.set(nodeWords(program, index), (nodesAt >> 2) + index * 4))
    this.#before = program.nodes.map(() => [])
    this.#beforeAtEnd = program.nodes.map(() => [])
    this.#taking = program.nodes.map(() => [])
    program.nodes.forEach((node, index) => {
      if (node.op === 'split') {
        this.#before[node.first]?.push(index)
        this.#before[node.second]?.push(index)
      } else if (node.op === 'note') this.#before[node.next]?.push(index)
      else if (node.op === 'end') this.#beforeAtEnd[node.next]?.push(index)
      else if (node.op === 'take') this.#taking[node.next]?.push(index)
    })
    this.#openEnds = program.nodes.flatMap(({ op }, index) => {
      const isOpen = (this.#before[index]?.length ?? 0) + (this.#taking[index]?.length ?? 0) > 0
      return op === 'match' && isOpen ? [index] : []
    })
    this.#choices = program.nodes.flatMap((node) => (node.op === 'split' ? [node] : []))
    this.clear()
    this.words = [
      firstState,
      this.#at.trans,
      shift,
      classesAt,
      this.#at.verdictOf,
      this.#at.bits,
      choiceBytes(program),
      nodesAt,
    ]
  }

  /** Makes what the kernel missed: where a byte of the class leads from the state. All may have been emptied for it. */
  fill(state: number, byteClass: number): void {
    const sample = this.#members[byteClass]
    if (sample === undefined) return this.#lead(state, byteClass, notAscii)
    const seeds: number[] = []
    for (const node of this.#states[state - firstState] ?? []) {
      for (const taking of this.#taking[node] ?? []) if (this.#takes(taking, sample)) seeds.push(taking)
    }
    seeds.push(...this.#openEnds)
    if (seeds.length === 0) return this.#lead(state, byteClass, noMatch)
    const next = this.#state(this.#closure(seeds, false))
    if (next === null) this.clear()
    else this.#lead(state, byteClass, next)
  }

  /** Forgets all states but the first. */
  clear(): void {
    const { states, shift } = this.#size
    if (this.#states.length > 0) this.flushes++
    this.#states.length = 0
    this.#known.clear()
    this.#verdicts.clear()
    this.#verdictEnd = 0
    this.#memory.u16.fill(notKnown, this.#at.trans >> 1, (this.#at.trans >> 1) + (states << shift))
    const matches = this.#program.nodes.flatMap(({ op }, index) => (op === 'match' ? [index] : []))
    this.#state(this.#closure(matches, true))
  }

  /** The nodes from which one of the seeds is reached without a byte, in order. */
  #closure(seeds: readonly number[], atEnd: boolean): readonly number[] {
    const seen = new Set(seeds)
    const queue = [...seen]
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      for (const before of this.#before[node] ?? []) if (!seen.has(before)) queue.push(added(seen, before))
      if (!atEnd) continue
      for (const before of this.#beforeAtEnd[node] ?? []) if (!seen.has(before)) queue.push(added(seen, before))
    }
    return Uint16Array.from(seen).sort() as unknown as readonly number[]
  }

  /** The number of the state of these nodes; null where there is no room for it. */
  #state(nodes: readonly number[]): number | null {
    const key = String.fromCharCode(...nodes)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const index = this.#states.length
    if (index + firstState >= this.#size.states) return null
    const has = new Set(nodes)
    const verdicts = this.#verdictsAt(this.#judge((rule) => has.has(this.#program.rules[rule]?.start ?? -1)))
    if (verdicts === null) return null
    const state = index + firstState
    this.#memory.u32[(this.#at.verdictOf >> 2) + state] = verdicts
    const bitsAt = this.#at.bits + state * choiceBytes(this.#program)
    const bits = this.#memory.u8.subarray(bitsAt, bitsAt + choiceBytes(this.#program)).fill(0)
    for (const { choice, first } of this.#choices) {
      if (has.has(first)) bits[choice >> 3] = (bits[choice >> 3] ?? 0) | (1 << (choice & 7))
    }
    this.#states.push(nodes)
    this.#known.set(key, state)
    return state
  }

  /** Where these verdicts are in memory, behind how many they are; 0 for none of them, null where there is no room. */
  #verdictsAt(verdicts: readonly Verdict[]): number | null {
    if (verdicts.length === 0) return 0
    const words = verdicts.flatMap(({ kind, filter, rule }) => [kind, filter, rule])
    const key = words.join()
    const known = this.#verdicts.get(key)
    if (known !== undefined) return known
    const bytes = 4 + words.length * 4
    if (this.#verdictEnd + bytes > verdictBytes) return null
    const at = this.#at.verdicts + this.#verdictEnd
    this.#memory.u32.set([verdicts.length, ...words], at >> 2)
    this.#verdictEnd += bytes
    this.#verdicts.set(key, at)
    return at
  }

  #takes(node: number, byte: number): boolean {
    const taking = this.#program.nodes[node]
    return taking?.op === 'take' && holds(this.#program.sets[taking.set] ?? [], byte)
  }

  #lead(state: number, byteClass: number, next: number): void {
    this.#memory.u16[(this.#at.trans >> 1) + (state << this.#size.shift) + byteClass] = next
  }
}

/** The bytes that no set tells apart have one class; all that are not ASCII have the last, which has no member. */
function classesOf({ sets }: Program): { readonly classes: Uint8Array; readonly members: readonly number[] } {
  const classes = new Uint8Array(256)
  const known = new Map<string, number>()
  const members: number[] = []
  for (let byte = 0; byte < 128; byte++) {
    const key = sets.map((ranges) => (holds(ranges, byte) ? '1' : '0')).join('')
    const index = known.get(key) ?? members.push(byte) - 1
    known.set(key, index)
    classes[byte] = index
  }
  return { classes: classes.fill(members.length, 128), members }
}

function holds(ranges: readonly number[], byte: number): boolean {
  for (let at = 0; at < ranges.length; at += 2) {
    if (byte >= (ranges[at] ?? 0) && byte <= (ranges[at + 1] ?? 0)) return true
  }
  return false
}

function choiceBytes({ choices }: Program): number {
  return (choices + 7) >> 3
}

/** Op and three operands, as `walk` of the kernel reads them. Bytes that are surely taken are taken together. */
function nodeWords({ nodes }: Program, index: number): readonly number[] {
  const node = nodes[index]
  switch (node?.op) {
    case 'take': {
      let [next, bytes] = [node.next, 1]
      for (let behind = nodes[next]; behind?.op === 'take'; behind = nodes[next]) {
        next = behind.next
        bytes++
      }
      return [0, next, bytes, 0]
    }
    case 'split':
      return [1, node.first, node.second, node.choice]
    case 'note':
      return [2, node.next, node.slot, 0]
    case 'end':
      return [3, node.next, 0, 0]
    default:
      return [4, 0, 0, 0]
  }
}

function added(seen: Set<number>, node: number): number {
  seen.add(node)
  return node
}
