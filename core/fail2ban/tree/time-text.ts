import { BailiffError } from '../../errors.ts'

/** Seconds of a time as Fail2ban's configuration writes it: `600`, `10m`, `1d 12h`, `60*60`. Throws a BailiffError. */
export function timeText(text: string): number {
  throw new BailiffError('software', `${text} is not read yet`)
}
