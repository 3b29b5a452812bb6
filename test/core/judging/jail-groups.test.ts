/** Jails that count alike are counted once, and nobody can tell: a judge for each of them alone answers the same. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parseAddress, parsePrefix } from '../../../core/address.ts'
import { WantedSet } from '../../../core/enforcing/wanted-set.ts'
import type { Ban, CountedFailures, LogChunk } from '../../../core/events.ts'
import { RowCursor } from '../../../core/failure-rows.ts'
import { Judge, type JailRules } from '../../../core/judging/judge.ts'
import { compileFilter } from '../../../core/matching/filters.ts'
import { createRowScanner } from '../../../core/matching/scan.ts'
import { createSessions } from '../../../core/matching/sessions.ts'
import regexp from '../../../matchers/regexp/index.ts'
import { suite } from '../../suite.ts'

const test = suite('jail groups')

const filter = compileFilter({
  name: 'f',
  programs: null,
  prefregex: null,
  failregex: ['^Failed .* from <HOST>$', '^<F-ONCE>Invalid</F-ONCE> port <F-PORT>\\d+</F-PORT> of <HOST>$'],
  ignoreregex: [],
})
const names = ['a', 'b', 'c', 'd']
const addresses = ['192.0.2.1', '192.0.2.2', '198.51.100.7', '2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4']
const begin = Date.UTC(2026, 10, 22, 13)

const someJails = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 })
const who = fc.constantFrom(...addresses)
const jail = fc.constantFrom(...names)
const line = fc.record({ who, second: fc.nat(3), once: fc.nat(4), port: fc.nat(1) })
/** What happens, mostly lines that all jails see. */
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('lines' as const), lines: fc.array(line, { maxLength: 12 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('some' as const),
      jails: someJails,
      lines: fc.array(line, { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('hand' as const), jail, who, ban: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('reload' as const), stricter: fc.subarray(names), off: jail }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const), anew: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('pass' as const), seconds: fc.nat(90) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('shift' as const), seconds: fc.nat(90) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'scarce' as const }) },
)
type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never
const setup = fc.record({
  maxretry: fc.integer({ min: 1, max: 4 }),
  ipv6prefix: fc.constantFrom<64 | 128>(64, 128),
  baseMs: fc.constantFrom(20_000, 3_600_000),
  ignored: fc.constantFrom('192.0.2.2', '203.0.113.0/24'),
  /** Jails that ban for longer, and so are not alike. */
  longer: fc.subarray(names),
  maxAddresses: fc.constantFrom(2, 1000),
})
type Setup = typeof setup extends fc.Arbitrary<infer Value> ? Value : never

test('jails counted together answer as each of them alone does, whatever tells them apart', async () => {
  await fc.assert(
    fc.asyncProperty(setup, fc.array(event, { maxLength: 14 }), async (given, events) => {
      const together = await answersOf(given, events, names)
      for (const name of names) {
        const alone = await answersOf(given, events, [name])
        for (const [index, answer] of alone.entries()) assert.equal(together[index]?.[name], answer[name])
      }
    }),
    { numRuns: Number(process.env.BAILIFF_TEST_RUNS ?? 60) },
  )
})

test('a hundred jails that count alike have one counter, until one of them has to go its own way', async () => {
  const jails = Array.from({ length: 100 }, (_, index) => `j${index}`)
  const court = new Court(plain, jails)
  await court.configure([], [])
  court.lines(jails, [{ who: '192.0.2.1', second: 0, once: 1, port: 0 }])
  const entries = court.judge.counted() as CountedFailures
  assert.equal(entries.jails, [jails])
  assert.is(entries.entries.length, 32)
  court.lines(['j7'], [{ who: '192.0.2.1', second: 0, once: 1, port: 0 }])
  assert.is(court.judge.failuresOf('192.0.2.1' as Ban['prefix'], 'j7'), 2)
  for (const other of ['j6', 'j8', 'j99']) assert.is(court.judge.failuresOf('192.0.2.1' as Ban['prefix'], other), 1)
})

const plain: Setup = {
  maxretry: 5,
  ipv6prefix: 64,
  baseMs: 3_600_000,
  ignored: '203.0.113.0/24',
  longer: [],
  maxAddresses: 1000,
}

/** What each jail of the court says after each event. */
async function answersOf(given: Setup, events: readonly Event[], jails: readonly string[]) {
  let court = new Court(given, jails)
  await court.configure([], [])
  const answers = []
  for (const one of events) {
    if (one.type === 'restart') court = await court.restarted(one.anew)
    else await court.take(one)
    answers.push(court.answers())
  }
  return answers
}

class Court {
  judge: Judge
  readonly wanted = new WantedSet()
  readonly #given: Setup
  readonly #jails: readonly string[]
  readonly #bans: string[] = []
  readonly #banned: string[] = []
  readonly #sessions = createSessions({ now: () => 0 })
  #stricter: readonly string[] = []
  #off: readonly string[] = []
  #told: CountedFailures[] = []
  #now = begin

  constructor(given: Setup, jails: readonly string[]) {
    this.#given = given
    this.#jails = jails
    this.judge = this.#newJudge()
  }

  async configure(stricter: readonly string[], off: readonly string[]): Promise<void> {
    this.#stricter = stricter
    this.#off = off
    const { maxretry, ipv6prefix, baseMs, ignored, longer } = this.#given
    const on = this.#jails.filter((name) => !off.includes(name))
    const rules = on.map((name): JailRules => ({
      name,
      maxretry: stricter.includes(name) ? Math.max(1, maxretry - 1) : maxretry,
      findtimeMs: 60_000,
      bantime: { baseMs: longer.includes(name) ? baseMs * 2 : baseMs, increment: true, factor: 2, maxMs: null },
      ports: { protocol: 'tcp', ports: [22] },
      ipv6prefix,
      ignore: { prefixes: [parsePrefix(ignored)!], names: [], self: false },
      ruleNames: ['f:1', 'f:2'],
    }))
    await this.judge.configure(rules)
  }

  async take(one: Exclude<Event, { type: 'restart' }>): Promise<void> {
    if (one.type === 'lines') this.lines(names, one.lines)
    else if (one.type === 'some') this.lines(one.jails, one.lines)
    else if (one.type === 'reload') await this.#reload(one)
    else if (one.type === 'scarce') [2, 0].forEach((scarcity) => this.judge.relieve(scarcity as 0 | 2))
    else if (one.type === 'shift') this.judge.shift(one.seconds * 100)
    else if (one.type === 'pass') {
      this.#now += one.seconds * 1000
      this.wanted.expire(this.#now)
    } else if (this.#jails.includes(one.jail)) this.#byHand(one)
    this.#keepTold()
  }

  /** Each set of readers has a log of its own: jails that come to a log later take up the sessions of the others. */
  lines(
    readers: readonly string[],
    lines: readonly { who: string; second: number; once: number; port: number }[],
  ): void {
    const reading = readers.filter((name) => !this.#off.includes(name))
    const log = `/${reading.toSorted().join()}`
    const on = this.#jails.filter((name) => reading.includes(name))
    if (on.length === 0) return
    const scanner = createRowScanner({ jails: on.map((name) => ({ jail: name, filter })), engines: [regexp] }, 7)
    const texts = lines.map(({ who: from, second, once, port }) => {
      const date = new Date(this.#now + second * 1000).toISOString()
      return once === 0 ? `${date} Invalid port ${port} of ${from}\n` : `${date} Failed x${port} from ${from}\n`
    })
    const arrivedAt = this.#now + 4000
    const data = Buffer.from(texts.join(''))
    const chunk: LogChunk = { log, jails: on, data, arrivedAt, live: false, undatedAt: null, insideLine: false }
    const row = new RowCursor(scanner.scan(chunk).rows)
    while (row.next()) {
      this.judge.countRow(
        row,
        () => this.#sessions.attempts(row, log),
        chunk,
        (ban) => {
          this.#bans.push(JSON.stringify(ban))
          this.wanted.add(ban, 'new')
        },
      )
    }
  }

  /** Goes on with what a store would have; `anew`: with all that counts in place of what was told. */
  async restarted(anew: boolean): Promise<this> {
    if (anew) this.#told = [...this.judge.everything()]
    this.judge.stop()
    this.judge = this.#newJudge()
    await this.configure(this.#stricter, this.#off)
    this.judge.resume(this.#told)
    this.judge.counted()
    return this
  }

  answers(): Record<string, unknown> {
    return Object.fromEntries(
      this.#jails.map((name) => [
        name,
        {
          bans: this.#bans.filter((ban) => ban.includes(`"jail":"${name}"`)),
          banned: this.#banned.filter((told) => told.startsWith(`${name} `)),
          counts: this.judge.counts(name),
          standing: addresses.map((address) => this.judge.standing(parseAddress(address)!, name)),
        },
      ]),
    )
  }

  /** What counts is told anew: where a jail went, its court says so itself, and the others are not to differ. */
  async #reload({ stricter, off }: Extract<Event, { type: 'reload' }>): Promise<void> {
    await this.configure(stricter, [off])
    this.judge.counted()
    this.#told = [...this.judge.everything()]
  }

  #byHand({ ban, jail: name, who: address }: Extract<Event, { type: 'hand' }>): void {
    const prefix = parsePrefix(address)!
    const bantime = { baseMs: 1000, increment: false, factor: 1, maxMs: null }
    if (!ban) this.wanted.remove(prefix, name)
    else this.wanted.add(this.judge.decree(prefix, name, this.#now, 60_000, bantime), 'new')
  }

  #keepTold(): void {
    const told = this.judge.counted()
    if (told === 'too-many') this.#told = [...this.judge.everything()]
    else if (told !== null) this.#told.push(told)
  }

  #newJudge(): Judge {
    return new Judge({
      offences: [],
      isBanned: (prefix, name) => this.wanted.has(prefix, name),
      isBannedKey: (words, bits, name) => this.wanted.hasKey(words, bits, name),
      banStamp: (words, bits) => this.wanted.stampOf(words, bits),
      onBanned: (seen, prefix) =>
        this.#banned.push(...seen.jails.map((name) => `${name} ${prefix()} ${seen.written} ${seen.line}`)),
      vital: () => [],
      onNameFailure: () => {},
      maxAddresses: this.#given.maxAddresses,
    })
  }
}

test.run()
