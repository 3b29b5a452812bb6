import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { excluding, isPattern, PathPattern } from '../../../core/intake/path-pattern.ts'
import { suite } from '../../suite.ts'

const test = suite('path pattern')

test('it means what shells mean', () => {
  const cases: [pattern: string, path: string, meant: boolean][] = [
    ['/var/log/nginx/*/access.log', '/var/log/nginx/a/access.log', true],
    ['/var/log/nginx/*/access.log', '/var/log/nginx/access.log', false],
    ['/var/log/nginx/*/access.log', '/var/log/nginx/a/b/access.log', false],
    ['/var/log/nginx/*/access.log', '/var/log/nginx/.a/access.log', false],
    ['/var/log/**/access.log', '/var/log/access.log', true],
    ['/var/log/**/access.log', '/var/log/a/b/c/access.log', true],
    ['/var/log/**/access.log', '/var/log/a/.b/access.log', false],
    ['/var/log/**', '/var/log/a/b.log', true],
    ['/var/log/**', '/var/log/b.log', true],
    ['/var/log/**/**/x', '/var/log/x', true],
    ['/var/log/*.log', '/var/log/.hidden.log', false],
    ['/var/log/.*.log', '/var/log/.hidden.log', true],
    ['/var/log/?.log', '/var/log/a.log', true],
    ['/var/log/?.log', '/var/log/ab.log', false],
    ['/var/log/[a-c].log', '/var/log/b.log', true],
    ['/var/log/[a-c].log', '/var/log/d.log', false],
    ['/var/log/[!a].log', '/var/log/b.log', true],
    ['/var/log/[!a].log', '/var/log/a.log', false],
    ['/var/log/[[:digit:]].log', '/var/log/7.log', true],
    ['/var/log/{a,b}.log', '/var/log/b.log', true],
    ['/var/log/{a,b}.log', '/var/log/c.log', false],
    ['/var/log/{a,b/c}.log', '/var/log/b/c.log', true],
    ['/var/log/{a,{b,c}x}.log', '/var/log/cx.log', true],
    ['/var/log/{a,}.log', '/var/log/.log', true],
    ['/var/log/w{1..3}.log', '/var/log/w2.log', true],
    ['/var/log/w{1..3}.log', '/var/log/w4.log', false],
    ['/var/log/w{08..10}.log', '/var/log/w09.log', true],
    ['/var/log/{a}.log', '/var/log/{a}.log', true],
    ['/var/log/\\*.log', '/var/log/*.log', true],
    ['/var/log/\\*.log', '/var/log/a.log', false],
    ['/var/log/\\{a,b\\}*', '/var/log/{a,b}x', true],
    ['/var/log/(a)*.log', '/var/log/(a)1.log', true],
    ['/var/log/a+b*.log', '/var/log/a+b.log', true],
    ['/var/log/!(a)*', '/var/log/b', false],
    ['/var/log/!a*', '/var/log/!a', true],
    ['/var/./log//a*', '/var/log/ab', true],
    ['/var/log/A*', '/var/log/ab', false],
    ['/var/log/a?', '/var/log/a\u00e4', true],
    ['/var/log/[\\]-]x', '/var/log/]x', true],
    ['/var/log/\\b*', '/var/log/bad', true],
    ['/var/log/[.]x', '/var/log/.x', false],
    ['/var/log/a*b*c', '/var/log/abbcbc', true],
    ['/var/log/a*b*c', '/var/log/abbcb', false],
  ]
  for (const [pattern, path, meant] of cases)
    assert.is(new PathPattern(pattern).matches(path), meant, `${pattern} ${path}`)
})

test('a search begins at the folders without wild cards', () => {
  const roots = (text: string) => [...new PathPattern(text).roots().keys()]
  assert.equal(roots('/var/log/nginx/*/access.log'), ['/var/log/nginx'])
  assert.equal(roots('/var/log/**'), ['/var/log'])
  assert.equal(roots('/{srv,var/log}/a/*.log'), ['/srv/a', '/var/log/a'])
  assert.equal(roots('/*'), ['/'])
  const pattern = new PathPattern('/var/log/*/access.log')
  const [[, places = []] = []] = [...pattern.roots()]
  assert.is(pattern.namesIn(places), null)
  assert.equal(pattern.namesIn(pattern.step(places, 'a', false).places), ['access.log'])
})

test('any folders do not go through links', () => {
  const pattern = new PathPattern('/l/**/x')
  const [[, places = []] = []] = [...pattern.roots()]
  assert.is(pattern.step(places, 'a', false).places.length, 2 - 1)
  assert.equal(pattern.step(places, 'a', true).places, [])
})

test('what is wrong with a pattern is said', () => {
  const cases: [pattern: string, says: string][] = [
    ['var/*.log', 'not an absolute path'],
    ['/var/../*.log', '".."'],
    ['/', 'names no file'],
    ['/var/[a.log', 'bracket without its partner'],
    ['/var/{1..999999}.log', 'more than 256'],
    ['/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}', 'more than 256'],
  ]
  for (const [pattern, says] of cases)
    assert.throws(
      () => new PathPattern(pattern),
      (error: Error) => error.message.includes(says),
      pattern,
    )
})

test('what is excluded', () => {
  const excluded = excluding(['*.gz', '/var/log/nginx/{old,tmp}/*', 'debug*'])
  for (const path of ['/a/b.gz', '/a/.b.gz', '/var/log/nginx/old/x', '/x/debug.log']) assert.ok(excluded(path), path)
  for (const path of ['/a/b.gz.log', '/var/log/nginx/x', '/debug/x']) assert.not(excluded(path), path)
})

test('a plain path is no pattern, and means itself alone', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z0-9 ()+!@|^$.-]{1,8}$/), { minLength: 1, maxLength: 4 }), (names) => {
      fc.pre(!names.some((name) => name === '.' || name === '..'))
      const path = `/${names.join('/')}`
      assert.not(isPattern(path))
      assert.ok(new PathPattern(path).matches(path))
      assert.not(new PathPattern(path).matches(`${path}x`))
      const wild = new PathPattern(`/${names.join('/').replace(/.$/, '?')}`)
      assert.is(wild.matches(path), names.at(-1) !== '.')
    }),
  )
})

test('no pattern takes more than its letters times those of the name: one that tries all ways would never end', () => {
  for (const pattern of [`${'*a'.repeat(100)}b`, `${'*?'.repeat(100)}b`, `${'*[a-b]'.repeat(60)}c`, '*'.repeat(4000)])
    assert.is(new PathPattern(`/${pattern}`).matches(`/${'a'.repeat(250)}`), pattern.startsWith('**'))
  assert.throws(() => new PathPattern(`/${'*a'.repeat(5000)}`), /has more than 4096 characters/)
})

test.run()
