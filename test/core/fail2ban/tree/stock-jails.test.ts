/** Every jail, filter and action of the installed Fail2ban becomes the commands that its own reader makes of it. */
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as assert from 'uvu/assert'
import { prettyLiteral } from '../../../../core/fail2ban/tree/pretty-literal.ts'
import { pythonLiteral } from '../../../../core/fail2ban/tree/python-text.ts'
import { readTree } from '../../../../core/fail2ban/tree/tree.ts'
import {
  comparedEnvironment,
  comparedPython,
  comparedTests,
  comparedTree,
  comparedVersion,
} from '../../../compared-fail2ban.ts'
import { suite, which } from '../../../suite.ts'
import { scratch } from '../../settings/scratch.ts'
import { asAnswered, RealReader } from './real-reader.ts'

const test = suite('stock jails', 'fail2ban-regex')

/** A copy of the installed tree, with logs, that says `more` last. */
function copyOfStock(more = ''): { readonly folder: string; say(text: string): void } {
  const folder = scratch({ 'logs/one.log': '', 'logs/two.log': '' })
  cpSync(comparedTree, join(folder, 'fail2ban'), { recursive: true })
  const say = (text: string) =>
    writeFileSync(join(folder, 'fail2ban/jail.d/zz.local'), text.replaceAll('LOGS', join(folder, 'logs')))
  say(more)
  return { folder: join(folder, 'fail2ban'), say }
}

const { names } = await readTree(comparedTree).catch(() => ({ names: [] }))
const allEnabled = (...lines: string[]) =>
  names.map((name) => [`[${name}]`, 'enabled = true', ...lines, ''].join('\n')).join('\n')

test('all at once: what fail2ban-client -d prints, and --dump-pretty', async () => {
  const { folder } = copyOfStock(allEnabled())
  const printed = (option: string) => {
    const { stdout, status } = spawnSync(
      comparedPython,
      ['-W', 'ignore', which('fail2ban-client')!, '-c', folder, option],
      { encoding: 'utf8', env: { ...process.env, ...comparedEnvironment } },
    )
    assert.is(status, 0)
    return stdout.trimEnd()
  }
  const tree = await readTree(folder, { version: comparedVersion })
  assert.is(tree.jails.length, names.length)
  assert.equal(tree.problems, [])
  assert.equal(tree.stream.map(pythonLiteral), printed('-d').split('\n'))
  assert.is(tree.stream.map(prettyLiteral).join('\n'), printed('--dp'))
  assert.ok(names.length > 80)
})

test('one by one, with logs; all of them in other ways', async () => {
  const real = new RealReader()
  const { folder, say } = copyOfStock()
  const ways = [
    'logpath = LOGS/one.log tail\n  LOGS/t*.log head\nbackend = polling\nmode = aggressive\nbantime.increment = on',
    'backend = systemd[journalflags=1]\naction = %(action_mwl)s\nbanaction = nftables',
    'action = %(action_)s\n  %(action_xarf)s\nfailregex = %(known/failregex)s\n  ^also <ADDR>$\nlogpath =',
  ]
  const alone = names.map((name) => `[${name}]\nenabled = true\nlogpath = LOGS/*.log\n`)
  try {
    for (const text of [...alone, ...ways.map((way) => allEnabled(way))]) {
      say(text)
      assert.equal(
        { value: asAnswered((await readTree(folder, { version: comparedVersion })).stream) },
        await real.ask('stream', folder, false),
        text,
      )
    }
  } finally {
    real.end()
  }
})

test('the configuration that its own tests read, in which much is broken', async () => {
  const folder = join(comparedTests, 'config')
  const real = new RealReader()
  try {
    const tree = await readTree(folder, { version: comparedVersion })
    assert.equal({ value: asAnswered(tree.stream) }, await real.ask('stream', folder, false))
    assert.is(tree.problems.length, 4)
  } finally {
    real.end()
  }
})

test('every filter and every action, in a jail of its own', async () => {
  const real = new RealReader()
  const { folder, say } = copyOfStock()
  const filesIn = (part: string) =>
    readdirSync(join(folder, part)).map((file) => (file.endsWith('.py') ? file : basename(file, '.conf')))
  const filters = filesIn('filter.d').map((name) => `filter = ${name}[mode=ddos, logtype=short]\naction =`)
  const actions = filesIn('action.d').map(
    (name) => `filter =\naction = ${name}[name=%(__name__)s, port="1,2", bantime=7]\n  ${name}[actname=again]`,
  )
  try {
    for (const line of [...filters, ...actions]) {
      say(`[made]\nenabled = yes\n${line}\n`)
      const answer = await real.ask('stream', folder, false)
      const tree = await readTree(folder, { version: comparedVersion })
      if ('value' in answer) assert.equal(asAnswered(tree.stream), answer.value, line)
      // Parts of filters, which are no filter alone.
      else assert.is(tree.problems.length, 1, line)
    }
  } finally {
    real.end()
  }
})

test.run()
