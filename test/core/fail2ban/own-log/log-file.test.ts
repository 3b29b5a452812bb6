import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { LogFile } from '../../../../core/fail2ban/own-log/log-file.ts'
import { suite } from '../../../suite.ts'
import { temporaryFolder } from '../../cli/agent-process.ts'

const test = suite('file of the own log')

/** Waits, for at most five seconds, until the file has the text. */
async function has(path: string, text: string): Promise<void> {
  const found = () => (existsSync(path) ? readFileSync(path, 'utf8') : null)
  for (let i = 0; i < 250 && found() !== text; i++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.is(found(), text)
}

test('lines are appended in their order, also to a file that is there', async () => {
  const path = join(temporaryFolder(), 'fail2ban.log')
  writeFileSync(path, 'before\n')
  const log = new LogFile(path, assert.unreachable)
  for (let line = 0; line < 1000; line++) log.write(`${line}\n`)
  await log.close()
  assert.is(readFileSync(path, 'utf8'), `before\n${Array.from({ length: 1000 }, (_, line) => `${line}\n`).join('')}`)
})

test('a file that was rotated away is followed by a new one at the path', async () => {
  const path = join(temporaryFolder(), 'fail2ban.log')
  let now = 0
  const log = new LogFile(path, assert.unreachable, () => now)
  log.write('one\n')
  await has(path, 'one\n')
  renameSync(path, `${path}.1`)
  now = 1001
  log.write('two\n')
  await has(path, 'two\n')
  rmSync(path)
  log.reopen()
  log.write('three\n')
  await has(path, 'three\n')
  await log.close()
  assert.is(readFileSync(`${path}.1`, 'utf8'), 'one\n')
})

test('where it cannot be opened that is told once, and lines go on to the file that is open', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'fail2ban.log')
  const told: string[] = []
  let now = 0
  const log = new LogFile(
    path,
    (message) => told.push(message),
    () => now,
  )
  log.write('one\n')
  await has(path, 'one\n')
  renameSync(path, `${path}.1`)
  mkdirSync(path)
  for (const line of ['two', 'three']) {
    now += 1001
    log.write(`${line}\n`)
    await has(`${path}.1`, line === 'two' ? 'one\ntwo\n' : 'one\ntwo\nthree\n')
  }
  await log.close()
  assert.is(told.length, 1)
  assert.match(told[0] ?? '', /fail2ban\.log cannot be opened, so its lines go on to the file that it was before/)
})

test('where there never was a file lines are lost, nothing fails, and it is told', async () => {
  const told: string[] = []
  const log = new LogFile(join(temporaryFolder(), 'no', 'fail2ban.log'), (message) => told.push(message))
  log.write('one\n')
  await log.close()
  assert.match(told[0] ?? '', /cannot be opened, so its lines are lost/)
})

test('what comes faster than it is written is bounded', async () => {
  const path = join(temporaryFolder(), 'fail2ban.log')
  const told: string[] = []
  const log = new LogFile(path, (message) => told.push(message))
  const line = `${'x'.repeat(1023)}\n`
  for (let i = 0; i < 1500; i++) log.write(line)
  await log.close()
  assert.is(readFileSync(path).length, 1024 * 1024)
  assert.match(told[0] ?? '', /^476 lines are missing/)
})

test.run()
