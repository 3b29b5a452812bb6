/** A log of what happens in the form of Fail2ban's own. */
export interface OwnLogSettings {
  readonly path: string
  /** Lines of a lower level are not written: `INFO` has every failure, `NOTICE` only bans. */
  readonly level: 'CRITICAL' | 'ERROR' | 'WARNING' | 'NOTICE' | 'INFO'
  /** A line in the tokens of Python's logging, as the `logtarget` of Fail2ban may name it; null: the usual form. */
  readonly format: string | null
}
