/** Reads what a plugin host says, field by field: nothing of it is used as it stands. */
import { printable } from '../errors.ts'

/** What came from a host is not what it may be. The host is not to be trusted any more. */
export class NotAllowed extends Error {
  override readonly name = 'NotAllowed'
}

/** The fields of an object that came as JSON. Each call throws `NotAllowed` for what is not as it must be. */
export class Fields {
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new NotAllowed('a message that is no object')
    this.#fields = value as Readonly<Record<string, unknown>>
  }

  /** Only what the object has itself: nothing of a prototype, and `__proto__` is a name as any other. */
  of(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }

  text(name: string, longest: number): string {
    const value = this.of(name)
    if (typeof value !== 'string') throw new NotAllowed(`${name} is no text`)
    if (value.length > longest) throw new NotAllowed(`${name} has ${value.length} characters, ${longest} are allowed`)
    return value
  }

  /** A text for people: printable, and cut. */
  words(name: string, longest: number): string {
    const value = this.of(name)
    if (typeof value !== 'string') throw new NotAllowed(`${name} is no text`)
    return cutWords(value, longest)
  }

  /** Null where it is null or absent. */
  orNull<T>(name: string, read: (name: string) => T): T | null {
    const value = this.of(name)
    return value === null || value === undefined ? null : read.call(this, name)
  }

  whole(name: string): number {
    const value = this.of(name)
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw new NotAllowed(`${name} is no whole number`)
    return value as number
  }

  time(name: string): number {
    const value = this.of(name)
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new NotAllowed(`${name} is no time`)
    return value
  }

  flag(name: string): boolean {
    const value = this.of(name)
    if (typeof value !== 'boolean') throw new NotAllowed(`${name} is neither true nor false`)
    return value
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word {
    const word = words.find((each) => each === this.of(name))
    if (word === undefined) throw new NotAllowed(`${name} is none of ${words.join(', ')}`)
    return word
  }

  list<T>(name: string, longest: number, read: (item: unknown) => T): T[] {
    const value = this.of(name)
    if (!Array.isArray(value)) throw new NotAllowed(`${name} is no list`)
    if (value.length > longest) throw new NotAllowed(`${name} has ${value.length} elements, ${longest} are allowed`)
    return value.map(read)
  }

  names(): string[] {
    return Object.keys(this.#fields)
  }
}

/** Printable, and no longer than that. */
export function cutWords(text: string, longest: number): string {
  const words = printable(text.length > longest ? text.slice(0, longest) : text)
  return words.length > longest ? `${words.slice(0, longest - 1)}…` : words
}
