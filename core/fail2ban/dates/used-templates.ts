/** The templates of a detector in the order in which they are tried: what wins often moves to the front. */
import type { DateTemplate } from './template-shelf.ts'

/** A template in one list, with what the list remembers of it. */
export interface UsedTemplate {
  readonly name: string
  /** As written; null for the kinds that Fail2ban makes without one. */
  readonly pattern: string | null
  /** In Python's syntax, as `fail2ban-regex -v` prints it. */
  readonly expression: string
  readonly template: DateTemplate
  /** How often it won here. */
  hits: number
  /** When it won last, unix seconds; 0: never. */
  lastUsed: number
  /** Where in the line it stood then, in characters. */
  distance: number
}

/** What a list remembers, as plain data: of each template in the order of trying. */
export interface UsedTemplatesMemory {
  /** Its place at the begin. */
  readonly order: readonly number[]
  readonly hits: readonly number[]
  readonly lastUsed: readonly number[]
  readonly distances: readonly number[]
  readonly firstUnused: number
}

export class UsedTemplates {
  readonly list: UsedTemplate[]
  /** As they were at the begin. */
  readonly #all: readonly UsedTemplate[]
  /** The place of the first that never won. */
  #firstUnused = 0

  constructor(templates: readonly DateTemplate[]) {
    this.list = templates.map((template) => ({
      name: template.form.name,
      pattern: template.form.pattern,
      expression: template.form.expression,
      template,
      hits: 0,
      lastUsed: 0,
      distance: Infinity,
    }))
    this.#all = [...this.list]
  }

  get memory(): UsedTemplatesMemory {
    return {
      order: this.list.map((used) => this.#all.indexOf(used)),
      hits: this.list.map(({ hits }) => hits),
      lastUsed: this.list.map(({ lastUsed }) => lastUsed),
      distances: this.list.map(({ distance }) => distance),
      firstUnused: this.#firstUnused,
    }
  }

  /** What a list of the same patterns remembered. */
  set memory({ order, hits, lastUsed, distances, firstUnused }: UsedTemplatesMemory) {
    const list = order.flatMap((index) => this.#all[index] ?? [])
    for (const [place, used] of list.entries()) {
      used.hits = hits[place] ?? 0
      used.lastUsed = lastUsed[place] ?? 0
      used.distance = distances[place] ?? Infinity
    }
    this.list.splice(0, this.list.length, ...list)
    this.#firstUnused = firstUnused
  }

  /** Notes that the template at this place has won, so often. */
  count(place: number, now: number, distance: number, times = 1): void {
    const used = this.list[place]
    if (used === undefined) return
    used.hits += times
    used.lastUsed = now
    used.distance = distance
    if (this.#firstUnused === place) this.#firstUnused++
  }

  /** Moves a winner towards the front, if it has the weight for it. Returns its place. */
  promote(place: number): number {
    const used = this.list[place]
    if (used === undefined) return place
    const target = this.#targetOf(place, used)
    if (target === place) return place
    this.list.splice(place, 1)
    this.list.splice(target, 0, used)
    while ((this.list[this.#firstUnused]?.hits ?? 0) > 0) this.#firstUnused++
    return target
  }

  /** The first place that never won, or half way to the front; else one step; else where it is. */
  #targetOf(place: number, used: UsedTemplate): number {
    const far = this.#firstUnused < place ? this.#firstUnused : Math.floor(place / 2)
    return [far, place - 1].find((target) => this.#yields(target, used)) ?? place
  }

  /** Whether the template there is lighter, or has not won for five minutes. */
  #yields(place: number, used: UsedTemplate): boolean {
    const other = this.list[place]
    return other === undefined || weightOf(used) > weightOf(other) || used.lastUsed - longUnused > other.lastUsed
  }
}

const longUnused = 300

function weightOf({ hits, template, distance }: UsedTemplate): number {
  return (hits * template.weight) / Math.max(1, distance)
}
