/** Expressions of the whole syntax of Python, and texts for them, by chance: the same for the same seed. */

/** A number from 0 up to but without the given one. */
export type Dice = (sides: number) => number

/** Dice that fall the same way for the same seed (mulberry32). */
export function seededDice(seed: number): Dice {
  let state = seed >>> 0
  return (sides) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}

const plain = [...words('a b ab A B c 1 2 - _ ] } / " < é ß { s k'), ' ', '\n']
const odd = [...words('İ ı ſ \u212a i µ Σ ς 😀 𐐀 𐐨 \u0301 ٣ ² ǅ \u0345 #'), '\u2028', '\x85', '\x1c']
const escapes = [
  ...words(String.raw`\. \\ \x61 \u00e9 \U0001F600 \141 \07 \0 \t \n \- \$ \é \d \w \s \D \W \S \w \s`),
  '\\ ',
]
const wrong = words(
  String.raw`\q \x6 \8 \400 \u12 (?P<1>a) (?<n>a) [z-a] [a ) ( * {2} (?z:a) (?i) (?-:a) (?L:a) (?P=no) (?(no)a) (?(0)a)
  [\d-z] (?au:b) (?i-i:a)`,
)
const members = words(
  String.raw`a b A 1 - \w \d \s \W \D \S é \] \x41 \b a-c B-c 0-9 é-ü \0-\x1f ^ 😀 𐐀-𐐧 [ . & ß ſ i \141 \101-\103`,
)
const flags = words('i s a i-s -i m u -m x -x im is-m ia')
const quantifiers = words('* + ? * + ? * + ? {2} {1,} {,2} {1,3} {0} {,} { {a}')
/** Behind single characters alone: two of them nested would take ages. */
const largeCounts = words('{3,17} {20} {0,18} {17,}')
const places = words(String.raw`^ $ \b \B \A \Z $ ^ \b`)

/** One expression. Most of them compile. */
export function chanceExpression(dice: Dice): string {
  return new ExpressionWriter(dice).write()
}

class ExpressionWriter {
  readonly #dice: Dice
  #groups = 0
  readonly #open: number[] = []
  readonly #names = new Map<number, string>()

  constructor(dice: Dice) {
    this.#dice = dice
  }

  write(): string {
    const start = this.#dice(6) === 0 ? `(?${this.#pick(['i', 's', 'm', 'a', 'x', 'im', 'si', 'u', 'ai', 't'])})` : ''
    return start + this.#alternatives(3)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#dice(from.length)] as T
  }

  #alternatives(depth: number): string {
    const branches = this.#dice(3) === 0 ? 2 + this.#dice(2) : 1
    return Array.from({ length: branches }, () => this.#sequence(depth)).join('|')
  }

  #sequence(depth: number): string {
    const length = this.#pick([0, 1, 1, 2, 2, 3, 4])
    return Array.from({ length }, () => this.#quantified(depth)).join('')
  }

  #quantified(depth: number): string {
    if (this.#dice(9) === 0) return this.#pick(places) + (this.#dice(60) === 0 ? '*' : '')
    const atom = this.#atom(depth)
    if (this.#dice(3) > 0) return atom
    const single = atom.length === 1 || /^\\.$|^\[.+\]$/.test(atom)
    return (
      atom +
      this.#pick(single && this.#dice(6) === 0 ? largeCounts : quantifiers) +
      this.#pick(['', '', '', '?', '?', '+'])
    )
  }

  #atom(depth: number): string {
    const kind = this.#dice(depth > 0 ? 24 : 12)
    if (kind < 6) return this.#pick(plain)
    if (kind === 6) return this.#pick(odd)
    if (kind < 9) return this.#pick(escapes)
    if (kind === 9) return '.'
    if (kind < 12) return this.#dice(150) === 0 ? this.#pick(wrong) : this.#class()
    if (kind < 15) return this.#group(depth)
    if (kind === 15) return `(?:${this.#alternatives(depth - 1)})`
    if (kind === 16) return `(?>${this.#alternatives(depth - 1)})`
    if (kind === 17) return `(?${this.#pick(['=', '!'])}${this.#alternatives(depth - 1)})`
    if (kind === 18) return `(?<${this.#pick(['=', '!'])}${this.#narrow(depth)})`
    if (kind === 19) return `(?${this.#pick(flags)}:${this.#alternatives(depth - 1)})`
    if (kind < 22) return this.#reference()
    if (kind === 22) return this.#condition(depth)
    return this.#dice(3) === 0 ? '(?#a\\)b)' : this.#group(depth)
  }

  #class(): string {
    const length = 1 + this.#dice(3)
    const inside = Array.from({ length }, () => this.#pick(members)).join('')
    return `[${this.#pick(['', '', '^'])}${this.#pick(['', '', '', ']', '-'])}${inside}${this.#pick(['', '', '-'])}]`
  }

  #group(depth: number): string {
    const number = ++this.#groups
    const name = this.#dice(2) === 0 ? this.#pick(['n', 'é', '_', 'user']) + number : null
    if (name !== null) this.#names.set(number, name)
    this.#open.push(number)
    const inside = this.#alternatives(depth - 1)
    this.#open.splice(this.#open.indexOf(number), 1)
    return name === null ? `(${inside})` : `(?P<${name}>${inside})`
  }

  /** Mostly of one width, as a look-behind must be. */
  #narrow(depth: number): string {
    return this.#pick([
      () => 'a',
      () => '[ab]1',
      () => '\\w',
      () => 'a|b',
      () => '^',
      () => '(?:a|(?=1)b)',
      () => `(${++this.#groups > 0 ? 'a' : ''}|b)`,
      () => this.#reference(),
      () => this.#alternatives(depth - 1),
    ])()
  }

  /** Mostly to a group that is closed here. */
  #anyGroup(): number {
    if (this.#dice(25) === 0) return this.#groups + 1
    const closed = Array.from({ length: this.#groups }, (_, index) => index + 1).filter(
      (number) => !this.#open.includes(number) || this.#dice(25) === 0,
    )
    return closed.length === 0 ? 0 : this.#pick(closed)
  }

  #reference(): string {
    const number = this.#anyGroup()
    if (number === 0) return 'a'
    const name = this.#names.get(number)
    return name !== undefined && this.#dice(2) === 0 ? `(?P=${name})` : `\\${number}`
  }

  #condition(depth: number): string {
    const number = this.#anyGroup()
    const open = this.#open.length > 0 && this.#dice(3) === 0 ? this.#pick(this.#open) : number
    const name = this.#names.get(open)
    const yes = this.#sequence(depth - 1)
    const no = this.#dice(2) === 0 ? `|${this.#sequence(depth - 1)}` : ''
    return `(?(${name !== undefined && this.#dice(2) === 0 ? name : open || 1})${yes}${no})`
  }
}

const bends = ['', '', ...words('( ) [ | * ? { } + 1 (? : < P - , # ^'), ']', '\\']

/** The same expression with a few characters left out, doubled or put in: many of these Python refuses. */
export function bentExpression(expression: string, dice: Dice): string {
  let bent = expression
  for (let times = 1 + dice(2); times > 0; times--) {
    const at = dice(bent.length + 1)
    const put = bends[dice(bends.length)] ?? ''
    bent = bent.slice(0, at) + put + bent.slice(at + (put === '' || dice(2) === 0 ? 1 : 0))
  }
  return bent
}

const letters = [...words('a b a b A B c 1 2 . - _ ] { " < s k /'), ' ', '\n', '\t']

/** A text that the expressions often match: short, of their characters. */
export function chanceText(dice: Dice): string {
  const length = dice(10)
  const alphabet = dice(3) === 0 ? [...letters, ...odd, 'é', 'É', 'S', 'K', 'I', 'ü', 'ẞ'] : letters
  const text = Array.from({ length }, () => alphabet[dice(alphabet.length)] ?? '').join('')
  return dice(4) === 0 ? `${text}\n` : text
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
