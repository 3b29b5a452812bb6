import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { DateForms } from '../../../core/fail2ban/dates/date-forms.ts'
import { treeTimes } from '../../../core/fail2ban/lines/line-times.ts'
import { beginOfWindow } from '../../../core/intake/window-search.ts'
import { datesIn, nativeTimes, type LineTime } from '../../../core/matching/line-times.ts'
import { suite } from '../../suite.ts'

const test = suite('window-search')
const folder = mkdtempSync(join(tmpdir(), 'bailiff-window-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const now = Date.UTC(2026, 10, 23, 12, 0, 0)
const forms = new DateForms()
const tree = { datepattern: null, timezone: 'UTC+0000', encoding: 'auto' }

/** How dates are read, in both dialects; whole seconds are enough. */
const readings: Readonly<Record<string, () => LineTime>> = {
  native: () => nativeTimes({ patterns: null, timezone: '+00:00' }, now),
  fail2ban: () => treeTimes(tree, now, forms),
}

const month = (time: number) => new Date(time).toUTCString().slice(8, 11)
const two = (number: number) => String(number).padStart(2, '0')
const clock = (time: number) => new Date(time).toISOString().slice(11, 19)
const styles: Readonly<Record<string, (time: number) => string>> = {
  iso: (time) => `${new Date(time).toISOString().slice(0, 19)}+00:00 host sshd[7]: text`,
  syslog: (time) =>
    `${month(time)} ${String(new Date(time).getUTCDate()).padStart(2)} ${clock(time)} host sshd[7]: text`,
  access: (time) =>
    `192.0.2.7 - - [${two(new Date(time).getUTCDate())}/${month(time)}/${new Date(time).getUTCFullYear()}:${clock(time)} +0000] "GET / HTTP/1.1" 404 1`,
}

interface Line {
  readonly text: string
  /** Null: it has none. */
  readonly time: number | null
}

interface Found {
  readonly offset: number
  readonly looked: number
  /** Offset of the first line that is in the window. */
  readonly first: number
}

async function search(lines: readonly Line[], since: number, reading: LineTime): Promise<Found> {
  const path = join(folder, 'some.log')
  writeFileSync(path, lines.map(({ text }) => `${text}\n`).join(''))
  let size = 0
  let first = Infinity
  const begins = new Set([0])
  for (const { text, time } of lines) {
    begins.add(size)
    if (time !== null && time >= since) first = Math.min(first, size)
    size += Buffer.byteLength(text) + 1
  }
  const fd = openSync(path, 'r')
  let looked = 0
  try {
    const offset = await beginOfWindow(size, since, async (start, end) => {
      looked += end - start
      return datesIn({ fd, start, end }, [reading])
    })
    assert.ok(begins.has(offset), `${offset} is inside of a line`)
    return { offset, looked, first }
  } finally {
    closeSync(fd)
  }
}

/** A log of so many lines that ends now, with this long between two. */
function ascending(count: number, stepMs: number, style = 'iso', filler = 60): Line[] {
  return Array.from({ length: count }, (_, index) => {
    const time = Math.floor((now - (count - 1 - index) * stepMs) / 1000) * 1000
    return { text: `${styles[style]?.(time)} ${'x'.repeat(filler)}`, time }
  })
}

for (const [dialect, reading] of Object.entries(readings)) {
  for (const style of Object.keys(styles))
    test(`${dialect}: a log with dates like ${style} is read from a little before the window on`, async () => {
      const { offset, looked, first } = await search(ascending(20_000, 20_000, style), now - 10 * minuteMs, reading())
      assert.ok(offset > 0 && offset <= first)
      // 70 minutes are 210 lines.
      assert.ok(first - offset < 128 * 1024 + 210 * 180, `${first - offset} bytes too early`)
      assert.ok(looked < 700 * 1024, `${looked} bytes looked at`)
    })

  test(`${dialect}: what is all young, small, without dates, or one line, is read from its beginning`, async () => {
    const undated = Array.from({ length: 10_000 }, () => ({ text: 'x'.repeat(60), time: null }))
    const old = ascending(1000, 60_000).map(({ text }) => ({ text: `${text}`, time: null }))
    const cases: Line[][] = [
      ascending(10_000, 10),
      ascending(1000, minuteMs),
      undated,
      [{ text: 'x'.repeat(500_000), time: null }],
      [...undated, ...ascending(1000, 1000)],
      old,
    ]
    for (const lines of cases) assert.is((await search(lines, now - 10 * minuteMs, reading())).offset, 0)
  })

  test(`${dialect}: an endless line, a stretch without dates and a gap are survived`, async () => {
    const many = ascending(8000, 20_000)
    const endless = { text: 'x'.repeat(3_000_000), time: null }
    const undated = Array.from({ length: 30_000 }, () => ({ text: '  at some.where(There.java:1)', time: null }))
    const older = many.map(({ time }) => ({
      text: styles.iso?.((time ?? 0) - 200 * dayMs) ?? '',
      time: (time ?? 0) - 200 * dayMs,
    }))
    for (const lines of [
      [...many.slice(0, 4000), endless, ...many.slice(4000)],
      [...many.slice(0, 4000), ...undated, ...many.slice(4000)],
      [...many.slice(0, 7990), endless, ...many.slice(7990)],
      [...older, ...many],
      [...older, ...many.slice(-100)],
    ]) {
      const { offset, first, looked } = await search(lines, now - 10 * minuteMs, reading())
      assert.ok(offset <= first && looked < 3_000_000)
      assert.ok(offset > 0)
    }
  })

  test(`${dialect}: where the clock had been ahead for a while, what it wrote is read as well`, async () => {
    // The search by halves looks at 0.5, 0.75 and 0.875 of it, where all is old.
    const all = ascending(40_000, 20_000)
    const lines = all.map(({ time }, index) => {
      const isAhead = index >= 30_200 && index < 34_800
      const shown = index === all.length - 1 ? now : (time ?? 0) - 5 * dayMs + (isAhead ? 7 * dayMs : 0)
      return { text: `${styles.iso?.(shown)} ${'x'.repeat(60)}`, time: shown }
    })
    const { offset, first, looked } = await search(lines, now - 10 * minuteMs, reading())
    assert.ok(offset <= first && offset > 0)
    assert.ok(looked < 1_500_000)
  })

  test(`${dialect}: many lines that come an hour late hide none before them`, async () => {
    const late = Array.from({ length: 4000 }, () => ({ text: styles.iso?.(now - hourMs) ?? '', time: now - hourMs }))
    const young = [{ text: styles.iso?.(now) ?? '', time: now }]
    const lines = [...ascending(20_000, 20_000).slice(0, -300), ...young, ...late]
    const { offset, first } = await search(lines, now - 10 * minuteMs, reading())
    assert.ok(offset <= first && offset > 0)
  })

  test(`${dialect}: never is a line of the window lost, whatever stands between and as long as order is kept but for an hour`, async () => {
    const piece = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('lines'),
          count: fc.integer({ min: 1, max: 900 }),
          amount: fc.integer({ min: 0, max: 100_000 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('undated'),
          count: fc.integer({ min: 1, max: 3000 }),
          amount: fc.constant(0),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('endless'),
          count: fc.integer({ min: 1, max: 400_000 }),
          amount: fc.constant(0),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('gap'),
          count: fc.constant(0),
          amount: fc.integer({ min: 0, max: 30 * dayMs }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('ancient'),
          count: fc.integer({ min: 1, max: 50 }),
          amount: fc.constant(0),
        }),
      },
    )
    const log = fc.record({
      pieces: fc.array(piece, { minLength: 1, maxLength: 14 }),
      style: fc.array(fc.constantFrom(...Object.keys(styles)), { minLength: 1, maxLength: 3 }),
      late: fc.integer({ min: 0, max: 60 * minuteMs }),
      jumps: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
      stretch: fc.integer({ min: 1, max: 400 }),
      window: fc.integer({ min: 1, max: 3 * dayMs }),
      filler: fc.integer({ min: 0, max: 300 }),
      untilEnd: fc.integer({ min: 0, max: 2 * dayMs }),
    })
    const property = fc.asyncProperty(
      log,
      async ({ pieces, style, late, jumps, stretch, window, filler, untilEnd }) => {
        const steps = pieces.map(({ kind, count, amount }) =>
          kind === 'lines' ? count * amount : kind === 'gap' ? amount : 0,
        )
        const span = steps.reduce((sum, step) => sum + step, 0)
        // Dates without a year tell nothing of more than one.
        if (span > 300 * dayMs) return
        let time = now - untilEnd - span - late
        let number = 0
        const lines: Line[] = []
        const dated = (at: number) => {
          const whole = Math.floor(at / 1000) * 1000
          lines.push({
            text: `${styles[style[number % style.length] ?? 'iso']?.(whole)} ${'y'.repeat(filler)}`,
            time: whole,
          })
        }
        for (const { kind, count, amount } of pieces) {
          if (kind === 'gap') time += amount
          if (kind === 'endless') lines.push({ text: 'z'.repeat(count), time: null })
          for (let index = 0; index < count && kind !== 'endless'; index++) {
            number++
            if (kind === 'undated') lines.push({ text: `  ${'u'.repeat(filler)}`, time: null })
            else if (kind === 'ancient')
              lines.push({ text: `2001-01-01T00:00:00+00:00 ${'a'.repeat(filler)}`, time: 0 })
            else {
              time += amount
              dated(time + late * (jumps[Math.floor(number / stretch) % jumps.length] ?? 0))
            }
          }
        }
        const { offset, first } = await search(lines, now - window, reading())
        assert.ok(offset <= first, `begins at ${offset}, and the window at ${first}`)
      },
    )
    await fc.assert(property, { numRuns: Number(process.env.RUNS ?? 25) })
  })
}

test.run()
