/** Made-up failregexes, full of what administrators write: choices, repetitions, looks ahead and behind, boundaries. */
import { BailiffError } from '../../../core/errors.ts'
import { compileFilter } from '../../../core/matching/filters.ts'
import type { CompiledFilter } from '../../../core/plugin.ts'
import type { Seeded } from './seeded.ts'

const atoms = ['a', 'b', 'from', ' ', ':', '\\d', '\\w', '\\S', '.', '[ab ]', '[^b]', '\\s', '-', '1', '\\.', 'A']
const fewTimes = ['', '', '', '?', '??', '{2}', '{0,2}', '{1,2}?']
const anyTimes = ['*', '+', '*?', '+?', '{2,}']
const looks = ['(?!', '(?=', '(?!', '(?<!', '(?<=']
/** So many repetitions without end, and none of them repeated: with more, V8 would take a line for ever. */
const mostAnyTimes = 2

/** A filter of some patterns. */
export function writtenFilter(random: Seeded): CompiledFilter {
  for (;;) {
    try {
      return someFilter(random)
    } catch (error) {
      // Some repetitions no filter may have.
      if (!(error instanceof BailiffError)) throw error
    }
  }
}

function someFilter(random: Seeded): CompiledFilter {
  const failregex = Array.from({ length: 1 + random.below(3) }, () => new Writer(random).failregex())
  const ignoreregex = random.once(4) ? [`${new Writer(random).sequence(2)}a`] : []
  const prefregex = random.once(6) ? `^${new Writer(random).sequence(1)}<F-CONTENT>.+</F-CONTENT>$` : null
  return compileFilter({ name: 'written', programs: ['sshd'], prefregex, failregex, ignoreregex })
}

class Writer {
  readonly #random: Seeded
  readonly #tags = ['F-USER', 'F-PORT', 'F-ONCE']
  #anyTimesLeft = mostAnyTimes

  constructor(random: Seeded) {
    this.#random = random
  }

  /** A pattern that names an address. */
  failregex(): string {
    const start = this.#of(['', '^', '^'])
    const before = this.sequence(2) + this.#of(['', ' ', '=', 'from ', '\\['])
    const behind = this.#of(['', '', ' ', '\\b', '$', ':', '(?!x)', '(?: port \\d+)?']) + this.sequence(2)
    return `${start}${before}<ADDR>${behind}${this.#of(['', '$'])}`
  }

  sequence(depth: number): string {
    return Array.from({ length: this.#random.below(4) }, () => this.#item(depth)).join('')
  }

  #item(depth: number): string {
    switch (depth === 0 ? 9 : this.#random.below(12)) {
      case 0:
      case 1:
        return this.#choice(depth)
      case 2:
      case 3:
        return this.#look()
      case 4: {
        const tag = this.#tags.pop()
        return tag === undefined ? 'b' : `<${tag}>${this.sequence(depth - 1)}b</${tag}>`
      }
      case 5:
        return `${this.#of(atoms)}${this.#of(['\\b', '\\B'])}`
      default:
        return this.#of(atoms) + this.#times()
    }
  }

  #choice(depth: number): string {
    const before = this.#anyTimesLeft
    const choice = `(?:${this.sequence(depth - 1)}|${this.sequence(depth - 1)}a)`
    return choice + this.#of(before === this.#anyTimesLeft ? fewTimes : ['', '?'])
  }

  #look(): string {
    const opening = this.#of(looks)
    if (opening.startsWith('(?<')) return `${opening}${this.#of(['a', 'b', ' ', '\\w'])})`
    const branches = Array.from(
      { length: 1 + this.#random.below(2) },
      () => `${this.sequence(1)}${this.#of(['a', '', '$'])}`,
    )
    return `${opening}${branches.join('|')})`
  }

  #times(): string {
    if (this.#anyTimesLeft === 0 || !this.#random.once(3)) return this.#of(fewTimes)
    this.#anyTimesLeft--
    return this.#of(anyTimes)
  }

  #of(texts: readonly string[]): string {
    return this.#random.of(texts) ?? ''
  }
}
