import { join } from 'node:path'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { parsePorts, toPorts } from '../../../core/settings/port-names.ts'
import { suite } from '../../suite.ts'
import { scratch } from './scratch.ts'

const test = suite('port names')
const services = join(
  scratch({ services: '# a comment\nodd 7001/tcp strange # more\nodd 7002/udp\nbroken x/tcp\nssh 2222/tcp\n\n' }),
  'services',
)

test('numbers, names, ranges and lists', () => {
  const cases: [given: unknown, ports: number[]][] = [
    [22, [22]],
    ['22', [22]],
    ['ssh', [22]],
    [
      ['https', 'http', 80, 'http'],
      [80, 443],
    ],
    ['6000-6002', [6000, 6001, 6002]],
    ['80-80', [80]],
    [65_535, [65_535]],
    ['odd', [7001]],
    ['strange', [7001]],
    ['all', []],
    [['all'], []],
  ]
  for (const [given, ports] of cases) assert.equal(parsePorts(given, services), ports, String(given))
})

test('what is no port is refused and named', () => {
  const cases: [given: unknown, message: RegExp][] = [
    [0, /"0" is no port; ports are numbers from 1 to 65535/],
    [65_536, /"65536" is no port/],
    [22.5, /"22.5" is no port/],
    [-22, /no port/],
    ['shh', /did you mean ssh\?/],
    ['broken', /no port/],
    ['10-1', /ends before it begins/],
    ['0-5', /no port/],
    ['1-65535', /more than 64 ports; for all traffic write ports: all/],
    [['ssh', 'all'], /"all" stands alone/],
    [[], /no port is named/],
    [null, /no port/],
    [{ tcp: 22 }, /no port/],
    [Array.from({ length: 65 }, (_, index) => index + 1), /65 ports are more than the 64/],
  ]
  for (const [given, message] of cases) assert.throws(() => parsePorts(given, services), message, JSON.stringify(given))
})

test('the machine may be without a services file', () => {
  assert.equal(parsePorts('ssh', '/nonexistent/services'), [22])
  assert.throws(() => parsePorts('odd', '/nonexistent/services'), /no port/)
})

test('always ascending, each once', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 64 }), (given) => {
      const ports = parsePorts(given, services)
      assert.equal(
        ports,
        [...new Set(given)].toSorted((a, b) => a - b),
      )
    }),
  )
})

test('no ports are all traffic', () => {
  assert.equal(toPorts([], 'tcp'), { protocol: 'all', ports: [] })
  assert.equal(toPorts([53], 'udp'), { protocol: 'udp', ports: [53] })
})

test.run()
