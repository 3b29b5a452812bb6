/** Time zones as logs spell them: `Z`, `+01:00`, `UTC`, `CEST`, `Europe/Berlin`. */
import { fixedZone, hostZone, localTime, timeZone, type TimeZone } from './time-zone.ts'
import { closing, colon, isUpper, offsetEnd, offsetMinutes, opening } from './timestamp-text.ts'

/** Stands for no zone: the time is that of the jail's zone. Other zones are numbers, below it minutes east of UTC. */
export const localZone = 100_000

/**
 * What abbreviations mean, in minutes east of UTC, by the IANA's data. Where several zones have one, the
 * zone of the jail decides which is meant; where that has none of them, the first, if RFC 5322 (section
 * 4.3) says so, and else the time is local.
 */
const abbreviations: readonly (readonly [name: string, ...minutes: number[]])[] = [
  ['UTC', 0],
  ['GMT', 0],
  ['WET', 0],
  ['WEST', 60],
  ['CET', 60],
  ['CEST', 120],
  ['EET', 120],
  ['EEST', 180],
  ['MSK', 180],
  ['BST', 60, 360],
  ['IST', 330, 120, 60],
  ['IDT', 180],
  ['PKT', 300],
  ['WIB', 420],
  ['WITA', 480],
  ['WIT', 540],
  ['HKT', 480],
  ['JST', 540],
  ['KST', 540],
  ['AWST', 480],
  ['ACST', 570],
  ['ACDT', 630],
  ['AEST', 600],
  ['AEDT', 660],
  ['NZST', 720],
  ['NZDT', 780],
  ['SAST', 120],
  ['CAT', 120],
  ['WAT', 60],
  ['NST', -210],
  ['NDT', -150],
  ['AST', -240, 180],
  ['ADT', -180],
  ['EST', -300, 600],
  ['EDT', -240],
  ['CST', -360, 480, -300],
  ['CDT', -300, -240],
  ['MST', -420, 480],
  ['MDT', -360],
  ['PST', -480, 480],
  ['PDT', -420],
  ['AKST', -540],
  ['AKDT', -480],
  ['HST', -600],
]
const twoHours = 7_200_000
const american = /^[ECMP][SD]T$/
const places = new Map(abbreviations.map(([name], index) => [name, index]))
const firstAbbreviation = 200_000
const firstPlace = 300_000
const maxPlaces = 100

/** Reads zones of one log's dates and turns what clocks showed into times. One a thread and jail's zone. */
export class ZoneReader {
  /** The zone that was read last. */
  zone = localZone
  readonly #local: TimeZone
  /** Zones that lines name: `Europe/Berlin`. Null: there is no such zone. */
  readonly #places: { readonly name: string; readonly zone: TimeZone | null }[] = []

  /** `name`: the zone of times without one; null: the host's. */
  constructor(name: string | null = null) {
    this.#local = name === null ? hostZone : timeZone(name)
  }

  /** Whether no clock was turned two hours before the time and after it: the longest step of one is that long. */
  isSteady(time: number): boolean {
    return this.#local.offset(time - twoHours) === this.#local.offset(time + twoHours)
  }

  /** Reads a numeric zone right at this place into `zone`. Returns where it ends, -1 where it is broken. */
  readOffset(text: string, at: number, end: number): number {
    const behind = offsetEnd(text, at, end)
    this.zone = behind > at ? offsetMinutes(text, at, behind) : localZone
    return behind
  }

  /**
   * Reads a zone that stands behind a blank, if there is one. A word that a peer may have chosen must not
   * move the time: a name other than UTC and GMT, and a bare `+01`, only count where a bracket, a colon or
   * the end stands behind them, as behind the zone of a log's own date.
   */
  readSpaced(text: string, at: number, end: number): number {
    this.zone = localZone
    if (at >= end) return at
    if (!isUpper(text.charCodeAt(at))) {
      const behind = offsetEnd(text, at, end)
      if (behind < 0 || behind === at || (behind - at < 5 && !this.#closes(text, behind, end))) return at
      this.zone = offsetMinutes(text, at, behind)
      return behind
    }
    const name = zoneName.exec(text.slice(at, Math.min(end, at + 40)))?.[0] ?? ''
    const behind = at + name.length
    const known = this.#named(name)
    if (
      known === localZone ||
      (known !== firstAbbreviation && known !== firstAbbreviation + 1 && !this.#closes(text, behind, end))
    )
      return at
    this.zone = known
    return behind
  }

  /** Reads the abbreviation that stands here. Returns where it ends; the same place where there is none. */
  readName(text: string, at: number, end: number): number {
    const name = /^[A-Z]{3,4}/.exec(text.slice(at, Math.min(end, at + 5)))?.[0] ?? ''
    const place = places.get(name)
    if (place === undefined) return at
    this.zone = firstAbbreviation + place
    return at + name.length
  }

  /**
   * Reads the word that stands here, which is a zone, with a word behind it; an unknown name is read as local
   * time. Returns where it ends; the same place where it looks like no zone.
   */
  readSure(text: string, at: number, end: number): number {
    const word = /^(?:[A-Z]{2,5}|[+-]\d\d(?:\d\d)?)(?= )/.exec(text.slice(at, Math.min(end, at + 6)))?.[0]
    if (word === undefined) return at
    const place = places.get(word)
    if (place !== undefined) this.zone = firstAbbreviation + place
    else this.zone = isUpper(text.charCodeAt(at)) ? localZone : offsetMinutes(text, at, at + word.length)
    return at + word.length
  }

  /** The time at which clocks in `zone` show this, given as if it were UTC. */
  timeOf(shown: number, zone: number, reference: number): number {
    if (zone < localZone) return shown - zone * 60_000
    if (zone === localZone) return localTime(this.#local, shown, reference)
    if (zone >= firstPlace) return localTime(this.#places[zone - firstPlace]?.zone ?? this.#local, shown, reference)
    const [name = '', ...minutes] = abbreviations[zone - firstAbbreviation] ?? []
    const local = localTime(this.#local, shown, reference)
    const fits = (offset: number) => this.#local.offset(shown - offset * 60_000) === offset
    const meant = minutes.find(fits) ?? (minutes.length === 1 || american.test(name) ? minutes[0] : undefined)
    return meant === undefined ? local : localTime(fixedZone(meant), shown, reference)
  }

  /** What clocks of the jail's zone show at a time, as if it were UTC. */
  shownAt(time: number): Date {
    return new Date(time + this.#local.offset(time) * 60_000)
  }

  /** The number of a zone that a pattern found: an offset, an abbreviation, or both; that of no zone for an unknown one. */
  numberOf(text: string): number {
    const [, name = '', offset = ''] = /^([A-Z]*)([+-].*)?$/.exec(text) ?? []
    const [first, ...more] = name === 'Z' || name === '' ? [0] : (abbreviations[places.get(name) ?? -1]?.slice(1) ?? [])
    if (typeof first !== 'number') return localZone
    if (offset === '') return more.length === 0 ? first : firstAbbreviation + (places.get(name) ?? 0)
    return first + offsetMinutes(offset, 0, offset.length)
  }

  #named(name: string): number {
    const place = places.get(name)
    if (place !== undefined) return firstAbbreviation + place
    if (!name.includes('/')) return localZone
    let index = this.#places.findIndex((one) => one.name === name)
    if (index < 0) {
      if (this.#places.length >= maxPlaces) return localZone
      index = this.#places.push({ name, zone: zoneOrNull(name) }) - 1
    }
    return this.#places[index]?.zone ? firstPlace + index : localZone
  }

  #closes(text: string, at: number, end: number): boolean {
    const code = text.charCodeAt(at)
    return at >= end || code === closing || code === colon || (code === 0x20 && text.charCodeAt(at + 1) === opening)
  }
}

const zoneName = /^[A-Z](?:[A-Z]{2,4}(?![A-Za-z])|[A-Za-z_]{2,14}(?:\/[A-Za-z_+-]{2,20}){1,2})/

function zoneOrNull(name: string): TimeZone | null {
  try {
    return timeZone(name)
  } catch {
    return null
  }
}
