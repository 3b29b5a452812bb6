/** What an enemy writes into logs, and what else comes seldom. */
import type { AgentEvent } from '../events.ts'
import { printable } from '../errors.ts'
import type { ActionBan } from '../plugin.ts'
import { actionBan, frozen } from './sample-bans.ts'

/** Texts that are no address or prefix, though some look like one; nothing may be banned for them. */
export const noAddresses: readonly string[] = [
  '',
  ' ',
  '192.0.2',
  '192.0.2.256',
  '192.0.2.07',
  '0xC0000207',
  '3221225991',
  '192.0.2.7 ',
  '192.0.2.7/33',
  '192.0.2.7/-1',
  '192.0.2.7/24/24',
  '192.0.2.7:22',
  '2001:db8',
  '2001:db8:::7',
  '2001:db8::7::',
  '::ffff:192.0.2.256',
  'fe80::1%eth0',
  '[2001:db8::7]',
  '2001:db8::7/129',
  '192.0.2.7\n',
  '192.0.2.7\0',
  '١٩٢.0.2.7',
  'localhost',
  'example.org',
  '$(id)',
  '; id',
  '-1',
  '--help',
  '../../etc/passwd',
  '__proto__',
]

/** Texts with what may confuse a terminal, a shell, a URL, JSON, HTML, SQL or a file. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  '\r\n',
  '\n\n',
  '\t',
  '\x1b[2J\x1b[31mred',
  '\x07',
  '\x7f',
  '\x9b31m',
  '\u2028',
  '\u202eabc',
  '\ufeff',
  '$(touch /tmp/x)',
  '`id`',
  '; reboot #',
  '| cat',
  '&& id',
  "' OR 1=1 --",
  '"',
  "'",
  '\\',
  '%00',
  '%',
  '%0d%0aX: y',
  '<script>alert(1)</script>',
  '{"a":1}',
  '${x}',
  '{prefix}',
  '<ip>',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '-rf',
  '--',
  '@x',
  '*',
  'é',
  '日本',
  '😀',
  '\ud800',
  '\udfff',
  'a'.repeat(100_000),
  '\u0301'.repeat(1000),
]

/** Lines of a log as an enemy writes them, without their newline: bytes, for not all are text. */
export const hostileLines: readonly Uint8Array[] = [
  ...hostileTexts.map((text) => Buffer.from(text.replaceAll('\n', ''))),
  Buffer.from([0xff, 0xfe, 0x80, 0xc0, 0xaf]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from(`{"a":${'['.repeat(5000)}`),
  Buffer.from(`{"ip":"192.0.2.7","ip":"192.0.2.8","__proto__":{"ip":"192.0.2.9"}}`),
  Buffer.from(`Nov 22 13:41:02 h sshd[1]: Failed x from ${'1.'.repeat(20_000)}`),
]

/**
 * Bans that are seldom, each as the agent could hand it over: without end, about to end, of a list, extended, restored,
 * of all ports and of many, of whole networks, with lines that an enemy wrote. They are frozen: a plugin owns none of it.
 */
export const hostileBans: readonly ActionBan[] = [
  actionBan('192.0.2.20', { until: null, ports: { protocol: 'all', ports: [] }, lines: [] }),
  actionBan('192.0.2.21', { until: Date.now() + 1 }),
  actionBan('192.0.2.22', { until: Date.now() - 60_000, reason: 'restored' }),
  actionBan('192.0.2.23', { until: 253_402_300_799_000, count: 1_000_000, failures: 4_000_000 }),
  actionBan('192.0.2.24', { jail: 'manual', failures: 0, lines: [], reason: 'repaired' }),
  actionBan('192.0.2.25', { jail: 'list:drop', failures: 0, until: null, reason: 'restored' }),
  actionBan('192.0.2.26', { reason: 'extended', ports: { protocol: 'tcp+udp', ports: [1, 53, 65_535] } }),
  actionBan('192.0.2.27', { ports: { protocol: 'udp', ports: Array.from({ length: 1000 }, (_, i) => i + 1) } }),
  actionBan('203.0.113.0/25', { ports: { protocol: 'all', ports: [] } }),
  actionBan('2001:db8:ff::/48', { ports: { protocol: 'all', ports: [] } }),
  actionBan('2001:db8::ffff', { lines: hostileTexts.map((text) => printable(text).slice(0, 512)) }),
].map(frozen)

/** Events with what an enemy wrote in them, and bans that are seldom. They are frozen. */
export const hostileEvents: readonly AgentEvent[] = [
  ...hostileBans.map(({ reason, ...ban }): AgentEvent => ({ type: 'ban', time: 0, ban, reason, action: 'firewall' })),
  ...hostileTexts.map((text): AgentEvent => ({
    type: 'alarm',
    time: 1,
    subject: printable(text).slice(0, 80),
    message: printable(text),
  })),
  { type: 'start', time: 8_640_000_000_000_000, jails: [] } as const,
].map(frozen)
