/** Both ways to make the kernel forget connections, on entries that are put into its table by hand. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { BannedSources } from '../../../core/firewall/banned-sources.ts'
import { conntrackProgram } from '../../../core/firewall/conntrack-program.ts'
import { MalformedError } from '../../../core/firewall/netlink/messages-in.ts'
import { NetlinkError } from '../../../core/firewall/netlink/socket.ts'
import { Answer, openTrackedConnections } from '../../../core/firewall/netlink/tracked-connections.ts'
import type { Entry } from '../../../core/firewall/admission.ts'
import { suite } from '../../suite.ts'
import { makeNamespace, type Namespace } from './namespace.ts'

const self = fileURLToPath(import.meta.url)
const launcher = fileURLToPath(new URL('../../../../core/firewall/launcher.pl', import.meta.url))

/** As a program this file is the process inside of a namespace: it forgets what its arguments say. */
const [, program, way, told] = process.argv
if (program === self && way !== undefined && told !== undefined) {
  const banned = new BannedSources()
  for (const entry of JSON.parse(told) as Entry[]) banned.add(entry)
  const table = way === 'netlink' ? openTrackedConnections() : conntrackProgram
  console.log(`forgot ${await table?.forget(banned)}`)
  process.exit(0)
}

const test = suite('firewall tracked connections', 'root', 'ip', 'nft', 'conntrack', 'perl')
const run = promisify(execFile)

let space: Namespace
test.before(() => {
  space = makeNamespace()
  // The kernel tracks connections only where a rule asks for it.
  space.run('nft', 'table inet t { chain c { type filter hook input priority 0; ct state new accept; }; }')
})
test.after(() => space.remove())

const open: [source: string, destination: string, protocol: string, port: number][] = [
  ['192.0.2.1', '198.51.100.1', 'tcp', 22],
  ['192.0.2.1', '198.51.100.1', 'tcp', 8080],
  ['192.0.2.1', '198.51.100.1', 'udp', 22],
  ['192.0.2.2', '198.51.100.1', 'tcp', 22],
  ['198.51.100.1', '192.0.2.1', 'tcp', 22],
  ['2001:db8::1', '2001:db8:1::1', 'tcp', 22],
  ['2001:db8::2', '2001:db8:1::1', 'tcp', 22],
  ['2001:db8:0:1::1', '2001:db8:1::1', 'udp', 53],
]

function fill(): void {
  space.run('conntrack', '-F')
  for (const [source, destination, protocol, port] of open) {
    const tcp = protocol === 'tcp' ? ['--state', 'ESTABLISHED'] : []
    const ports = ['--sport', '4000', '--dport', String(port)]
    const words = ['-I', '-s', source, '-d', destination, '-p', protocol, ...ports, '-t', '600', ...tcp]
    space.run('conntrack', ...words, '-u', 'SEEN_REPLY')
  }
}

/** What is left, as places in `open`. */
function left(): number[] {
  const lines = [4, 6].flatMap((version) => space.run('conntrack', '-L', '-f', `ipv${version}`).split('\n'))
  const is = (line: string, [source, destination, protocol, port]: (typeof open)[number]) =>
    line.startsWith(protocol) && line.includes(` src=${source} dst=${destination} sport=4000 dport=${port} `)
  return open.flatMap((each, place) => (lines.some((line) => is(line, each)) ? [place] : []))
}

const all = { protocol: 'all', ports: [] } as const
const ssh = { protocol: 'tcp', ports: [22] } as const
const some = { address: '', endsAt: null }
const cases: [what: string, bans: Entry[], left: number[]][] = [
  [
    'an address and a port',
    [{ ...some, address: 'c0000201', family: 4, length: 32, ports: ssh }],
    [1, 2, 3, 4, 5, 6, 7],
  ],
  ['an address', [{ ...some, address: 'c0000201', family: 4, length: 32, ports: all }], [3, 4, 5, 6, 7]],
  ['a network', [{ ...some, address: 'c0000200', family: 4, length: 24, ports: ssh }], [1, 2, 4, 5, 6, 7]],
  [
    'one that has nothing open',
    [{ ...some, address: 'c0000209', family: 4, length: 32, ports: all }],
    [0, 1, 2, 3, 4, 5, 6, 7],
  ],
  [
    'an address of IPv6',
    [{ ...some, address: `20010db8${'0'.repeat(23)}1`, family: 6, length: 128, ports: all }],
    [0, 1, 2, 3, 4, 6, 7],
  ],
  [
    'several of both families',
    [
      { ...some, address: `20010db8${'0'.repeat(24)}`, family: 6, length: 64, ports: ssh },
      { ...some, address: 'c0000202', family: 4, length: 32, ports: all },
      { ...some, address: `20010db8000000010${'0'.repeat(15)}`, family: 6, length: 64, ports: ssh },
    ],
    [0, 1, 2, 4, 7],
  ],
]

async function forget(table: string, bans: readonly Entry[]): Promise<string> {
  const before = table === 'netlink' ? ['/usr/bin/perl', launcher, 'exec'] : []
  const words = [...space.inside, ...before, process.execPath, self, table, JSON.stringify(bans)]
  const { stdout } = await run(words[0] ?? '', words.slice(1))
  return stdout.trim()
}

for (const table of ['netlink', 'program']) {
  test(`by ${table}: what is banned is forgotten and nothing else`, async () => {
    for (const [what, bans, expected] of cases) {
      fill()
      assert.is(left().length, open.length)
      assert.is(await forget(table, bans), `forgot ${open.length - expected.length}`, what)
      assert.equal(left(), expected, what)
      assert.is(await forget(table, bans), 'forgot 0', what)
    }
  })
}

test('whatever bytes come, reading them ends, with no error but its own', () => {
  const words = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))
  // Messages whose lengths and sequence fit, so that their insides are looked at.
  const fitting = fc.tuple(words, fc.constantFrom(2, 3, 256)).map(([body, type]) => {
    const message = Buffer.alloc((20 + body.length + 3) & ~3)
    new Uint32Array(message.buffer, message.byteOffset, 4).set([20 + body.length, type, 7, 0])
    body.copy(message, 20)
    // An attribute that says it is the tuple, and takes all.
    if (body.length > 8) new Uint16Array(message.buffer, message.byteOffset + 20, 2).set([body.length, 1])
    return message
  })
  const property = fc.property(fc.oneof(words, fitting), (bytes) => {
    const answer = new Answer(Buffer.from(new Uint8Array(1024).buffer))
    bytes.copy(answer.bytes)
    answer.length = bytes.length
    let taken = 0
    try {
      answer.each(7, () => {
        taken++
        const connection = answer.connection()
        if (connection !== null) assert.match(connection.source, /^(?:[0-9a-f]{8}|[0-9a-f]{32})$/)
        answer.attributes()
      })
    } catch (error) {
      if (!(error instanceof MalformedError) && !(error instanceof NetlinkError)) throw error
    }
    assert.ok(taken <= 20)
  })
  fc.assert(property, { numRuns: 5000 })
})

test.run()
