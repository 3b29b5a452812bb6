/** What bans of a Fail2ban tree cover, from the text of its jails. */
import * as assert from 'uvu/assert'
import type { Ports } from '../../../../core/events.ts'
import { addFail2banJails } from '../../../../core/fail2ban-settings.ts'
import { usualSettings } from '../../../../core/settings/load-settings.ts'
import { defaultPlaces } from '../../../../core/settings/places.ts'
import { suite } from '../../../suite.ts'
import { writeTree } from './written-tree.ts'

const test = suite('ports of a tree')

const all: Ports = { protocol: 'all', ports: [] }
const tcp = (...ports: number[]): Ports => ({ protocol: 'tcp', ports })
const udp = (...ports: number[]): Ports => ({ protocol: 'udp', ports })
const both = (...ports: number[]): Ports => ({ protocol: 'tcp+udp', ports })
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
/** An action for each, as the stock jail of Asterisk has them. */
const twice = (one: string, other: string) =>
  `action = iptables-multiport[${one}]\n         iptables-multiport[${other}]\n`

const cases: Record<string, [options: string, ports: Ports, told?: RegExp]> = {
  'names and numbers': ['port = ssh,8022, https\n', tcp(22, 443, 8022)],
  udp: ['port = 53\nprotocol = udp\n', udp(53)],
  'both protocols': ['port = domain\nprotocol = tcp,udp\n', both(53)],
  'both protocols, in capitals and with a blank': ['port = 53\nprotocol = TCP, UDP\n', both(53)],
  'protocols by number': ['port = 53\nprotocol = 6,17\n', both(53)],
  'protocol all': ['port = 53\nprotocol = all\n', both(53)],
  'all ports': ['port = 0:65535\n', all],
  'all ports, open at both ends': ['port = :\n', all],
  'the word all': ['port = all\n', all],
  anyport: ['port = anyport\n', all, /"anyport" is no port.*Bans cover all traffic, for no port is left/],
  'no port at all': ['port =\n', all],
  'an action that covers all': ['port = ssh\nbanaction = iptables[type=allports]\n', all],
  'a range': ['port = 6000:6002,ssh\n', tcp(22, 6000, 6001, 6002)],
  'a range by a dash': ['port = 6000-6002\n', tcp(6000, 6001, 6002)],
  'a range of names': ['port = ftp:ssh\n', tcp(21, 22)],
  'a range that is open': ['port = :1000\n', tcp(...numbers(1, 1000))],
  'a name with a dash': ['port = ftp-data,sip-tls\n', tcp(20, 5061)],
  'a long range': ['port = 5000:5500\n', tcp(...numbers(5000, 5500))],
  'more ports than the firewall takes': ['port = 10000:20000\n', all, /10001 ports are more than the 1024/],
  'a range that ends before it begins': [
    'port = ssh,9:5\n',
    tcp(22),
    /"9-5" is no range of ports. Bans cover the others: 22/,
  ],
  'a name that nobody knows': [
    'port = ssh,nosuch,http\n',
    tcp(22, 80),
    /"nosuch" is no port.*Bans cover the others: 22, 80/,
  ],
  'a port that is too high': ['port = 70000,22\n', tcp(22), /"70000" is no port/],
  'a protocol without ports': ['port = ssh\nprotocol = tcp,icmp\n', tcp(22), /bans cover tcp, and not icmp/],
  'only such a protocol': [
    'port = ssh\nprotocol = icmp\n',
    all,
    /bans cover all traffic: icmp cannot be banned by ports/,
  ],
  'an action for each protocol': [
    twice('port=5060, protocol=tcp, actname=t', 'port=5060, protocol=udp, actname=u'),
    both(5060),
  ],
  'an action for each, with other ports': [
    twice('port=5060, protocol=tcp, actname=t', 'port=53, protocol=udp, actname=u'),
    both(53, 5060),
    /the protocols have different ports/,
  ],
}

for (const [name, [options, ports, told]] of Object.entries(cases))
  test(name, async () => {
    const tree = writeTree({
      'jail.d/z.local': `[door]\n${options}`,
      'action.d/iptables.conf': '[Definition]\nactionban = true\n',
    })
    const base = await usualSettings(tree, defaultPlaces())
    const settings = await addFail2banJails(tree, base, true)
    assert.equal(settings.jails.find((jail) => jail.name === 'door')?.ports, ports)
    const messages = [...settings.problems, ...settings.warnings].filter(({ where }) =>
      /port|protocol/.test(where?.option ?? ''),
    )
    assert.is(messages.length, told ? 1 : 0, messages.join('\n'))
    if (told) assert.match(messages[0]?.message ?? '', told)
  })

test.run()
