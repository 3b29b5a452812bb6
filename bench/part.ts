/** What `npm run bench` runs: parts, each of some cases, all of which give their results in one shape. */

/** One of the things that a case measures, with its figures by their units. */
export interface Figure {
  readonly subject: string
  /** One that begins with `times` is how it stands to the first subject. */
  readonly values: Readonly<Record<string, number>>
  /** It is not ours. */
  readonly isPeer?: true
}

/** How much a figure may be. */
export interface Limit {
  readonly subject: string
  readonly unit: string
  readonly most: number
}

/** What a case is, for who reads its figures. */
export interface CaseText {
  /** Unique in its part. */
  readonly name: string
  /** Why it is worth measuring. */
  readonly why: string
  /** What it is measured on. */
  readonly corpus: string
  /** What is checked before a figure is told. */
  readonly answer: string
  /** The unit that is drawn; figures without it are not. */
  readonly drawn: string
  readonly limits?: readonly Limit[]
}

export interface Case extends CaseText {
  /** What it needs and is not here; null: nothing. Unless given, it needs nothing. */
  readonly missing?: () => string | null
  /** Measures, so many rounds where the case has rounds, in a folder that is removed behind it. Throws where an answer is wrong. */
  readonly measure: (folder: string, rounds: number) => readonly Figure[] | Promise<readonly Figure[]>
}

export interface Part {
  /** As the command names it. */
  readonly name: string
  readonly about: string
  /** It takes long, and runs only when it is named. */
  readonly onlyNamed?: true
  readonly cases: readonly Case[]
}
