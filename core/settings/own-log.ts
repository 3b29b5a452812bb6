/** Where lines of Fail2ban's own log go. */
export type OwnLogTarget =
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'stdout' | 'stderr' }
  /** A syslog daemon; the facility is a number of syslog(3). */
  | { readonly type: 'syslog'; readonly socket: string; readonly facility: number }
  | { readonly type: 'journal' }

/** A log of what happens in the form of Fail2ban's own. */
export interface OwnLogSettings {
  readonly target: OwnLogTarget
  /** Lines of a lower level are not written: `INFO` has every failure, `NOTICE` only bans. */
  readonly level: 'CRITICAL' | 'ERROR' | 'WARNING' | 'NOTICE' | 'INFO'
  /** A line in the tokens of Python's logging, as the `logtarget` of Fail2ban may name it; null: the usual form. The journal has none. */
  readonly format: string | null
}

/** A log in a file, with every failure and in the usual form. */
export function fileLog(path: string): OwnLogSettings {
  return { target: { type: 'file', path }, level: 'INFO', format: null }
}
