/**
 * Finds dates in lines as a running Fail2ban does: it tries the template that won last, then all in an order that
 * its hits change, and remembers where the last date stood.
 */
import { BailiffError, quote } from '../../errors.ts'
import { chosenTemplates } from './chosen-templates.ts'
import type { DateMatch, DateText } from './date-expression.ts'
import type { DateForm } from './date-form.ts'
import { DateForms } from './date-forms.ts'
import { LineFails } from './line-fails.ts'
import { columnOf, LastDate, type LastDateMemory } from './last-date.ts'
import { LocalTime } from './local-time.ts'
import type { DateTemplate } from './template-shelf.ts'
import { UsedTemplates, type UsedTemplate, type UsedTemplatesMemory } from './used-templates.ts'
import type { TimeFrame } from './written-time.ts'
import { UsualDates, type UsualDay } from './usual-dates.ts'
import { zoneMinutes } from './zone-offsets.ts'

/** Plain data, so that it can go to a thread. */
export interface DateDetectorOptions {
  /** The lines of `datepattern`; null: the default list. */
  readonly patterns: readonly string[] | null
  /** `logtimezone`: of dates without a zone; null: they are local. */
  readonly timezone: string | null
  /** The host's zone as the variable TZ says it; left out: that of this process. */
  readonly hostZone?: string
}

/** A date in a line. */
export interface FoundDate {
  /** Unix seconds, with a fraction where seconds since 1970 had one; null: what was found tells no time. */
  readonly time: number | null
  /** Fail2ban stops at this line with an error, and nothing in it counts. */
  readonly fails: boolean
  /** What is cut out of the line, in UTF-16 units; empty (as of `{NONE}`): the line has no date of its own. */
  readonly start: number
  readonly end: number
  /** The place in `templates`, as it is after this line. */
  readonly template: number
}

/** What a detector remembers of the lines before. Plain data. */
export interface DateMemory {
  readonly used: UsedTemplatesMemory
  readonly last: LastDateMemory
  readonly lastPlace: number
  /** Seconds east of UTC of the last local date. */
  readonly offset: number
}

/** One jail's dates, with all that it remembers of the lines before. */
export class DateDetector {
  readonly #used: UsedTemplates
  readonly #frame: TimeFrame
  readonly #last = new LastDate()
  readonly #usual: UsualDates
  /** The place of the last winner; -1: there is none yet. */
  #lastPlace = -1
  #computed: ComputedTime | null = null

  /**
   * `forms`: those that all detectors of a thread share; left out, it has its own. Throws a PatternError for a
   * pattern, a BailiffError for a zone.
   */
  constructor({ patterns, timezone, hostZone }: DateDetectorOptions, forms = new DateForms()) {
    this.#used = new UsedTemplates(chosenTemplates(patterns ?? [], forms))
    this.#frame = { local: new LocalTime(hostZone ?? process.env.TZ ?? null), zone: defaultZone(timezone) }
    this.#usual = new UsualDates(this.#frame)
  }

  /** The templates in the order in which they are tried. `hits`: how often each one won. */
  get templates(): readonly UsedTemplate[] {
    return this.#used.list
  }

  /** All that it remembers of the lines before, as plain data; set, a detector of the same options goes on from there. */
  get memory(): DateMemory {
    const { offset } = this.#frame.local
    return { used: this.#used.memory, last: this.#last.memory, lastPlace: this.#lastPlace, offset }
  }

  set memory({ used, last, lastPlace, offset }: DateMemory) {
    this.#used.memory = used
    this.#last.memory = last
    this.#lastPlace = lastPlace
    this.#frame.local.offset = offset
    this.#computed = null
    this.#usual.forget()
  }

  /**
   * Finds the date of a line; null: it has none. `now`: unix seconds. `isAscii`: whether the line holds ASCII alone.
   * `by-expressions`: columns are not read, which finds the same in more time.
   * Throws a BailiffError where a `datepattern` that V8 cannot run takes too many steps (`maxSteps` in ../regex/).
   */
  find(
    line: string,
    now: number,
    isAscii = !/[^\0-\x7f]/.test(line),
    reading: 'by-columns' | 'by-expressions' = 'by-columns',
  ): FoundDate | null {
    const usual = reading === 'by-columns' ? this.readUsual(line, 0, now) : 0
    if (usual > 0) return { time: this.#usual.time, fails: false, start: 0, end: usual, template: this.#lastPlace }
    // What follows may set the offset from which local times are found.
    this.#usual.forget()
    const text = { line, isAscii }
    const found = this.#choose(text)
    if (found === null) return null
    const { match, distance, template } = found
    const { cutStart: start, cutEnd: end } = match
    this.#used.count(found.place, now, distance)
    if (!this.#last.remember(text, match.start, match.end))
      return { time: null, fails: true, start, end, template: found.place }
    // They are not sorted any more then, but the usual ones come soon.
    const moves = found.place > 0 && found.place !== this.#lastPlace
    this.#lastPlace = moves ? this.#used.promote(found.place) : found.place
    const place = { start, end, template: this.#lastPlace }
    if (start === end) return { time: null, fails: false, ...place }
    try {
      return { time: this.#timeOf(template.form, match, now), fails: false, ...place }
    } catch (error) {
      if (error instanceof LineFails) return { time: null, fails: true, ...place }
      throw error
    }
  }

  /**
   * Reads the date of a line that begins at this place of the text, where the last winner stands at its start in the
   * spelling of nearly all: no expression is asked. The length of the date, which counts as found; 0: `find` is to be asked.
   */
  readUsual(text: string, at: number, now: number): number {
    const place = this.#lastPlace
    const form = this.#used.list[place]?.template.form
    if (form === undefined || form.usual === null || !form.isAnchored) return 0
    const length = this.#usual.read(form.usual, text, at, now)
    if (length === 0) return 0
    this.#used.count(place, now, 0)
    this.#last.rememberFirst(text, at, length)
    return length
  }

  /** The day of the date that `readUsual` read last; null: it read none since, or dates of that day need another look. */
  get usualDay(): UsualDay | null {
    const form = this.#used.list[this.#lastPlace]?.template.form
    return form?.usual && form.isAnchored ? this.#usual.dayOf(form.usual) : null
  }

  /** Notes dates of the day of `usualDay` that `readUsual` would have read, before one that it reads. */
  countUsual(dates: number, now: number): void {
    this.#used.count(this.#lastPlace, now, 0, dates)
  }

  /** What `readUsual` read last: unix seconds, and the text. */
  get usual(): { readonly time: number; readonly text: string } {
    return this.#usual
  }

  /** Lines of the same second have the same date, which need not be computed again. */
  #timeOf(form: DateForm, match: DateMatch, now: number): number | null {
    const { texts } = match.fields
    const known = this.#computed
    if (known !== null && known.form === form && known.now === now && isSame(known.texts, texts)) return known.time
    const time = form.time(match, now, this.#frame)
    this.#computed = { form, now, texts, time }
    return time
  }

  #choose(text: DateText): Candidate | null {
    const again = this.#tryLast(text)
    return again.isSure ? again.candidate : this.#tryAll(text, again.candidate, again.passOver)
  }

  /** Tries the last winner. `passOver`: its place, where it needs not be tried again. */
  #tryLast(text: DateText): { candidate: Candidate | null; isSure: boolean; passOver: number } {
    const { line } = text
    const place = this.#lastPlace
    const template = this.#used.list[place]?.template
    if (template === undefined) return { candidate: null, isSure: false, passOver: -1 }
    const { isAnchored } = template.form
    const columns = isAnchored ? null : this.#last.columnsIn(text)
    const match = template.form.search(text, columns?.from ?? 0, columns?.to ?? line.length)
    const passOver = columns === null ? place : -1
    if (match === null) return { candidate: null, isSure: false, passOver }
    const candidate = { match, place, template, distance: column(text, match.start) }
    const isSure =
      isAnchored ||
      this.#used.list.length === 1 ||
      (candidate.distance === this.#last.start && column(text, match.end) === this.#last.end)
    return { candidate, isSure, passOver }
  }

  /**
   * Tries all in their order. A date farther to the right than before may stand in the message, so it is held back
   * until all were tried; of those held back the first in the line wins.
   */
  #tryAll(text: DateText, first: Candidate | null, passOver: number): Candidate | null {
    const { line } = text
    const { list } = this.#used
    let held = first
    for (const [place, { template, distance: lastDistance }] of list.entries()) {
      if (place === passOver) continue
      const match = template.form.search(text, 0, line.length)
      if (match === null) continue
      const candidate = { match, place, template, distance: column(text, match.start) }
      if (template.form.isAnchored || place + 1 === list.length) return candidate
      if (candidate.distance <= lastDistance && candidate.distance <= this.#last.start) return candidate
      if (held === null || candidate.distance < held.distance) held = candidate
    }
    return held
  }
}

interface ComputedTime {
  readonly form: DateForm
  readonly now: number
  readonly texts: readonly (string | undefined)[]
  readonly time: number | null
}

function isSame(texts: ComputedTime['texts'], others: ComputedTime['texts']): boolean {
  for (let index = 0; index < texts.length; index++) if (texts[index] !== others[index]) return false
  return true
}

interface Candidate {
  readonly match: DateMatch
  readonly place: number
  readonly template: DateTemplate
  /** Where it begins, in characters. */
  readonly distance: number
}

function column({ line, isAscii }: DateText, unit: number): number {
  return isAscii ? unit : columnOf(line, unit)
}

function defaultZone(text: string | null): number | null {
  if (text === null) return null
  const minutes = knownZone(text)
  if (minutes === null)
    throw new BailiffError('config', `${quote(text)} is no zone with a fixed offset`, {
      hint: 'write UTC, UTC+0100, +01:00, or an abbreviation like CET',
    })
  return minutes
}

function knownZone(text: string): number | null {
  try {
    return zoneMinutes(text)
  } catch (error) {
    if (error instanceof LineFails) return null
    throw error
  }
}
