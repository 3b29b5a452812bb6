/** What a plugin host says, checked as text of a log is: new objects of known fields, or `NotAllowed`. */
import { parsePrefix } from '../address.ts'
import { BailiffError } from '../errors.ts'
import type { Ports } from '../events.ts'
import type { FirewallEntry, Refusal } from '../plugin.ts'
import { cutWords, Fields, NotAllowed } from './fields.ts'
import {
  listPart,
  type Description,
  type FirewallCall,
  type FromHost,
  type HostFailure,
  type Question,
} from './messages.ts'

const maxWords = 2000
const maxLogFields = 16
const longestText = 8192
/** Items of an `each` that are told of in one message; no queue gives more. */
const mostItems = 10_000
const contractFunctions = ['start', 'stop', 'ban', 'unban', 'banMany', 'unbanMany', 'sync', 'syncEach', 'notify']
/** What a line of the log has itself. */
const ownLogFields = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'name', 'event', 'plugin'])

type Reader = (fields: Fields) => FromHost

const readers: Readonly<Record<FromHost['type'], Reader>> = {
  ready: () => ({ type: 'ready' }),
  answer: (fields) => ({ type: 'answer', call: fields.whole('call'), value: fields.of('value') }),
  failure: (fields) => ({
    type: 'failure',
    call: fields.whole('call'),
    failure: checkedFailure(fields.of('failure')),
  }),
  carried: (fields) => ({
    type: 'carried',
    call: fields.whole('call'),
    done: fields.list('done', mostItems, wholeItem),
    failed: fields.list('failed', mostItems, (item) => {
      const failed = new Fields(item)
      return { index: failed.whole('index'), failure: checkedFailure(failed.of('failure')) }
    }),
  }),
  pong: (fields) => ({ type: 'pong', ping: fields.whole('ping') }),
  log: (fields) => ({
    type: 'log',
    level: fields.oneOf('level', ['debug', 'info', 'warn', 'error']),
    fields: logFields(new Fields(fields.of('fields'))),
    message: fields.words('message', maxWords),
  }),
  emit: (fields) => ({
    type: 'emit',
    instance: fields.whole('instance'),
    emit: fields.whole('emit'),
    log: fields.text('log', longestText),
    cursor: fields.orNull('cursor', (name) => fields.text(name, longestText)),
    live: fields.orNull('live', (name) => fields.flag(name)),
    writtenAt: fields.orNull('writtenAt', (name) => fields.time(name)),
  }),
  forget: (fields) => ({ type: 'forget', instance: fields.whole('instance'), log: fields.text('log', longestText) }),
  ended: (fields) => ({ type: 'ended', instance: fields.whole('instance') }),
  firewall: (fields) => ({
    type: 'firewall',
    question: fields.whole('question'),
    instance: fields.whole('instance'),
    more: fields.flag('more'),
    asked: firewallCall(new Fields(fields.of('asked'))),
  }),
  denied: (fields) => ({ type: 'denied', what: fields.words('what', 300) }),
  stray: (fields) => ({ type: 'stray', what: fields.words('what', maxWords) }),
}

/** A message of a host. */
export function checkedMessage(message: unknown): FromHost {
  const fields = new Fields(message)
  return readers[fields.oneOf('type', Object.keys(readers) as FromHost['type'][])](fields)
}

/** A question of a host. */
export function checkedQuestion(message: unknown): Question {
  const fields = new Fields(message)
  const ask = fields.oneOf('ask', ['cursor', 'since', 'follow', 'follow-matching', 'fault'])
  if (ask === 'fault') return { ask, message: fields.words('message', maxWords) }
  const instance = fields.whole('instance')
  if (ask === 'cursor') return { ask, instance, log: fields.text('log', longestText) }
  if (ask === 'since') return { ask, instance }
  if (ask === 'follow') return { ask, instance, path: fields.text('path', longestText) }
  return {
    ask,
    instance,
    pattern: fields.text('pattern', longestText),
    exclude: fields.list('exclude', 256, textItem),
    limit: fields.orNull('limit', (name) => fields.whole(name)),
  }
}

/** What a module is. */
export function checkedDescription(value: unknown): Description {
  const fields = new Fields(value)
  return {
    functions: fields.list('functions', 32, textItem).filter((name) => contractFunctions.includes(name)),
    firewall: fields.flag('firewall'),
    restored: fields.flag('restored'),
  }
}

/** What `banMany` and `sync` answer; nothing else that a plugin answers is looked at. */
export function checkedRefusals(value: unknown, atMost: number): readonly Refusal[] {
  if (!Array.isArray(value)) return []
  if (value.length > atMost) throw new NotAllowed(`it refuses ${value.length} bans, and was given ${atMost}`)
  return new Fields({ value }).list('value', atMost, (item) => {
    const fields = new Fields(item)
    return { prefix: prefixIn(fields), reason: fields.words('reason', 500), again: fields.of('again') === true }
  })
}

/** As `checkedRefusals`, of what a function of a plugin answered. Throws a BailiffError that names the function. */
export function answeredRefusals(verb: string, answer: unknown, atMost: number): readonly Refusal[] {
  try {
    return checkedRefusals(answer, atMost)
  } catch (error) {
    if (!(error instanceof NotAllowed)) throw error
    throw new BailiffError('unavailable', `${verb}() answers refusals that are none: ${error.message}`, {
      hint: 'a refusal is { prefix, reason }, with the prefix of a ban that it was given',
    })
  }
}

function checkedFailure(value: unknown): HostFailure {
  const fields = new Fields(value)
  return {
    message: fields.words('message', maxWords),
    hint: fields.orNull('hint', (name) => fields.words(name, maxWords)),
    line: fields.orNull('line', (name) => fields.whole(name)),
    option: fields.orNull('option', (name) => fields.text(name, 1000)),
    retryAfterMs: fields.orNull('retryAfterMs', (name) => fields.time(name)),
  }
}

function logFields(fields: Fields): Record<string, string | number | boolean> {
  const names = fields.names().filter((name) => /^[A-Za-z][\w.-]{0,39}$/.test(name) && !ownLogFields.has(name))
  return Object.fromEntries(
    names.slice(0, maxLogFields).flatMap((name): [string, string | number | boolean][] => {
      const value = fields.of(name)
      if (typeof value === 'number' || typeof value === 'boolean') return [[name, value]]
      return typeof value === 'string' ? [[name, cutWords(value, 300)]] : []
    }),
  )
}

function firewallCall(fields: Fields): FirewallCall {
  const method = fields.oneOf('method', ['declare', 'add', 'load', 'del', 'sync', 'list'])
  if (method === 'declare') return { method, ports: fields.list('ports', listPart, (item) => checkedPorts(item)) }
  if (method === 'list') return { method, known: fields.orNull('known', (name) => fields.whole(name)) }
  return { method, entries: fields.list('entries', listPart, firewallEntry) }
}

function firewallEntry(item: unknown): FirewallEntry {
  const fields = new Fields(item)
  return {
    prefix: prefixIn(fields),
    ports: checkedPorts(fields.of('ports')),
    until: fields.orNull('until', (name) => fields.time(name)),
  }
}

function prefixIn(fields: Fields): FirewallEntry['prefix'] {
  const prefix = parsePrefix(fields.text('prefix', 64))
  if (prefix === null) throw new NotAllowed('a prefix that is none')
  return prefix
}

function checkedPorts(value: unknown): Ports {
  const fields = new Fields(value)
  const protocol = fields.oneOf('protocol', ['tcp', 'udp', 'tcp+udp', 'all'])
  const ports = fields.list('ports', 65_535, (port) => {
    if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
      throw new NotAllowed('a port that is none')
    return port as number
  })
  if (ports.some((port, index) => index > 0 && port <= (ports[index - 1] ?? 0)))
    throw new NotAllowed('ports that are not in order')
  if ((protocol === 'all') !== (ports.length === 0)) throw new NotAllowed('ports that do not fit their protocol')
  return { protocol, ports }
}

function wholeItem(item: unknown): number {
  if (!Number.isSafeInteger(item) || (item as number) < 0) throw new NotAllowed('an index that is none')
  return item as number
}

function textItem(item: unknown): string {
  if (typeof item !== 'string' || item.length > longestText) throw new NotAllowed('a text that is none')
  return item
}
