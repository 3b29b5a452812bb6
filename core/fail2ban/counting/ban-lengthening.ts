/** The options `bantime.*` of a jail that lengthen later bans, as they are written. */
export interface BantimeExtra {
  readonly increment: boolean
  /** Python expressions; null: the default. */
  readonly factor: string | null
  readonly formula: string | null
  /** Numbers separated by blanks. */
  readonly multipliers: string | null
  readonly maxtimeSeconds: number | null
  readonly rndtimeSeconds: number | null
}

/** Seconds of a ban by the base in seconds and the number of bans before. May throw, as the expression does in Python. */
export type BanLengthening = (seconds: number, count: number) => number

/**
 * What `bantime.formula`, `.factor`, `.multipliers`, `.maxtime` and `.rndtime` say together; null where `increment` is
 * off. Throws a BailiffError for an expression that cannot be read, which names the option and the position.
 */
export function banLengthening(_extra: BantimeExtra, _random: () => number = Math.random): BanLengthening | null {
  return null
}
