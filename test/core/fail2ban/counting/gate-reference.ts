/** Asks Debian's Fail2ban, running, whom it would ignore, what it makes of tags, what its cache keeps. */
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { comparedEnvironment, comparedPython } from '../../../compared-fail2ban.ts'

/** What the name server says there, and here. */
export const nameServer: Readonly<Record<string, readonly string[]>> = {
  'home.example': ['192.0.2.77', '2001:db8::77'],
  'office.example': ['198.51.100.1'],
  'nobody.example': [],
}

/** For each list of words, for each id, by what it is ignored (null: by nothing); null: some word is refused. */
export function ignoredThere(
  lists: readonly (readonly string[])[],
  ids: readonly string[],
): (readonly (string | null)[] | null)[] {
  return ask('ignored', { lists, ids, names: nameServer }) as (readonly (string | null)[] | null)[]
}

export interface TagCase {
  readonly text: string
  readonly id: string
  readonly ip: string | null
  readonly time: number
  readonly lines: readonly string[]
  readonly groups: Readonly<Record<string, string>>
}

/** The script and its arguments for each. */
export function tagsThere(cases: readonly TagCase[]): readonly (readonly string[])[] {
  return ask('tags', { cases }) as readonly (readonly string[])[]
}

/** `set KEY`, `get KEY` or a pause in seconds, one after the other; for each `get` the number of the `set` it finds. */
export function cacheThere(
  maxCount: number,
  maxTime: number,
  steps: readonly (readonly [string, string | number])[],
): (number | null)[] {
  return ask('cache', { maxCount, maxTime, steps }) as (number | null)[]
}

function ask(what: string, asked: object): unknown {
  const { stdout, stderr } = spawnSync(comparedPython, ['-c', script, what], {
    input: JSON.stringify(asked),
    encoding: 'utf8',
    env: { ...comparedEnvironment, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    maxBuffer: 2 ** 28,
  })
  assert.ok(stdout !== '', stderr.slice(-2000))
  return JSON.parse(stdout)
}

const script = `
import json, logging, sys
import newer_addresses
from fail2ban.server import utils
from fail2ban.server.action import CommandAction
from fail2ban.server.actions import Actions
from fail2ban.server.ipdns import DNSUtils, IPAddr
from fail2ban.server.jail import Jail
from fail2ban.server.ticket import FailTicket
logging.disable(logging.CRITICAL)

def ignored(asked):
    DNSUtils.dnsToIp = staticmethod(lambda name: {IPAddr(ip) for ip in asked['names'].get(name, ())})
    answers = []
    for words in asked['lists']:
        found = Jail('x', 'polling').filter
        found.ignoreSelf = False
        sources = []
        found.logIgnoreIp = lambda ip, log, ignore_source='': sources.append(ignore_source)
        try:
            for word in words: found.addIgnoreIP(word)
        except ValueError:
            answers.append(None)
            continue
        answer = []
        for id in asked['ids']:
            sources.clear()
            found.inIgnoreIPList(id)
            answer.append(sources[0] if sources else None)
        answers.append(answer)
    return answers

def tags(asked):
    answers = []
    for case in asked['cases']:
        data = dict(case['groups'])
        if case['ip'] is not None: data['ip'] = IPAddr(case['ip'])
        data['matches'] = case['lines']
        ticket = FailTicket(IPAddr(case['id']), float(case['time']), data=data)
        jail = Jail('x', 'polling')
        jail.actions.setBanTime(600)
        answer = CommandAction.replaceDynamicTags(case['text'], Actions.ActionInfo(ticket, jail))
        answers.append(answer if isinstance(answer, list) else [answer])
    return answers

def cache(asked):
    now = [1000.0]
    utils.time.time = lambda: now[0]
    kept = utils.Utils.Cache(maxCount=asked['maxCount'], maxTime=asked['maxTime'])
    answers = []
    for number, (what, value) in enumerate(asked['steps']):
        if what == 'set': kept.set(value, number)
        elif what == 'get': answers.append(kept.get(value))
        else: now[0] += value
    return answers

json.dump({'ignored': ignored, 'tags': tags, 'cache': cache}[sys.argv[1]](json.load(sys.stdin)), sys.stdout)
`
