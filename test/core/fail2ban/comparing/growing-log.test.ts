import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { GrowingLog } from '../../../../core/fail2ban/comparing/growing-log.ts'
import { suite } from '../../../suite.ts'
import { temporaryFolder } from '../../cli/agent-process.ts'

const test = suite('log that grows')

test('whole lines, each once, through rotation and truncation', async () => {
  const path = join(temporaryFolder(), 'fail2ban.log')
  const log = new GrowingLog(path)
  const read = async () => {
    const lines: string[] = []
    for await (const line of log.lines()) lines.push(line)
    return lines.join(' ')
  }
  assert.is(await read(), '')
  writeFileSync(path, 'a\nb\nc')
  assert.is(await read(), 'a b')
  appendFileSync(path, 'c\nd\n')
  assert.is(await read(), 'cc d')
  appendFileSync(path, 'e\n')
  renameSync(path, `${path}.1`)
  assert.is(await read(), 'e')
  appendFileSync(`${path}.1`, 'f\n')
  writeFileSync(path, 'g\n')
  assert.is(await read(), 'f g')
  truncateSync(path)
  assert.is(await read(), '')
  appendFileSync(path, 'h\n')
  assert.is(await read(), 'h')
  await log.close()
})

test('a line without end is passed over', async () => {
  const path = join(temporaryFolder(), 'fail2ban.log')
  writeFileSync(path, `${'x'.repeat(1_000_000)}\nlast\n`)
  const log = new GrowingLog(path)
  const lines: string[] = []
  for await (const line of log.lines()) lines.push(line)
  assert.equal(lines, ['last'])
  await log.close()
})

test.run()
