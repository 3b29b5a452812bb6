import type { FieldPath } from '../../core/plugin.ts'

/** A place in a structured line that somebody asks for, or that leads to one. */
export interface FieldNode {
  /** Its number in a `FieldValues`, where its own value is asked for; else -1. */
  slot: number
  /** The keys below it that are wanted, by their length in bytes, so that most keys are passed over at a glance. */
  readonly byLength: (FieldEdge[] | undefined)[]
  /** The same, by the key itself; an index is a key of digits. */
  readonly byKey: Map<string, FieldNode>
  /** All nodes below it, so that a key that comes twice can take back what the first one brought. */
  readonly below: FieldNode[]
  /** The line in which it was met last. */
  seen: number
}

export interface FieldEdge {
  readonly bytes: Uint8Array
  readonly node: FieldNode
}

/** Where the value of a field may be: the slots in which it is looked for, in order. */
export type Field = readonly number[]

/** All fields that some filters ask for, as one tree: a line is read once for all of them. */
export class FieldTree {
  readonly root = newNode()
  slots = 0
  readonly #nested: boolean

  /** `nested`: whether a value may hold fields itself. */
  constructor(nested: boolean) {
    this.#nested = nested
  }

  /** The slots of a field. */
  field(path: FieldPath): Field {
    const whole = this.#slot([path.key])
    return this.#nested && path.steps.length > 1 ? [whole, this.#slot(path.steps)] : [whole]
  }

  #slot(steps: readonly string[]): number {
    const above: FieldNode[] = []
    let node = this.root
    for (const step of steps) {
      const known = node.byKey.get(step)
      const next = known ?? newNode()
      above.push(node)
      if (known === undefined) {
        addEdge(node, step, next)
        for (const each of above) each.below.push(next)
      }
      node = next
    }
    if (node.slot < 0) node.slot = this.slots++
    return node.slot
  }
}

function newNode(): FieldNode {
  return { slot: -1, byLength: [], byKey: new Map(), below: [], seen: 0 }
}

function addEdge(node: FieldNode, key: string, child: FieldNode): void {
  const bytes = Buffer.from(key)
  node.byKey.set(key, child)
  // No holes: an array without them is faster to ask.
  while (node.byLength.length <= bytes.length) node.byLength.push(undefined)
  const same = node.byLength[bytes.length] ?? []
  node.byLength[bytes.length] = [...same, { bytes, node: child }]
}
