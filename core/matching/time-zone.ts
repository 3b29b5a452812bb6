/** Local times of a place on earth as times: the host's zone, a named one, or a fixed offset. */
import { BailiffError, quote } from '../errors.ts'

/** Where clocks go alike. */
export interface TimeZone {
  /** Minutes east of UTC at a time (unix milliseconds). */
  offset(time: number): number
}

/** The zone of this host, whatever it is set to at that moment. */
export const hostZone: TimeZone = { offset: (time) => -new Date(time).getTimezoneOffset() }

/** A zone whose clocks are never turned. */
export function fixedZone(minutes: number): TimeZone {
  return { offset: () => minutes }
}

/** The zone of a name of the IANA's, `Europe/Berlin`, or of `+hh:mm`. Throws a BailiffError for anything else. */
export function timeZone(name: string): TimeZone {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(name) ?? []
  if (sign !== undefined) return fixedZone((Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1))
  try {
    return new NamedZone(name)
  } catch (cause) {
    throw new BailiffError('config', `${quote(name)} is no time zone that this runtime knows`, { cause })
  }
}

/**
 * The time at which clocks of the zone show this (given as if it were UTC). What they show twice, when
 * they are turned back, is the later of both unless that is to come after `reference`; what they leave
 * out is read as if they had not been turned yet.
 */
export function localTime(zone: TimeZone, shown: number, reference: number): number {
  const before = zone.offset(shown - day)
  const after = zone.offset(shown + day)
  const first = shown - before * minute
  if (before === after) return first
  const second = shown - after * minute
  if (zone.offset(second) !== after) return first
  if (zone.offset(first) !== before) return second
  const later = Math.max(first, second)
  return later <= reference + minute ? later : Math.min(first, second)
}

const minute = 60_000
const day = 86_400_000
/** Zones are turned at quarters of an hour. */
const block = 15 * minute
const maxBlocks = 1000

/** A zone of the IANA's list. The runtime takes microseconds to tell an offset, so they are kept. */
class NamedZone implements TimeZone {
  readonly #format: Intl.DateTimeFormat
  readonly #known = new Map<number, number>()

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  }

  offset(time: number): number {
    const key = Math.floor(time / block)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= maxBlocks) this.#known.clear()
    const offset = this.#ask(key * block)
    this.#known.set(key, offset)
    return offset
  }

  #ask(time: number): number {
    if (Math.abs(time) > 8.64e15) return 0
    const name = this.#format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours = 0, minutes = 0] = /([+-])(\d\d):?(\d\d)?/.exec(name) ?? []
    const offset = Number(hours) * 60 + Number(minutes)
    return sign === '-' ? -offset : offset
  }
}
