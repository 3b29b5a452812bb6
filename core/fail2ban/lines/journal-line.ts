/** The fields of an entry of the journal that make up its line. Empty where it has none. Times are microseconds, as digits. */
export interface JournalFields {
  readonly _HOSTNAME?: string
  readonly SYSLOG_IDENTIFIER?: string
  readonly _COMM?: string
  readonly SYSLOG_PID?: string
  readonly _PID?: string
  readonly _SOURCE_MONOTONIC_TIMESTAMP?: string
  readonly __MONOTONIC_TIMESTAMP?: string
  readonly _SOURCE_REALTIME_TIMESTAMP?: string
  readonly __REALTIME_TIMESTAMP?: string
  readonly MESSAGE?: string
}

/** An entry of the journal as filters see it. */
export interface JournalLine {
  /** `HOST IDENTIFIER[PID]: MESSAGE`; behind `kernel:` stands the time since the start of the machine. */
  readonly text: string
  /** Unix seconds. */
  readonly time: number
  /** As the line would begin. */
  readonly dateText: string
}

/** The line that Fail2ban makes of an entry. */
export function journalLine(entry: JournalFields, zone: (seconds: number) => string = localText): JournalLine {
  const identifier = entry.SYSLOG_IDENTIFIER || entry._COMM
  const pid = entry.SYSLOG_PID || entry._PID
  const program = identifier ? `${identifier}${pid ? `[${numberText(pid)}]` : ''}:` : ''
  const started = entry._SOURCE_MONOTONIC_TIMESTAMP || entry.__MONOTONIC_TIMESTAMP || '0'
  const kernelTime = program === 'kernel:' ? `[${(Number(started) / 1e6).toFixed(6).padStart(12)}]` : ''
  const words = [entry._HOSTNAME ?? '', program, kernelTime].filter((word) => word !== '')
  const time = Number(entry._SOURCE_REALTIME_TIMESTAMP || entry.__REALTIME_TIMESTAMP || '0') / 1e6
  return {
    text: [...words, entry.MESSAGE ?? ''].join(' ').replaceAll('\n', '\\n'),
    time,
    dateText: `${zone(time)} `,
  }
}

/** Without leading zeros, where it is a number. */
function numberText(pid: string): string {
  return /^\d+$/.test(pid) ? String(BigInt(pid)) : pid
}

/** `2026-11-22T13:41:02.500000` in the zone of this host. */
function localText(seconds: number): string {
  const date = new Date(seconds * 1000)
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
  const micros = Math.round((seconds - Math.floor(seconds)) * 1e6)
  return micros === 0 ? local : `${local}.${String(micros).padStart(6, '0')}`
}
