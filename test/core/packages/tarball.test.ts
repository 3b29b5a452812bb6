import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { BailiffError } from '../../../core/errors.ts'
import { readTarball } from '../../../core/packages/tarball.ts'
import { suite } from '../../suite.ts'
import { tar, tarball, tarballFile, type TarEntry } from './made-packages.ts'

const test = suite('tarballs of packages')

const manifest: TarEntry = { path: 'package/package.json', text: '{"name":"x"}' }
/** A record of pax: its own length in decimal, a blank, the text and a newline. */
function record(text: string): string {
  const rest = text.length + 2
  return `${rest + String(rest + 2).length} ${text}\n`
}

/** What is said of a tarball; null: it is read. */
async function refusal(data: Buffer): Promise<string | null> {
  try {
    await readTarball(tarballFile(data))
    return null
  } catch (error) {
    if (error instanceof BailiffError) return error.message
    throw error
  }
}

test('a package is read with the lengths of its files, its package.json and its integrity', async () => {
  const { files, packageJson, integrity } = await readTarball(
    tarballFile(tarball({ 'package.json': '{}', 'lib/a.mjs': 'x'.repeat(700), empty: '' })),
  )
  assert.equal(
    [...files],
    [
      ['package.json', 2],
      ['lib/a.mjs', 700],
      ['empty', 0],
    ],
  )
  assert.is(packageJson, '{}')
  assert.match(integrity, /^sha512-[\w+/]{86}==$/)
})

test('long names of pax and of GNU tar are read', async () => {
  const long = `package/${'d'.repeat(60)}/${'f'.repeat(60)}.mjs`
  const pax: TarEntry = { path: 'x', type: 'x', text: record(`path=${long}`) }
  const gnu: TarEntry = { path: '././@LongLink', type: 'L', text: `${long}\0` }
  for (const header of [pax, gnu]) {
    const { files } = await readTarball(tarballFile(gzipSync(tar([manifest, header, { path: 'cut', text: 'abc' }]))))
    assert.is(files.get(long.slice('package/'.length)), 3)
  }
})

test('what leads out of the package, is no file, or is read differently by another program is refused', async () => {
  const cases: [entries: TarEntry[], message: RegExp][] = [
    [[{ path: 'package/../../etc/x' }], /leads out of the package/],
    [[{ path: '/etc/x' }], /leads out of the package/],
    [[{ path: 'package/./x' }], /leads out of the package/],
    [[{ path: 'package//x' }], /leads out of the package/],
    [[{ path: 'package/a\\..\\b' }], /is odd/],
    [[{ path: 'package/\u001B[2Jx' }], /is odd: "package\/\\x1b\[2Jx"/],
    [[{ path: 'package' }], /not all in it is in one folder/],
    [[{ path: 'other/x' }], /not all in it is in one folder/],
    [[{ path: 'package/x', type: '2', link: '/etc/passwd' }], /is no file but a link/],
    [[{ path: 'package/x', type: '1', link: 'package/package.json' }], /is no file but a hard link/],
    [[{ path: 'package/x', type: '3' }], /is no file but a device/],
    [[{ path: 'package/x', type: '6' }], /is no file but a pipe/],
    [[{ path: 'package/x', type: 'K', text: 'package/y' }], /is no file but something else/],
    [[{ path: 'package/x' }, { path: 'package/x' }], /is in it twice/],
    [[manifest], /"package\.json" is in it twice/],
    [[{ path: 'x', type: 'x', text: record('linkpath=/etc/passwd') }, { path: 'package/x' }], /it has a link/],
    [
      [{ path: 'x', type: 'x', text: record('path=package/../../x') }, { path: 'package/ok' }],
      /leads out of the package/,
    ],
    [[{ path: 'x', type: 'x', text: record('size=-1') }, { path: 'package/ok' }], /a size is no number/],
    [[{ path: 'x', type: 'x', text: '9999 path=x\n' }, { path: 'package/ok' }], /a header cannot be read/],
    [[{ path: 'package/x', size: 5000 }], /it is cut off/],
    [[{ path: 'package/x/', type: '5', text: 'content' }], /a folder has content/],
  ]
  for (const [entries, message] of cases)
    assert.match((await refusal(gzipSync(tar([manifest, ...entries])))) ?? 'it was read', message)
})

test('what is too much is refused before it is unpacked', async () => {
  const bomb = gzipSync(tar([manifest, { path: 'package/x', text: '\0'.repeat(130 << 20) }]))
  assert.match((await refusal(bomb)) ?? '', 'unpacks to more than 128 MiB')
  const many = Array.from({ length: 5001 }, (_, index) => ({ path: `package/${index}` }))
  assert.match((await refusal(gzipSync(tar([manifest, ...many])))) ?? '', 'more than 5000 entries')
  const large: TarEntry = { path: 'package/package.json', text: 'x'.repeat((1 << 20) + 1) }
  assert.match((await refusal(gzipSync(tar([large])))) ?? '', 'package.json is larger than 1 MiB')
})

test('what is no tarball, is cut, or goes on behind its end is refused', async () => {
  assert.match((await refusal(Buffer.from('x'))) ?? '', 'cannot be unpacked')
  assert.match((await refusal(gzipSync('x'.repeat(600)))) ?? '', 'damaged, or no tarball')
  assert.match((await refusal(gzipSync(tar([])))) ?? '', 'no package.json')
  const whole = tar([manifest, { path: 'package/x', text: 'y'.repeat(600) }])
  assert.match((await refusal(gzipSync(whole.subarray(0, 1600)))) ?? '', 'cut off')
  assert.match((await refusal(gzipSync(whole).subarray(0, 100))) ?? '', 'cannot be unpacked')
  const behind = Buffer.concat([tar([manifest]).subarray(0, -512), tar([{ path: 'package/../x' }])])
  assert.match((await refusal(gzipSync(behind))) ?? '', 'something stands behind its end')
})

test('bytes that are anything are read or refused, and never more', async () => {
  const whole = tar([manifest, { path: 'package/lib/a.mjs', text: 'abc' }])
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
      const changed = Buffer.from(whole)
      changed[at] = byte
      await refusal(gzipSync(changed))
    }),
    { numRuns: 200 },
  )
})

test.run()
