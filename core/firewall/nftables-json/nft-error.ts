/**
 * Why a run of nft failed:
 * `not-found` there is no nft program; `no-permission` it may not touch the firewall; `timeout` it was
 * killed at its deadline; `missing-object` a table, chain or set is not there; `missing-element` an
 * element to delete is not there (or an object that nft did not look up itself); `set-full` a set
 * holds as many elements as it may; `exists` something of the name is there and differs; `busy`
 * something in use was to be deleted; `too-large` the transaction or the output is; `unreadable` what it
 * printed is no JSON of its format (1.0.6 prints stray memory for a table with flags); `failed` all else.
 */
export type NftFailure =
  | 'not-found'
  | 'no-permission'
  | 'timeout'
  | 'missing-object'
  | 'missing-element'
  | 'set-full'
  | 'exists'
  | 'busy'
  | 'too-large'
  | 'unreadable'
  | 'failed'

/** A run of nft that changed nothing, except after `timeout`, when the kernel may have all of it or nothing. */
export class NftError extends Error {
  readonly failure: NftFailure

  constructor(failure: NftFailure, message: string) {
    super(message)
    this.name = 'NftError'
    this.failure = failure
  }
}

/** What nft (1.0.6 to 1.1) prints with LANG=C; the first that is found decides. Even with `-j` errors are plain text. */
const sayings: readonly (readonly [RegExp, NftFailure])[] = [
  [/operation not permitted|you must be root|permission denied/i, 'no-permission'],
  [/too many open files in system/i, 'set-full'],
  [/element does not exist/i, 'missing-element'],
  [/could not process rule: no such file or directory/i, 'missing-element'],
  [/no such file or directory/i, 'missing-object'],
  [/file exists|operation not supported/i, 'exists'],
  [/device or resource busy/i, 'busy'],
  [/message too long|no buffer space/i, 'too-large'],
]

/** The typed error for what nft wrote on its standard error. */
export function readNftError(printed: string): NftError {
  const message = printed.trim().replace(/\s+/g, ' ').slice(0, 500)
  const found = sayings.find(([saying]) => saying.test(message))
  return new NftError(found?.[1] ?? 'failed', message === '' ? 'nft failed and said nothing' : message)
}
