import * as assert from 'uvu/assert'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { endAgents, temporaryFolder } from '../core/cli/agent-process.ts'
import { suite } from '../suite.ts'
import { ReadingAgent } from './reading-agent.ts'

/**
 * What peers of sshd choose, put into lines as sshd and syslog write them: exactly the peers are to be
 * banned. The victim's addresses stand in names, banners, disconnect texts and offers only.
 */
const test = suite('text that looks like the address of another')
const connections = 3000
const perAgent = 1500

test.after.each(endAgents)

/** A connection: who it is, and what it chose to be called and to say. */
interface Connection {
  readonly name: string
  readonly text: string
  readonly ipv6: boolean
  readonly form: number
}

const victims = ['203.0.113.7', '203.0.113.250', '::ffff:203.0.113.7', '3.0.113.7', '2001:db8:dead::1']
const fragments = fc.oneof(
  fc.constantFrom(
    ...victims.flatMap((victim) => [
      victim,
      ` from ${victim}`,
      ` from ${victim} port 22`,
      ` from ${victim} port 22 ssh2`,
      ` ${victim} port 22 [preauth]`,
      `[${victim}]`,
      `\n${new Date().toISOString()} host sshd[1]: Failed password for root from ${victim} port 22 ssh2`,
    ]),
    'Failed password for root',
    'Invalid user x',
    'invalid user ',
    ' not allowed because listed in DenyUsers',
    ...'3: Auth fail [preauth]|[preauth]| port 1| ssh2| from |\'|"|\\|%s|%n|\0|\r'.split('|'),
    ...'message repeated 9 times: [ |]|: |\t|\x1b[31m|.|1|#012|<HOST>|;'.split('|'),
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.nat(120).map((length) => '\x01'.repeat(length)),
  fc.nat(120).map((length) => 'x'.repeat(length)),
)
const words = fc.array(fragments, { maxLength: 6 }).map((parts) => parts.join(''))
const connection: fc.Arbitrary<Connection> = fc.record({
  name: words,
  text: words,
  ipv6: fc.boolean(),
  form: fc.nat(20),
})

for (const mode of ['normal', 'aggressive']) {
  test(`sshd, mode ${mode}: none banned but the peers, and all of them`, async () => {
    const all = fc.sample(connection, { numRuns: mode === 'normal' ? perAgent : connections })
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'log'))
    const [log, other] = [join(folder, 'log', 'auth.log'), join(folder, 'log', 'other.log')]
    writeFileSync(log, '')
    writeFileSync(other, '')
    const jails = `  sshd:\n    filter: { name: sshd, mode: ${mode} }\n    source: ${log}\n`
    const agent = await new ReadingAgent({ folder, logs: [other], jails }).watching()
    const peers = new Map<string, Connection>()
    for (const [index, one] of all.entries()) {
      const peer = one.ipv6 ? `2001:db8:1:${(index + 1).toString(16)}::1` : `10.1.${index >> 8}.${index & 255}`
      peers.set(peer, one)
      appendFileSync(log, linesOf(one, peer, index).map(logged).join(''))
    }
    const banned = await agent.settled(peers.size)
    const wrong = [...banned.keys()].filter((address) => !peers.has(address))
    const missed = [...peers].filter(([peer]) => !banned.has(peer))
    assert.equal(wrong, [], 'banned, though only named')
    assert.equal(missed, [], 'never banned')
  })
}

test.run()

/** What sshd says of one connection: two lines that count, and one of many that may. */
function linesOf({ name, text: said, form }: Connection, peer: string, pid: number): string[] {
  const [user, text] = [nameOf(name), bytesOf(said)]
  const port = 1024 + (pid % 60_000)
  const from = `${peer} port ${port}`
  const more = [
    `error: maximum authentication attempts exceeded for invalid user ${user} from ${from} ssh2 [preauth]`,
    `Disconnecting invalid user ${user} ${from}: Too many authentication failures [preauth]`,
    `Connection closed by invalid user ${user} ${from} [preauth]`,
    `Connection reset by authenticating user ${user} ${from} [preauth]`,
    `Received disconnect from ${from}:11: ${text} [preauth]`,
    `Received disconnect from ${from}:3: com.jcraft.jsch.JSchException: Auth fail ${text} [preauth]`,
    `Bad protocol version identification '${text}' from ${from}`,
    `User ${user} from ${peer} not allowed because not listed in AllowUsers`,
    `Unable to negotiate with ${from}: no matching key exchange method found. Their offer: ${text} [preauth]`,
    `banner exchange: Connection from ${from}: invalid format`,
    `Protocol major versions differ for ${from}: SSH-2.0-OpenSSH_9 vs. ${text}`,
    `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser=${user} rhost=${peer}  user=${user}`,
    `Failed none for invalid user ${user} from ${from} ssh2`,
    `Postponed keyboard-interactive for invalid user ${user} from ${from} ssh2 [preauth]`,
    `error: kex_exchange_identification: client sent invalid protocol identifier "${text}"`,
    `Accepted publickey for ${user} from ${victims[0]} port 22 ssh2: RSA SHA256:${text}`,
  ]
  const certain = [`Invalid user ${user} from ${from}`, `Failed password for invalid user ${user} from ${from} ssh2`]
  return [certain[0] ?? '', more[form % more.length] ?? '', certain[1] ?? ''].map(
    (message) => `[${pid}]: ${vis(message)}`,
  )
}

/** sshd takes what stands before the first colon, and prints no more than 100 bytes of it. One character a byte. */
function nameOf(name: string): string {
  return bytesOf(name.split(/[:\0]/, 1)[0] ?? '').slice(0, 100)
}

function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** How sshd writes to syslog: octal for what is not printable, backslashes doubled, 500 characters in all. */
function vis(message: string): string {
  const escaped = [...Buffer.from(message, 'latin1')].map((byte) => {
    if (byte === 0x5c) return '\\\\'
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return escaped.join('').slice(0, 500)
}

function logged(message: string): string {
  return `${new Date().toISOString()} host sshd${message}\n`
}
