import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { allAsked, inWords, moreAsked, noLongerAsked } from '../../../core/packages/capabilities.ts'
import type { Capabilities } from '../../../core/packages/manifest.ts'
import { suite } from '../../suite.ts'

const test = suite('capabilities')

const edge = (capabilities: Capabilities, name = 'edge') => allAsked([{ kind: 'action', name, capabilities }])

test('an update asks for more only where nobody consented to it', () => {
  const cases: [before: Capabilities, next: Capabilities, more: string[]][] = [
    [{}, {}, []],
    [{ hosts: ['a.example.net'] }, {}, []],
    [{}, { hosts: ['a.example.net'] }, ['may talk to a.example.net']],
    [{ hosts: ['a.example.net'] }, { hosts: ['a.example.net:443'] }, []],
    [{ hosts: ['a.example.net:443'] }, { hosts: ['a.example.net'] }, ['may talk to a.example.net']],
    [{ hosts: ['a.example.net:443'] }, { hosts: ['a.example.net:80'] }, ['may talk to a.example.net:80']],
    [{ hosts: ['*'] }, { hosts: ['b.example.net', 'c.example.net:1'] }, []],
    [{ hosts: ['b.example.net'] }, { hosts: ['*'] }, ['may talk to any host']],
    [{ files: { read: ['/srv/a/'] } }, { files: { read: ['/srv/a/b', '/srv/a/c/'] } }, []],
    [
      { files: { read: ['/srv/a'] } },
      { files: { read: ['/srv/a/', '/srv/ab'] } },
      ['may read /srv/a/ and all below it', 'may read /srv/ab'],
    ],
    [{ files: { read: ['/srv/'] } }, { files: { write: ['/srv/'] } }, ['may change /srv/ and all below it']],
    [{ programs: ['/bin/a'] }, { programs: ['/bin/b'] }, ['may start /bin/b']],
    [{ secrets: ['A_KEY'] }, { secrets: ['A_KEY', 'B_KEY'] }, ['gets the variable B_KEY of the environment']],
    [{}, { firewall: true }, ['may ban in the firewall, and unban whom any jail banned']],
    [{ firewall: true }, { firewall: false }, []],
  ]
  for (const [before, next, more] of cases)
    assert.equal(moreAsked(edge(before), edge(next)).map(inWords), more, JSON.stringify([before, next]))
})

test('another plugin of the package is asked for, and has nothing of what others may', () => {
  const before = edge({ hosts: ['*'] })
  const next = [...before, ...edge({ hosts: ['a.example.net'] }, 'purge')]
  assert.equal(
    moreAsked(before, next).map(({ plugin, capability }) => [plugin, capability]),
    [
      ['action purge', 'code'],
      ['action purge', 'host'],
    ],
  )
  assert.is(noLongerAsked(next, before).length, 2)
})

const names = (...all: string[]) => fc.subarray(all)
const capabilities: fc.Arbitrary<Capabilities> = fc.record({
  hosts: names('*', 'a.test', 'a.test:1', 'b.test'),
  files: fc.record({ read: names('/a/', '/a/b', '/a/b/'), write: names('/a/', '/a/b') }),
  programs: names('/bin/a', '/bin/b'),
  secrets: names('A_KEY', 'B_KEY'),
  firewall: fc.boolean(),
})

test('what was consented to is never asked again, and what is more is part of what is asked', () => {
  fc.assert(
    fc.property(capabilities, capabilities, (before, next) => {
      const asked = edge(next)
      assert.equal(moreAsked(asked, asked), [])
      assert.equal(moreAsked([...edge(before), ...asked], asked), [])
      assert.ok(moreAsked(edge(before), asked).every((one) => asked.includes(one)))
      assert.equal(moreAsked([], asked), asked)
    }),
  )
})

test.run()
