/** Debian's Fail2ban as the other side: its filter, failure manager, observer, database and ban manager, in one process, in turn. */
import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { comparedEnvironment, comparedPython } from '../../compared-fail2ban.ts'

/** A jail, times in seconds, options as in jail.conf. */
export interface ReferenceJail {
  readonly name: string
  readonly maxretry: number
  readonly findtime: number
  readonly bantime: number
  readonly maxmatches: number
  /** `bantime.increment` and others, in the order in which they are set. */
  readonly extra: readonly (readonly [option: string, value: string | boolean])[]
}

/** What happens at a moment (unix seconds): failures, then perhaps a ban or an unban by hand. */
export interface Step {
  readonly now: number
  readonly failures: readonly { readonly jail: string; readonly id: string; readonly time: number }[]
  readonly banip?: readonly [jail: string, id: string]
  readonly unbanip?: readonly [jail: string, id: string]
}

export interface Sequence {
  readonly jails: readonly ReferenceJail[]
  readonly purgeAge: number
  readonly steps: readonly Step[]
}

/** All bans in force after a step: jail, id, begin, end (null: never), count. Seconds. */
export type InForce = readonly (readonly [jail: string, id: string, begin: number, end: number | null, count: number])[]

/** For each sequence, for each step, the bans in force; of the last step also the failures that count, by jail and id. */
export function askFail2ban(sequences: readonly Sequence[]): InForce[][] {
  const { stdout, stderr } = spawnSync(comparedPython, ['-c', script], {
    input: JSON.stringify(sequences),
    encoding: 'utf8',
    env: { ...comparedEnvironment, TZ: 'UTC' },
    maxBuffer: 2 ** 30,
  })
  assert.ok(stdout.startsWith('['), stderr.slice(-2000))
  return JSON.parse(stdout) as InForce[][]
}

const script = `
import json, random, sys, logging
from fail2ban.server.database import Fail2BanDb
from fail2ban.server.jail import Jail
from fail2ban.server.mytime import MyTime
from fail2ban.server.observer import ObserverThread, Observers
from fail2ban.server.ticket import BanTicket

class InTurn:
    """Does at once what the observer's thread would do next."""
    def __init__(self, observer): self.observer = observer
    def add(self, event, *args): getattr(self.observer, event)(*args)

def unban(jail):
    # It plans unbans by the length before it is changed: a ban that the formula makes shorter would end late.
    jail.actions.banManager._nextUnbanTime = 0
    jail.actions._Actions__checkUnBan(1000000)

def run(sequence):
    db = Fail2BanDb(':memory:')
    db.purgeage = sequence['purgeAge']
    observer = ObserverThread()
    observer.db_set(db)
    observer.add_timer = lambda *args: None
    Observers.Main = InTurn(observer)
    jails = {}
    for given in sequence['jails']:
        jail = Jail(given['name'], 'polling', db)
        jail.isAlive = lambda: True
        db.addJail(jail)
        jail.filter.failManager.setMaxRetry(given['maxretry'])
        jail.filter.failManager.maxMatches = given['maxmatches']
        jail.filter.setFindTime(given['findtime'])
        jail.filter.ignoreSelf = False
        jail.actions.setBanTime(given['bantime'])
        for option, value in given['extra']:
            jail.setBanTimeExtra(option, value)
        jail.filter.processLine = lambda line, date=None: line
        jails[given['name']] = jail
    answers = []
    purge_at = None
    for step in sequence['steps']:
        MyTime.setTime(step['now'])
        for jail in jails.values():
            unban(jail)
            jail.filter.performSvc()
        # As the observer's timer: first after an hour, then hourly.
        if purge_at is None: purge_at = step['now'] + 3600
        if step['now'] >= purge_at:
            db.purge()
            purge_at = step['now'] + 3600
        for failure in step['failures']:
            jail = jails[failure['jail']]
            jail.filter.processLineAndAdd([(0, failure['id'], failure['time'], {})])
            jail.actions._Actions__checkBan()
            unban(jail)
        if step.get('banip'):
            name, ip = step['banip']
            jails[name].actions.addBannedIP(ip)
        if step.get('unbanip'):
            name, ip = step['unbanip']
            jails[name].actions.removeBannedIP(ip, ifexists=True)
            # Failures that were counted before remember there how often he had been banned; here a ban that was taken back never was.
            for fid, ticket in jails[name].filter.failManager._FailManager__failList.items():
                if str(fid) == ip: ticket.setBanCount(0, True)
        held = []
        for name, jail in jails.items():
            for ticket in jail.actions.banManager:
                end = ticket.getEndOfBanTime(jail.actions.getBanTime())
                held.append((name, str(ticket.getID()), ticket.getTime(), None if end >= BanTicket.MAX_TIME else end, ticket.getBanCount()))
        answers.append(sorted(held))
    return answers

logging.disable(logging.CRITICAL)
random.random = lambda: 0.25
json.dump([run(sequence) for sequence in json.load(sys.stdin)], sys.stdout)
`
