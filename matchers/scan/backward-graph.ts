import type { ProgramGraph } from './program.ts'

/** What is behind some nodes of a program, against its direction: all of one place in a text. */
export interface Reached {
  /** Which choices come to a match by their first way. */
  readonly choices: readonly number[]
  /** The nodes that take the byte before this place. */
  readonly taking: Uint16Array
  /** Whether an expression, by its index, matches from here. */
  readonly matches: (rule: number) => boolean
}

/** A program read backwards. */
export class BackwardGraph {
  /** The ends of all expressions, and of those behind which there may be more text. */
  readonly ends: readonly number[]
  readonly openEnds: readonly number[]
  /** By node: those from which it is reached without a byte; at the end of the text; and by a byte. */
  readonly #before: readonly number[][]
  readonly #beforeAtEnd: readonly number[][]
  readonly #taking: readonly number[][]
  /** By node: the choices that go there first. */
  readonly #choices: readonly number[][]
  readonly #starts: readonly number[]
  /** When a node was last reached, in turns. */
  readonly #reachedAt: Uint32Array
  #turn = 0

  constructor({ nodes, rules }: ProgramGraph) {
    const lists = () => nodes.map((): number[] => [])
    const [before, beforeAtEnd, taking, choices] = [lists(), lists(), lists(), lists()]
    nodes.forEach((node, index) => {
      if (node.op === 'split') {
        before[node.first]?.push(index)
        before[node.second]?.push(index)
        choices[node.first]?.push(node.choice)
      } else if (node.op === 'note') before[node.next]?.push(index)
      else if (node.op === 'end') beforeAtEnd[node.next]?.push(index)
      else if (node.op === 'take') taking[node.next]?.push(index)
    })
    this.#before = before
    this.#beforeAtEnd = beforeAtEnd
    this.#taking = taking
    this.#choices = choices
    this.#starts = rules.map(({ start }) => start)
    this.#reachedAt = new Uint32Array(nodes.length)
    this.ends = nodes.flatMap(({ op }, index) => (op === 'match' ? [index] : []))
    this.openEnds = this.ends.filter((end) => (before[end]?.length ?? 0) + (taking[end]?.length ?? 0) > 0)
  }

  /** What is behind these nodes; the answer is good until the next call. */
  reach(seeds: Iterable<number>, atEnd: boolean): Reached {
    const turn = ++this.#turn
    const reachedAt = this.#reachedAt
    const choices: number[] = []
    const taking: number[] = []
    const queue: number[] = []
    const add = (node: number) => {
      if (reachedAt[node] === turn) return
      reachedAt[node] = turn
      queue.push(node)
    }
    for (const seed of seeds) add(seed)
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      for (const one of this.#before[node] ?? []) add(one)
      if (atEnd) for (const one of this.#beforeAtEnd[node] ?? []) add(one)
      for (const one of this.#taking[node] ?? []) taking.push(one)
      for (const one of this.#choices[node] ?? []) choices.push(one)
    }
    const matches = (rule: number) => reachedAt[this.#starts[rule] ?? -1] === turn
    return { choices, taking: Uint16Array.from(taking).sort(), matches }
  }
}
