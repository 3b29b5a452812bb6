/** Counting as Fail2ban does, against Debian's Fail2ban, running: the same bans at the same moments. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { parsePrefix, type Prefix } from '../../../core/address.ts'
import type { Ban, Failure } from '../../../core/events.ts'
import { banLengthening } from '../../../core/fail2ban/counting/ban-lengthening.ts'
import { Judge, type JailRules } from '../../../core/judging/judge.ts'
import { suite } from '../../suite.ts'
import { askFail2ban, type InForce, type ReferenceJail, type Sequence, type Step } from './fail2ban-reference.ts'

const test = suite('counting as Fail2ban does', 'fail2ban-regex')

const start = 1_790_000_000
const ids = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '203.0.113.0/24', 'joe']
/** What the table of bans in force needs. */
type Held = Pick<Ban, 'jail' | 'since' | 'until' | 'count'> & { readonly prefix: string }

/** What `bantime.*` may say. */
const extras = fc.record({
  overalljails: fc.boolean(),
  formula: fc.constantFrom('', '', 'ban.Time * (ban.Count + 0.5)', 'ban.Time / (ban.Count - 2)', 'ban.Time / 1000'),
  multipliers: fc.constantFrom('', '', '1 5 30'),
  factor: fc.constantFrom('', '', '0.1', '3', '1 / 3'),
  maxtime: fc.constantFrom('', '', '100', '1h'),
  rndtime: fc.constantFrom('', '', '8m'),
  increment: fc.boolean(),
})

const jailOf = (name: string): fc.Arbitrary<ReferenceJail> =>
  fc
    .record({
      maxretry: fc.integer({ min: 1, max: 7 }),
      findtime: fc.constantFrom(1, 7, 60, 600),
      bantime: fc.constantFrom(-1, 5, 60, 300, 3600),
      maxmatches: fc.constantFrom(0, 1, 5),
      extra: extras.map((options) => Object.entries(options).filter(([, value]) => value !== '')),
    })
    .map((jail) => ({ name, ...jail }))

/** What happens, with pauses that are short against `findtime`, near it, and long. */
const happening = fc.record({
  pause: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(0, 0, 0.25, 1, 2, 3, 7) },
    { weight: 2, arbitrary: fc.constantFrom(20, 55, 60, 61, 65) },
    { weight: 1, arbitrary: fc.constantFrom(300, 590, 601, 605, 4000) },
  ),
  jail: fc.constantFrom('a', 'b'),
  id: fc.constantFrom(...ids),
  /** How old a failure is when it comes. */
  age: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.constantFrom(0.5, 1, 10, 59, 3000)),
  failures: fc.integer({ min: 1, max: 3 }),
  special: fc.oneof(
    { weight: 20, arbitrary: fc.constant('none' as const) },
    fc.constantFrom('ban' as const, 'unban' as const),
  ),
})

const sequence: fc.Arbitrary<Sequence> = fc
  .record({
    jails: fc.tuple(jailOf('a'), jailOf('b')),
    purgeAge: fc.constantFrom(3600, 86_400),
    happenings: fc.array(happening, { minLength: 5, maxLength: 60 }),
  })
  .map(({ jails, purgeAge, happenings }) => {
    let now = start
    const steps = happenings.map(({ pause, jail, id, age, failures, special }): Step => {
      now += pause
      const failed = Array.from({ length: failures }, () => ({ jail, id, time: now - age }))
      const usual = { now, failures: special === 'none' || id === 'joe' ? failed : [] }
      if (id === 'joe') return usual
      if (special === 'ban') return { ...usual, banip: [jail, id] }
      return special === 'unban' ? { ...usual, unbanip: [jail, id] } : usual
    })
    return { jails, purgeAge, steps }
  })

test('the same bans hold after every step of random sequences', async () => {
  const numRuns = Number(process.env.SEQUENCES ?? 150)
  const sequences = fc.sample(sequence, { numRuns, seed: Number(process.env.SEED ?? Date.now() % 1e9) })
  const theirs = askFail2ban(sequences)
  for (const [index, one] of sequences.entries()) {
    const ours = await judged(one)
    one.steps.forEach((step, at) => {
      const [here, there] = [ours[at], theirs[index]?.[at]].map((held) => held?.map(asLine).join('\n'))
      if (here === there) return
      const told = JSON.stringify({ ...one, steps: one.steps.slice(0, at + 1) })
      assert.is(here, there, `after ${at + 1} steps, at ${step.now}: ${told}`)
    })
  }
  assert.ok(theirs.flat().filter((held) => held.length > 0).length > sequences.length)
})

test.run()

/** What the judge says, with a table of bans as simple as Fail2ban's. */
async function judged({ jails, purgeAge, steps }: Sequence): Promise<InForce[]> {
  const held = new Map<string, Held>()
  let now = 0
  const judge = new Judge({
    offences: [],
    isBanned: (prefix, jail) => held.has(`${jail} ${prefix}`),
    banOf: (prefix, jail) => held.get(`${jail} ${prefix}`) as Ban | undefined,
    // What is no address is held by the judge.
    onCounting: (news) => {
      if ((news.type === 'id-banned' || news.type === 'id-prolonged') && news.prefix === null)
        held.set(`${news.jail} ${news.id}`, { ...news, prefix: news.id })
    },
    vital: () => [],
    onNameFailure: () => {},
  })
  await judge.configure(jails.map((jail) => rulesOf(jail, purgeAge)))
  const take = (ban: Ban) => {
    const known = held.get(`${ban.jail} ${ban.prefix}`)
    if (known === undefined || (ban.until ?? Infinity) > (known.until ?? Infinity))
      held.set(`${ban.jail} ${ban.prefix}`, ban)
  }
  return steps.map((step) => {
    now = step.now * 1000
    for (const [key, { until }] of held) if (until !== null && now > until) held.delete(key)
    judge.sweep(now)
    for (const { jail, id, time } of step.failures)
      judge.countFailure(failure(jail, id, time * 1000), { arrivedAt: now, live: false, undatedAt: null }).forEach(take)
    if (step.banip) take(judge.decree(prefixOf(step.banip[1]), step.banip[0], now, undefined, neverUsed))
    if (step.unbanip) {
      held.delete(step.unbanip.join(' '))
      judge.lifted(prefixOf(step.unbanip[1]), step.unbanip[0])
    }
    return [...held.values()].map(shown).toSorted(asText)
  })
}

function rulesOf({ name, maxretry, findtime, bantime, maxmatches, extra }: ReferenceJail, purgeAge: number): JailRules {
  const options = Object.fromEntries(extra)
  const textOf = (option: string) => (options[option] === undefined ? null : String(options[option]))
  const secondsOf = (option: string) => lengths[textOf(option) ?? ''] ?? null
  return {
    name,
    maxretry,
    findtimeMs: findtime * 1000,
    bantime: { ...neverUsed, baseMs: bantime < 0 ? null : bantime * 1000 },
    ports: { protocol: 'all', ports: [] },
    ipv6prefix: 128,
    ignore: { prefixes: [], names: [], self: false },
    counting: {
      maxmatches,
      lengthen: banLengthening(
        {
          increment: options.increment === true,
          factor: textOf('factor'),
          formula: textOf('formula'),
          multipliers: textOf('multipliers'),
          maxtimeSeconds: secondsOf('maxtime'),
          rndtimeSeconds: secondsOf('rndtime'),
        },
        () => random,
      ),
      overalljails: options.overalljails === true,
      purgeAgeSeconds: purgeAge,
    },
  }
}

const lengths: Readonly<Record<string, number>> = { '100': 100, '1h': 3600, '8m': 480 }
/** What both take for chance. */
const random = 0.25
const neverUsed = { baseMs: 1, increment: false, factor: 1, maxMs: null }

function failure(jail: string, id: string, time: number): Failure {
  const line = `line of ${id}`
  const rest = { filter: jail, rule: 0, attempts: 1, groups: {}, log: 'l', offset: 0 }
  return { jail, id, ip: id, isName: false, time, line, lines: [line], ...rest }
}

function prefixOf(id: string): Prefix {
  return parsePrefix(id)!
}

function shown({ jail, prefix, since, until, count }: Held): InForce[number] {
  return [jail, prefix, since / 1000, until === null ? null : until / 1000, count]
}

/** To the millisecond, which is all that is kept here. */
function asLine([jail, id, begin, end, count]: InForce[number]): string {
  return [jail, id, begin, end === null ? 'for ever' : Math.round(end * 1000) / 1000, count].join(' ')
}

function asText(one: InForce[number], other: InForce[number]): number {
  return `${one[0]} ${one[1]}` < `${other[0]} ${other[1]}` ? -1 : 1
}
