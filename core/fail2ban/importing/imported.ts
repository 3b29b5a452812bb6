/** What an import makes of a Fail2ban tree: maps as `bailiff.yaml` has them, and what could not be taken over. */

/** A map of the native configuration. */
export type NativeMap = { [option: string]: NativeValue }
export type NativeValue = string | number | boolean | readonly NativeValue[] | NativeMap

/** Something of the tree that the native configuration does not have, or has with another meaning. */
export interface Lost {
  /** The jail that it is of; null: of the whole. */
  readonly jail: string | null
  /** What it is, in Fail2ban's words: `action mail-whois`, `bantime.formula`. */
  readonly what: string
  /** Why, or what holds instead, and the next step where there is one. */
  readonly why: string
}

/** A filter that was written for the native configuration. */
export interface ImportedFilter {
  readonly name: string
  readonly map: NativeMap
}

/** A jail that was taken over. */
export interface ImportedJail {
  readonly name: string
  readonly map: NativeMap
  /** The filter of ours by name, or a new one; null: ours of the same name as the jail. */
  readonly filter: ImportedFilter | null
  readonly lost: readonly Lost[]
}

/** A filter of ours, as far as an import must know it. */
export interface OwnFilter {
  readonly modes: readonly string[]
  /** It counts bans and reads no lines. */
  readonly countsBans: boolean
  /** What it says of counting itself, which comes before the defaults. */
  readonly usual: boolean
}
