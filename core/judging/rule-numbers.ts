/** Rules numbered at most; what comes later is kept without its rule. */
const most = 0xffff

/** Small numbers for the names of failregexes, which stand beside each line that is kept. 0 stands for none. */
export class RuleNumbers {
  readonly #names: string[] = ['']
  readonly #numbers = new Map<string, number>()

  number(name: string | undefined): number {
    if (name === undefined) return 0
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    if (this.#names.length > most) return 0
    this.#numbers.set(name, this.#names.length)
    return this.#names.push(name) - 1
  }

  name(number: number): string {
    return this.#names[number] ?? ''
  }
}
