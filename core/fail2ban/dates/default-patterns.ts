/**
 * The forms of dates that Fail2ban knows by itself, in its order. `fail2ban-regex` prints them as "Date template
 * hits", so they are spelled exactly as there.
 */

const clock = '%H:%M:%S'
/** A clock whose hour may have a blank for its first digit. */
const paddedClock = '%k:%M:%S'
const fraction = '(?:\\.%f)?'
const isoFraction = '(?:[.,]%f)?(?:\\s*%z)?'
const separator = (characters: string) => `(?P<_sep>${characters})`
const again = '(?P=_sep)'
/** `Nov 22 13:41:02`, as syslog writes it, and all of asctime(3). */
export const asctimePattern = `(?:%a )?%b %d ${paddedClock}${fraction}(?: %ExY)?`

/** `2026-11-22T13:41:02.981+01:00`, `2026/11/22 13:41:02`, `2026.11.22  3:41:02`. */
export const isoPattern = `%ExY${separator('[-/.]')}%m${again}%d(?:T|  ?)${clock}${isoFraction}`

/** As a datepattern says them. */
export const defaultPatterns: readonly string[] = [
  isoPattern,
  // Sun Nov 22 13:41:02.981 2026
  asctimePattern,
  // Sun Nov 22 2026 13:41:02.981
  `(?:%a )?%b %d %ExY ${paddedClock}${fraction}`,
  // 22/11/2026 13:41:02, 22-11-26 13:41:02
  `%d${separator('[-/]')}%m${again}(?:%ExY|%Exy) ${paddedClock}`,
  // 22/Nov/2026:13:41:02 +0100
  `%d${separator('[-/]')}%b${again}%ExY[ :]?${clock}${fraction}(?: %z)?`,
  // 11/22/2026:13:41:02
  `%m/%d/%ExY:${clock}`,
  // 11-22-2026 13:41:02.981
  `%m-%d-%ExY ${paddedClock}${fraction}`,
  // Seconds since 1970
  'EPOCH',
  `{^LN-BEG}${clock}`,
  // <11/22/26@13:41:02>
  `^<%m/%d/%Exy@${clock}>`,
  // 261122 13:41:02
  `%Exy%Exm%Exd  ?${clock}`,
  // Nov 22, 2026 01:41:02 PM
  '%b %d, %ExY %I:%M:%S %p',
  // Nov-22-26 13:41:02
  `^%b-%d-%Exy ${paddedClock}`,
  // 20261122T134102.981+0100
  `%ExY%Exm%Exd(?:T|  ?)%ExH%ExM%ExS${isoFraction}`,
  // CET Sun Nov 22 13:41:02
  `(?:%Z )?${asctimePattern}`,
  // +01:00 Sun Nov 22 13:41:02
  `(?:%z )?${asctimePattern}`,
  'TAI64N',
]
