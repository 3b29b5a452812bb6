/** What the configuration gives the matcher below `options:`. Those that nobody asked for are refused. */
export class Options {
  private names: string[] = []
  private values: string[] = []
  private asked: bool[] = []

  constructor(lines: string) {
    const all = lines.split('\n')
    for (let index = 0; index < all.length; index++) {
      const at = all[index].indexOf('=')
      if (at < 0) continue
      this.names.push(all[index].slice(0, at))
      this.values.push(all[index].slice(at + 1))
      this.asked.push(false)
    }
  }

  /** The value of an option; what is usual where it is not given. */
  get(name: string, usual: string): string {
    const at = this.names.indexOf(name)
    if (at < 0) return usual
    this.asked[at] = true
    return this.values[at]
  }

  /** The first option that nobody asked for; empty: there is none. */
  unknown(): string {
    const at = this.asked.indexOf(false)
    return at < 0 ? '' : this.names[at]
  }
}
