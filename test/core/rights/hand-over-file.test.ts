import { chmodSync, linkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { handOverFile } from '../../../core/rights/hand-over-file.ts'
import { suite } from '../../suite.ts'
import { temporaryFolder } from '../cli/agent-process.ts'

const test = suite('files that are handed over', 'root')

const account = { name: 'somebody', uid: 4242, gid: 4242, groups: [], home: '/' }

test('a file is made, or given as it is, and its group stays', () => {
  const folder = temporaryFolder()
  const [fresh, old] = [join(folder, 'fresh.log'), join(folder, 'old.log')]
  writeFileSync(old, 'kept\n', { mode: 0o600 })
  for (const path of [fresh, old]) assert.is(handOverFile(path, account), null)
  assert.equal([statSync(fresh).uid, statSync(fresh).gid, statSync(fresh).mode & 0o777 & ~0o640], [4242, 0, 0])
  assert.equal([statSync(old).uid, statSync(old).size, statSync(old).mode & 0o777], [4242, 5, 0o600])
})

test('what may be a file of root elsewhere is not given away', () => {
  const folder = temporaryFolder()
  const secret = join(folder, 'secret')
  writeFileSync(secret, '')
  linkSync(secret, join(folder, 'second-name.log'))
  assert.is(handOverFile(join(folder, 'second-name.log'), account), null)
  symlinkSync(secret, join(folder, 'link.log'))
  assert.throws(() => handOverFile(join(folder, 'link.log'), account), /link\.log/)
  assert.is(statSync(secret).uid, 0)
})

test('where others may say what the path is, nothing is made', () => {
  const folder = temporaryFolder()
  chmodSync(folder, 0o777)
  assert.is(handOverFile(join(folder, 'x.log'), account)?.path, folder)
  assert.throws(() => statSync(join(folder, 'x.log')), /ENOENT/)
})

test.run()
