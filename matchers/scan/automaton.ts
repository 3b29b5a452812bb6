/**
 * The states in which the kernel reads a text backwards, made when it first comes to them. A state is the set of the
 * program's nodes from which the rest of the text, from here to its end, leads to a match; a look ahead is known where it is
 * come to, since all that is ahead was read. So at the begin of a text
 * its state says which expressions match, and on the way forward it says which of two ways leads on.
 */
import { BackwardGraph } from './backward-graph.ts'
import type { ProgramGraph } from './program.ts'
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

/** The bytes that no set of a program tells apart have one class; all that are not ASCII have the last, which has no member. */
export interface ByteClasses {
  readonly classes: Uint16Array
  readonly members: readonly number[]
}

/** The states that an automaton has made, to be made out of nothing another time: only for the very same program and memory. */
export interface MadeStates {
  /** By state: what `#states` and `#known` have of it. */
  readonly taking: readonly Uint16Array[]
  readonly keys: readonly string[]
  readonly verdictKeys: readonly (readonly [string, number])[]
  /** What stands in memory. */
  readonly trans: Uint16Array
  readonly bits: Uint8Array
  readonly verdictOf: Uint32Array
  readonly verdicts: Uint8Array
}

/** How much memory an automaton of so many states takes. */
export function sizeOf(program: ProgramGraph, { members }: ByteClasses, states: number): AutomatonSize {
  const shift = Math.ceil(Math.log2(members.length + 1))
  const each = (2 << shift) + 4 + choiceBytes(program)
  return { states, shift, bytes: states * each + verdictBytes + 512 + program.nodes.length * 16 + 512 }
}

export class Automaton {
  /** Where the transitions are, and so on: words of the kernel's record of an automaton. */
  readonly words: readonly number[]
  readonly #program: ProgramGraph
  readonly #classes: ByteClasses
  readonly #judge: (matching: (rule: number) => boolean) => readonly Verdict[]
  readonly #memory: TableMemory
  readonly #size: AutomatonSize
  /** Both are made when a state is. */
  #graph: BackwardGraph | null = null
  /** By class, and set of the program: whether the set has the bytes of the class; then the last class. */
  #has: readonly (readonly boolean[])[] = []
  /** By state: the nodes that take the byte before it. */
  readonly #states: Uint16Array[] = []
  /** States by the nodes that they were reached by. */
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
    program: ProgramGraph,
    byteClasses: ByteClasses,
    size: AutomatonSize,
    memory: TableMemory,
    judge: (matching: (rule: number) => boolean) => readonly Verdict[],
  ) {
    this.#program = program
    this.#judge = judge
    this.#memory = memory
    this.#size = size
    this.#classes = byteClasses
    const { states, shift } = size
    this.#at = {
      trans: memory.take(states * (2 << shift)),
      bits: memory.take(states * choiceBytes(program)),
      verdictOf: memory.take(states * 4),
      verdicts: memory.take(verdictBytes),
    }
    const classesAt = memory.take(512)
    memory.u16.set(
      byteClasses.classes.map((one) => one * 2),
      classesAt >> 1,
    )
    const nodesAt = memory.take(program.nodes.length * 16)
    program.nodes.forEach((_, index) => memory.u32.set(nodeWords(program, index), (nodesAt >> 2) + index * 4))
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

  /** How many states there are. */
  get made(): number {
    return this.#states.length
  }

  /** Begins with no state but the first, or with those that were made another time. */
  start(made: MadeStates | undefined): void {
    if (made === undefined) this.clear()
    else this.#restore(made)
  }

  /** What was made up to now. */
  get states(): MadeStates {
    const { trans, bits, verdictOf, verdicts } = this.#at
    const { u8, u16, u32 } = this.#memory
    const used = this.#states.length + firstState
    return {
      taking: this.#states,
      keys: [...this.#known.keys()],
      verdictKeys: [...this.#verdicts],
      trans: u16.slice(trans >> 1, (trans >> 1) + (used << this.#size.shift)),
      bits: u8.slice(bits, bits + used * choiceBytes(this.#program)),
      verdictOf: u32.slice(verdictOf >> 2, (verdictOf >> 2) + used),
      verdicts: u8.slice(verdicts, verdicts + this.#verdictEnd),
    }
  }

  #restore({ taking, keys, verdictKeys, trans, bits, verdictOf, verdicts }: MadeStates): void {
    const { u8, u16, u32 } = this.#memory
    u16.set(trans, this.#at.trans >> 1)
    u8.set(bits, this.#at.bits)
    u32.set(verdictOf, this.#at.verdictOf >> 2)
    u8.set(verdicts, this.#at.verdicts)
    this.#verdictEnd = verdicts.length
    this.#states.push(...taking)
    keys.forEach((key, index) => this.#known.set(key, index + firstState))
    for (const [key, at] of verdictKeys) this.#verdicts.set(key, at)
  }

  /**
   * Makes what the kernel missed: where a byte of the class leads from the state. All may have been emptied for it.
   * Answers how many steps it took.
   */
  fill(state: number, byteClass: number): number {
    const before = this.#backwards.steps
    const next = this.#next(state, byteClass)
    if (next === null) this.clear()
    else this.#lead(state, byteClass, next)
    return this.#backwards.steps - before
  }

  /** Where a byte of the class leads from the state; null where there is no room for it. */
  #next(state: number, byteClass: number): number | null {
    if (this.#has.length === 0) this.#has = setsOfClasses(this.#program, this.#classes)
    const has = this.#has[byteClass]
    if (has === undefined) return notAscii
    const { nodes } = this.#program
    const taking = this.#states[state - firstState]
    if (taking === undefined) return noMatch
    const taken = taking.filter((index) => {
      const node = nodes[index]
      return node?.op === 'take' && has[node.set] === true
    })
    const seeds = this.#backwards.seeds(taking, taken)
    return seeds.length === 0 ? noMatch : this.#state(String.fromCharCode(...seeds), seeds, false)
  }

  /** Forgets all states but the first. */
  clear(): void {
    const { states, shift } = this.#size
    this.#known.clear()
    this.#verdicts.clear()
    this.#verdictEnd = 0
    // What was never used is not touched: then it takes no memory of the machine.
    const used = Math.min(states, this.#states.length + firstState)
    this.#memory.u16.fill(notKnown, this.#at.trans >> 1, (this.#at.trans >> 1) + (used << shift))
    // The kernel takes several steps before it looks where they led.
    for (const none of [noMatch, notAscii]) for (let one = 0; one < 1 << shift; one++) this.#lead(none, one, none)
    this.#states.length = 0
    this.#state('end', this.#backwards.ends, true)
  }

  get #backwards(): BackwardGraph {
    return (this.#graph ??= new BackwardGraph(this.#program))
  }

  /** The number of the state that is reached by these nodes, which `key` names; null where there is no room for it. */
  #state(key: string, seeds: readonly number[], atEnd: boolean): number | null {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const state = this.#states.length + firstState
    if (state >= this.#size.states) return null
    const { choices, taking, matches } = this.#backwards.reach(seeds, atEnd)
    const verdicts = this.#verdictsAt(this.#judge(matches))
    if (verdicts === null) return null
    this.#memory.u32[(this.#at.verdictOf >> 2) + state] = verdicts
    const bitsAt = this.#at.bits + state * choiceBytes(this.#program)
    const bits = this.#memory.u8.subarray(bitsAt, bitsAt + choiceBytes(this.#program)).fill(0)
    for (const choice of choices) bits[choice >> 3] = (bits[choice >> 3] ?? 0) | (1 << (choice & 7))
    this.#states.push(taking)
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

  #lead(state: number, byteClass: number, next: number): void {
    this.#memory.u16[(this.#at.trans >> 1) + (state << this.#size.shift) + byteClass] = next
  }
}

/** Those of a program. */
export function classesOf({ sets }: ProgramGraph): ByteClasses {
  const classes = new Uint16Array(256)
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

function setsOfClasses({ sets }: ProgramGraph, { members }: ByteClasses): (readonly boolean[])[] {
  return members.map((byte) => sets.map((ranges) => holds(ranges, byte)))
}

function holds(ranges: readonly number[], byte: number): boolean {
  for (let at = 0; at < ranges.length; at += 2) {
    if (byte >= (ranges[at] ?? 0) && byte <= (ranges[at + 1] ?? 0)) return true
  }
  return false
}

function choiceBytes({ choices }: ProgramGraph): number {
  return (choices + 7) >> 3
}

/** Op and three operands, as `walk` of the kernel reads them. Bytes that are surely taken are taken together. */
function nodeWords({ nodes }: ProgramGraph, index: number): readonly number[] {
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
    case 'split': {
      const loop = loopOf(nodes, index)
      if (loop !== null) return [5, loop.exit, node.choice, loop.on]
      return [1, node.first, node.second, node.choice]
    }
    case 'note':
      return [2, node.next, node.slot, 0]
    case 'end':
    case 'look':
      // What was read backwards says that it passes.
      return [3, node.next, 0, 0]
    default:
      return [4, 0, 0, 0]
  }
}

/** Where a choice leads that takes one byte and comes back, and whether it goes on by its first way (1) or its second (0). */
function loopOf(nodes: ProgramGraph['nodes'], index: number): { readonly exit: number; readonly on: number } | null {
  const split = nodes[index]
  if (split?.op !== 'split') return null
  const returns = (way: number) => {
    const node = nodes[way]
    return node?.op === 'take' && node.next === index
  }
  if (returns(split.first)) return { exit: split.second, on: 1 }
  return returns(split.second) ? { exit: split.first, on: 0 } : null
}
