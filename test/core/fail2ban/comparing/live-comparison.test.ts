import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { LiveComparison, type SeenBan, type Side } from '../../../../core/fail2ban/comparing/live-comparison.ts'
import { suite } from '../../../suite.ts'

const test = suite('comparison of two that ban')

/** At this second, this side, what it did, and with whom. */
type Step = readonly [second: number, by: Side, type: SeenBan['type'], id?: string, until?: number]

function play(steps: readonly Step[], end = 1000) {
  const comparison = new LiveComparison(30_000)
  const lone: string[] = []
  const look = (now: number) => lone.push(...comparison.overdue(now).map(({ by, jail, id }) => `${by} ${jail} ${id}`))
  for (const [second, by, type, id = '192.0.2.1', until] of steps) {
    const now = second * 1000
    look(now)
    comparison.hear(by, { type, jail: 'sshd', id, time: now, until: until === undefined ? null : until * 1000 }, now)
  }
  look(end * 1000)
  return { lone, ...comparison.tally }
}

const nothing = { lone: [], same: 0, onlyFail2ban: 0, onlyBailiff: 0, waiting: 0 }
const cases: Record<string, [steps: readonly Step[], result: object, end?: number]> = {
  'both at once': [
    [
      [1, 'fail2ban', 'ban'],
      [1, 'bailiff', 'ban'],
    ],
    { same: 1 },
  ],
  'one a little later': [
    [
      [1, 'bailiff', 'ban'],
      [30, 'fail2ban', 'ban'],
    ],
    { same: 1 },
  ],
  'one alone': [[[1, 'bailiff', 'ban']], { onlyBailiff: 1, lone: ['bailiff sshd 192.0.2.1'] }],
  'the other alone': [[[1, 'fail2ban', 'ban']], { onlyFail2ban: 1, lone: ['fail2ban sshd 192.0.2.1'] }],
  'too young to tell': [[[1, 'fail2ban', 'ban']], { waiting: 1 }, 20],
  'much later: told once, and held by both from then on': [
    [
      [1, 'fail2ban', 'ban'],
      [60, 'bailiff', 'ban'],
      [70, 'bailiff', 'unban'],
      [71, 'bailiff', 'ban'],
    ],
    { onlyFail2ban: 1, same: 2, lone: ['fail2ban sshd 192.0.2.1'] },
  ],
  'from before the start on the other side': [
    [
      [1, 'fail2ban', 'held'],
      [2, 'bailiff', 'ban'],
    ],
    { same: 1 },
  ],
  'from before the start on both': [
    [
      [1, 'fail2ban', 'held'],
      [2, 'bailiff', 'held'],
    ],
    {},
  ],
  'found to be held already while it is waited for': [
    [
      [1, 'bailiff', 'ban'],
      [2, 'fail2ban', 'held'],
    ],
    { same: 1 },
  ],
  'over on both, and again on one': [
    [
      [1, 'fail2ban', 'ban'],
      [2, 'bailiff', 'ban'],
      [3, 'fail2ban', 'unban'],
      [4, 'bailiff', 'unban'],
      [5, 'bailiff', 'ban'],
    ],
    { same: 1, onlyBailiff: 1, lone: ['bailiff sshd 192.0.2.1'] },
  ],
  'a ban of ours that goes on for longer is no new one': [
    [
      [1, 'fail2ban', 'ban'],
      [2, 'bailiff', 'ban'],
      [3, 'fail2ban', 'unban'],
      [4, 'bailiff', 'ban'],
    ],
    { same: 1 },
  ],
  'over by its time on the other side': [
    [
      [1, 'bailiff', 'ban', '192.0.2.1', 10],
      [2, 'fail2ban', 'ban'],
      [11, 'fail2ban', 'unban'],
      [12, 'fail2ban', 'ban'],
    ],
    { same: 1, onlyFail2ban: 1, lone: ['fail2ban sshd 192.0.2.1'] },
  ],
  'written in two ways': [
    [
      [1, 'fail2ban', 'ban', '2001:DB8:0::1'],
      [1, 'bailiff', 'ban', '2001:db8::1'],
    ],
    { same: 1 },
  ],
  'no address at all': [
    [
      [1, 'fail2ban', 'ban', 'root'],
      [1, 'bailiff', 'ban', 'root'],
    ],
    { same: 1 },
  ],
  'two addresses': [
    [
      [1, 'fail2ban', 'ban', '192.0.2.1'],
      [1, 'bailiff', 'ban', '192.0.2.2'],
    ],
    { onlyFail2ban: 1, onlyBailiff: 1, lone: ['fail2ban sshd 192.0.2.1', 'bailiff sshd 192.0.2.2'] },
  ],
}

for (const [name, [steps, result, end]] of Object.entries(cases))
  test(name, () => assert.equal(play(steps, end), { ...nothing, ...result }))

test('whoever bans the same within the tolerance is never told, in whatever order', () => {
  const step = fc.tuple(fc.nat({ max: 20 }), fc.boolean(), fc.nat({ max: 20 }))
  fc.assert(
    fc.property(fc.uniqueArray(step, { selector: ([who]) => who }), (bans) => {
      const steps = bans.flatMap(([who, fail2banFirst, later], index): Step[] => {
        const [first, second]: Side[] = fail2banFirst ? ['fail2ban', 'bailiff'] : ['bailiff', 'fail2ban']
        const id = `192.0.2.${who}`
        return [
          [index, first ?? 'bailiff', 'ban', id],
          [index + later, second ?? 'bailiff', 'ban', id],
        ]
      })
      const ordered = steps.toSorted(([a], [b]) => a - b)
      assert.equal(play(ordered), { ...nothing, same: bans.length })
    }),
    { numRuns: 300 },
  )
})

test.run()
