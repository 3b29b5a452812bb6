/**
 * Runs a program as Python's engine runs an expression (Modules/_sre of CPython 3.11 says how): by trying one way after
 * the other, with its own rules for groups. A turn of a repetition keeps what an earlier turn captured; a turn that took
 * nothing ends the repetition; and what a failed way captured is forgotten to the extent to which Python forgets it.
 *
 * Ways that are still open lie on a stack of their own, so no text is too long. Only look-arounds, atomic groups and
 * possessive repetitions call the machine again, as deep as they are nested in the pattern. Every step is counted.
 */
import { BailiffError } from '../../errors.ts'
import type { PatternNode } from '../../matching/pattern-tree.ts'
import { lowerCase } from '../../matching/unicode-tables.ts'
import { GroupMarks, type KeptMarks } from './group-marks.ts'
import { isPlace } from './places.ts'
import { isIn, programOf, type CharacterTest, type Loop, type Step } from './program.ts'

/** Steps after which a search is given up: about half a second. */
export const maxSteps = 20_000_000

/** Start and end of the match and of each group by its number, in UTF-16 units; null: it took no part. */
export type Spans = readonly (readonly [start: number, end: number] | null)[]

/** A repetition that runs. It is replaced, never changed, so that an older way still has its own. */
interface Running {
  readonly loop: Loop
  /** Turns that are complete, less one. */
  readonly count: number
  /** Where the last turn began that need not have been taken; -1: there was none. */
  readonly last: number
  readonly outer: Running | null
}

/** A way that can still be tried, with what was known where it parted. */
interface Way {
  readonly type: 'step' | 'shorter' | 'longer' | 'turn'
  readonly step: Step
  at: number
  /** `shorter`: it may go back to here. `longer`: it may go on to here. */
  readonly limit: number
  readonly running: Running | null
  readonly marks: KeptMarks
}

/** A program with a text to search. */
export class Machine {
  readonly #program: Step
  readonly #groups: number
  readonly #marks: GroupMarks
  readonly #ways: Way[] = []
  readonly #anchored: boolean
  #text: Int32Array = new Int32Array(0)
  #running: Running | null = null
  #steps = 0

  constructor(root: PatternNode, groups: number) {
    this.#program = programOf(root)
    this.#groups = groups
    this.#marks = new GroupMarks(groups)
    this.#anchored = this.#program.type === 'assertion' && this.#program.kind === 'start'
  }

  /** The first match that begins at `from` (UTF-16 units) or behind it; null: none. Throws a BailiffError after `maxSteps` steps. */
  search(text: string, from = 0): Spans | null {
    const codes = codesOf(text)
    this.#text = codes
    this.#steps = 0
    const last = this.#anchored ? 0 : codes.length
    const first = codes.length === text.length ? from : codesOf(text.slice(0, from)).length
    for (let start = first; start <= last; start++) {
      this.#marks.clear()
      this.#running = null
      this.#ways.length = 0
      const end = this.#match(this.#program, start)
      if (end >= 0) return this.#spans(text, start, end)
    }
    return null
  }

  #spans(text: string, start: number, end: number): Spans {
    const offset = offsets(text, this.#text)
    const groups = Array.from({ length: this.#groups }, (_, index) => {
      const [from, to] = [this.#marks.placeOf(2 * index), this.#marks.placeOf(2 * index + 1)]
      return from < 0 || to < from ? null : ([offset(from), offset(to)] as const)
    })
    return [[offset(start), offset(end)], ...groups]
  }

  /** Where the steps end that begin at a place; -1: they do not match. Ways that were left open are gone then. */
  #match(first: Step, from: number): number {
    const floor = this.#ways.length
    const outside = this.#running
    let step: Step | null = first
    let at = from
    for (;;) {
      if (step === null) {
        if (this.#ways.length === floor) {
          this.#running = outside
          return -1
        }
        const way = this.#nextWay()
        step = way?.step ?? null
        at = way?.at ?? at
        continue
      }
      if (++this.#steps > maxSteps) tooMany()
      switch (step.type) {
        case 'one':
          if (at < this.#text.length && isIn(step.set, this.#text[at] ?? 0)) {
            at++
            step = step.next
          } else step = null
          break
        case 'run': {
          at = this.#run(step, at)
          step = at < 0 ? null : step.next
          break
        }
        case 'assertion':
          step = isPlace(step.kind, this.#text, at) ? step.next : null
          break
        case 'mark':
          this.#marks.set(step.index, at)
          step = step.next
          break
        case 'branch':
          step = this.#branch(step.branches, at)
          break
        case 'repeat':
          this.#running = { loop: step.loop, count: -1, last: -1, outer: this.#running }
          step = this.#until(step.loop, at)
          break
        case 'until':
          step = this.#until(step.loop, at)
          break
        case 'possessive':
          at = this.#possessive(step, at)
          step = at < 0 ? null : step.next
          break
        case 'atomic':
          at = this.#match(step.item, at)
          step = at < 0 ? null : step.next
          break
        case 'look':
          step = this.#look(step, at) ? step.next : null
          break
        case 'reference':
          at = this.#reference(step, at)
          step = at < 0 ? null : step.next
          break
        case 'condition':
          step = this.#marks.isSet(step.group) ? step.yes : step.no
          break
        case 'success':
          this.#ways.length = floor
          this.#running = outside
          return at
      }
    }
  }

  /** Goes back to the way that was left open last; null: it has nothing more to try. */
  #nextWay(): { readonly step: Step; readonly at: number } | null {
    const way = this.#ways.at(-1)
    if (way === undefined) return null
    this.#marks.restore(way.marks)
    this.#running = way.running
    const { step } = way
    if (way.type === 'shorter' && step.type === 'run') {
      way.at--
      if (way.at <= way.limit) this.#ways.pop()
      return { step: step.next, at: way.at }
    }
    if (way.type === 'longer' && step.type === 'run') {
      if (way.at < way.limit && isIn(step.set, this.#text[way.at] ?? 0)) return { step: step.next, at: ++way.at }
      this.#ways.pop()
      return null
    }
    this.#ways.pop()
    if (way.type === 'turn' && step.type === 'until') return this.#turn(step.loop, way.at)
    return { step, at: way.at }
  }

  #leave(type: Way['type'], step: Step, at: number, { limit = 0, always = false } = {}): void {
    const running = this.#running
    this.#ways.push({ type, step, at, limit, running, marks: this.#marks.keep(always || running !== null) })
  }

  #branch(branches: readonly Step[], at: number): Step | null {
    for (let index = branches.length - 1; index > 0; index--) {
      const branch = branches[index]
      if (branch !== undefined) this.#leave('step', branch, at)
    }
    return branches[0] ?? null
  }

  /** Where a run of single characters ends for now; -1: it is too short. */
  #run(step: Step & { type: 'run' }, at: number): number {
    const { set, min, max, kind } = step
    const limit = Math.min(this.#text.length, at + max)
    const wanted = kind === 'lazy' ? Math.min(limit, at + min) : limit
    const end = this.#runOf(set, at, wanted)
    if (end - at < min) return -1
    if (kind === 'greedy' && end > at + min) this.#leave('shorter', step, end, { limit: at + min })
    if (kind === 'lazy' && end < limit) this.#leave('longer', step, end, { limit })
    return end
  }

  #runOf(set: CharacterTest, from: number, limit: number): number {
    let at = from
    while (at < limit && isIn(set, this.#text[at] ?? 0)) at++
    this.#steps += at - from
    return at
  }

  /** A turn of the innermost repetition is over, or it begins. */
  #until(loop: Loop, at: number): Step | null {
    const running = this.#running
    if (running === null) return null
    const { outer } = running
    const count = running.count + 1
    if (count < loop.min) {
      this.#running = { ...running, count }
      return loop.item
    }
    if (loop.lazy) {
      this.#running = outer
      this.#leaveTurn(running, at)
      return loop.next
    }
    this.#running = outer
    if (count >= loop.max || at === running.last) return loop.next
    this.#leave('step', loop.next, at, { always: true })
    this.#running = { loop, count, last: at, outer }
    return loop.item
  }

  /** Leaves open that a lazy repetition takes one more turn. What is outside of it runs meanwhile. */
  #leaveTurn(running: Running, at: number): void {
    const step: Step = { type: 'until', loop: running.loop }
    this.#ways.push({ type: 'turn', step, at, limit: 0, running, marks: this.#marks.keep(running.outer !== null) })
  }

  #turn(loop: Loop, at: number): { readonly step: Step; readonly at: number } | null {
    const running = this.#running
    if (running === null) return null
    const count = running.count + 1
    if (count >= loop.max || at === running.last) return null
    this.#running = { ...running, count, last: at }
    return { step: loop.item, at }
  }

  /** Each turn matches by itself and gives nothing back. */
  #possessive({ item, min, max }: Step & { type: 'possessive' }, from: number): number {
    let at = from
    let count = 0
    for (; count < min; count++) {
      at = this.#match(item, at)
      if (at < 0) return -1
    }
    for (let last = -1; count < max && at !== last; count++) {
      const marks = this.#marks.keep(true)
      last = at
      const end = this.#match(item, at)
      if (end < 0) {
        this.#marks.restore(marks)
        break
      }
      at = end
    }
    return at
  }

  #look({ item, back, negated }: Step & { type: 'look' }, at: number): boolean {
    if (at < back) return negated
    if (!negated) return this.#match(item, at - back) >= 0
    const marks = this.#marks.keep(this.#running !== null)
    if (this.#match(item, at - back) >= 0) return false
    this.#marks.restore(marks)
    return true
  }

  #reference({ group, ignoring }: Step & { type: 'reference' }, from: number): number {
    if (!this.#marks.isSet(group)) return -1
    const end = this.#marks.placeOf(2 * group - 1)
    let at = from
    for (let index = this.#marks.placeOf(2 * group - 2); index < end; index++, at++) {
      if (at >= this.#text.length || !isSame(this.#text[index] ?? 0, this.#text[at] ?? 0, ignoring)) return -1
    }
    this.#steps += at - from
    return at
  }
}

function isSame(a: number, b: number, ignoring: 'ascii' | 'unicode' | null): boolean {
  if (a === b || ignoring === null) return a === b
  if (ignoring === 'ascii' && (a > 0x7f || b > 0x7f)) return false
  return lowerCase(a) === lowerCase(b)
}

function codesOf(text: string): Int32Array {
  if (!/[\ud800-\udfff]/.test(text))
    return Int32Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
  return Int32Array.from(text, (character) => character.codePointAt(0) ?? 0)
}

/** The offset in UTF-16 units for one in characters. */
function offsets(text: string, codes: Int32Array): (index: number) => number {
  if (codes.length === text.length) return (index) => index
  const units = new Int32Array(codes.length + 1)
  codes.forEach((code, index) => (units[index + 1] = (units[index] ?? 0) + (code > 0xffff ? 2 : 1)))
  return (index) => units[index] ?? 0
}

function tooMany(): never {
  const hint = 'write the pattern so that a part repeats in one way only'
  throw new BailiffError('data', `the pattern was tried in ${maxSteps} steps on a line without an end`, { hint })
}
