import type { ProgramGraph, ProgramLook, ProgramNode } from './program.ts'

/** What is behind some nodes of a program, against its direction: all of one place in a text. */
export interface Reached {
  /** Which choices come to a match by their first way. */
  readonly choices: readonly number[]
  /** The nodes that take the byte before this place. */
  readonly taking: Uint16Array
  /** Whether an expression, by its index, matches from here. */
  readonly matches: (rule: number) => boolean
}

/**
 * A program read backwards. Looks ahead are followed like expressions, and from place to place only as far as somebody
 * may ask for them: further ahead they would make states without number.
 */
export class BackwardGraph {
  /** The ends of all expressions, and of all looks. */
  readonly ends: readonly number[]
  /** Those of expressions behind which there may be more text, and those of the looks that these may need there. */
  readonly #openEnds: readonly number[]
  /** By node: those from which it is reached without a byte; at the end of the text; where a look has it so; by a byte. */
  readonly #before: readonly number[][]
  readonly #beforeAtEnd: readonly number[][]
  readonly #looking: readonly number[][]
  readonly #taking: readonly number[][]
  /** By node: the choices that go there first. */
  readonly #choices: readonly number[][]
  readonly #starts: readonly number[]
  readonly #nodes: readonly ProgramNode[]
  readonly #looks: readonly ProgramLook[]
  /** By node: the look that it is part of, of several the inmost; behind the last look: an expression. */
  readonly #owner: Uint16Array
  /** By node of an expression: the looks that may be asked for at this byte or before it, and reach to here. */
  readonly #needs: readonly (readonly number[])[]
  /** By look: where it ends. */
  readonly #lookEnds: readonly number[]
  /** When a node was last reached, in turns. */
  readonly #reachedAt: Uint32Array
  #turn = 0
  /** Nodes that were gone over, and looks that were asked for: what all answers up to now have cost. */
  steps = 0

  constructor({ nodes, rules, looks }: ProgramGraph) {
    const lists = () => nodes.map((): number[] => [])
    const [before, beforeAtEnd, looking, taking, choices] = [lists(), lists(), lists(), lists(), lists()]
    nodes.forEach((node, index) => {
      if (node.op === 'split') {
        before[node.first]?.push(index)
        before[node.second]?.push(index)
        choices[node.first]?.push(node.choice)
      } else if (node.op === 'note') before[node.next]?.push(index)
      else if (node.op === 'end') beforeAtEnd[node.next]?.push(index)
      else if (node.op === 'look') looking[node.next]?.push(index)
      else if (node.op === 'take') taking[node.next]?.push(index)
    })
    this.#before = before
    this.#beforeAtEnd = beforeAtEnd
    this.#looking = looking
    this.#taking = taking
    this.#choices = choices
    this.#starts = rules.map(({ start }) => start)
    this.#nodes = nodes
    this.#looks = looks
    this.#reachedAt = new Uint32Array(nodes.length)
    this.#owner = new Uint16Array(nodes.length).fill(looks.length)
    for (let look = looks.length - 1; look >= 0; look--) this.#owner.fill(look, looks[look]?.from, looks[look]?.to)
    this.ends = nodes.flatMap(({ op }, index) => (op === 'match' ? [index] : []))
    this.#lookEnds = looks.map(({ from }) => from)
    this.#needs = this.#needed()
    const isOpen = (end: number) =>
      this.#isOfLook(end) ? false : [before, looking, taking].some((list) => (list[end]?.length ?? 0) > 0)
    const open = this.ends.filter(isOpen)
    this.#openEnds = [...open, ...this.#endsNeeded(open)]
  }

  /** What begins at the place before one, of which `taking` are told and `taken` are those that took its byte; none: no match. */
  seeds(taking: Uint16Array, taken: Uint16Array): readonly number[] {
    this.steps += taking.length
    if (this.#looks.length === 0) return [...this.#openEnds, ...taken]
    const isEnd = this.#openEnds.length === 0 && taken.every((node) => this.#isOfLook(node))
    return isEnd ? [] : [...new Set([...this.#openEnds, ...this.#endsNeeded(taking), ...taken])]
  }

  /** What is behind these nodes; the answer is good until the next call. */
  reach(seeds: readonly number[], atEnd: boolean): Reached {
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
    const drain = () => {
      for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
        this.steps++
        for (const one of this.#before[node] ?? []) add(one)
        if (atEnd) for (const one of this.#beforeAtEnd[node] ?? []) add(one)
        for (const one of this.#looking[node] ?? []) if (this.#passes(one)) add(one)
        for (const one of this.#taking[node] ?? []) taking.push(one)
        for (const one of this.#choices[node] ?? []) choices.push(one)
      }
    }
    // A look is known before who asks for it: they have no nodes in common.
    const owner = this.#owner
    const inOrder = this.#looks.length === 0 ? seeds : seeds.toSorted((a, b) => (owner[a] ?? 0) - (owner[b] ?? 0))
    for (const seed of inOrder) {
      if (queue.length > 0 && owner[seed] !== owner[queue[0] ?? 0]) drain()
      add(seed)
    }
    drain()
    const matches = (rule: number) => reachedAt[this.#starts[rule] ?? -1] === turn
    return { choices, taking: Uint16Array.from(this.#withNeededLooks(taking)).sort(), matches }
  }

  /** Whether a look has it so, here and now. */
  #passes(index: number): boolean {
    const node = this.#nodes[index]
    if (node?.op !== 'look') return false
    const isThere = this.#reachedAt[this.#looks[node.look]?.start ?? -1] === this.#turn
    return isThere !== node.negated
  }

  #isOfLook(node: number): boolean {
    return (this.#owner[node] ?? 0) < this.#looks.length
  }

  /** Without the nodes of looks that none of the others needs. */
  #withNeededLooks(taking: readonly number[]): readonly number[] {
    if (this.#looks.length === 0) return taking
    const needed = new Set(this.#looksNeeded(taking))
    for (const end of this.#openEnds) if (this.#isOfLook(end)) needed.add(this.#owner[end] ?? 0)
    return taking.filter((node) => !this.#isOfLook(node) || needed.has(this.#owner[node] ?? 0))
  }

  #endsNeeded(nodes: Iterable<number>): readonly number[] {
    return this.#looksNeeded(nodes).map((look) => this.#lookEnds[look] ?? 0)
  }

  #looksNeeded(nodes: Iterable<number>): readonly number[] {
    const needed = new Set<number>()
    for (const node of nodes) {
      const looks = this.#needs[node] ?? []
      this.steps += looks.length
      for (const look of looks) needed.add(look)
    }
    return [...needed]
  }

  #needed(): (readonly number[])[] {
    const needs = this.#nodes.map((): number[] => [])
    const asking = this.#looks.map((): number[] => [])
    this.#nodes.forEach((node, index) => {
      if (node.op === 'look' && !this.#isOfLook(index)) asking[node.look]?.push(node.next)
    })
    const parts: (readonly number[])[] = []
    this.#looks.forEach(({ from, to, longest }, look) => {
      // With a look those in it are needed, which are made before it and reach no further.
      const inside = this.#nodes.slice(from, to).flatMap((node) => (node.op === 'look' ? (parts[node.look] ?? []) : []))
      const together = [look, ...new Set(inside)]
      parts.push(together)
      for (const node of this.#reachedFrom(asking[look] ?? [], longest)) needs[node]?.push(...together)
    })
    return needs
  }

  /** The nodes that may be come to from these by no more than so many bytes. */
  #reachedFrom(starts: readonly number[], most: number): Iterable<number> {
    const seen = new Set(starts)
    let here = [...seen]
    for (let bytes = 0; bytes <= most && here.length > 0; bytes++) {
      const next: number[] = []
      const add = (node: number, to: number[]) => {
        if (seen.has(node)) return
        seen.add(node)
        to.push(node)
      }
      // It grows meanwhile. What a byte leads to comes only then, for it may also be come to without.
      for (const index of here) {
        const node = this.#nodes[index]
        if (node?.op === 'split') [node.first, node.second].forEach((way) => add(way, here))
        else if (node !== undefined && node.op !== 'take' && node.op !== 'match') add(node.next, here)
      }
      for (const index of here) {
        const node = this.#nodes[index]
        if (node?.op === 'take') add(node.next, next)
      }
      here = next
    }
    return seen
  }
}
