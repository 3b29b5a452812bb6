import * as assert from 'uvu/assert'
import { compileFilter, compilePattern, type FilterSource } from '../../../core/matching/filters.ts'
import { PatternError } from '../../../core/matching/pattern-error.ts'
import { suite } from '../../suite.ts'

const test = suite('filters')

test('a pattern that cannot be used says what, where and what instead', () => {
  const cases: [pattern: string, position: number, message: RegExp, hint?: RegExp][] = [
    ['Failed password', 0, /no address tag/, /exactly one <HOST>/],
    ['from <host>', 0, /no address tag \(tags are in upper case\)/],
    ['from <HOSTT>', 5, /unknown tag <HOSTT>; did you mean <HOST>\?/, /<ADDR>/],
    ['<F-user>x</F-user> <HOST>', 0, /unknown tag <F-user>/],
    ['<F-USER>x <HOST>', 0, /<F-USER> is not closed here/],
    ['x</F-USER> <HOST>', 1, /<\/F-USER> closes nothing/],
    ['<F-A><F-B>x</F-A></F-B> <HOST>', 5, /<F-B> is not closed here/],
    ['<F-USER/> <HOST>', 0, /stands alone/],
    ['<F-NOFAIL>x</F-NOFAIL> <HOST>', 0, /Fail2ban configurations only/, /<F-ONCE>/],
    ['<F-MLFFORGET>x</F-MLFFORGET> <HOST>', 0, /Fail2ban configurations only/],
    ['<F-ID>x</F-ID>', 0, /Fail2ban configurations only/, /<ADDR>/],
    ['<F-ALT_USER>x</F-ALT_USER> <HOST>', 0, /Fail2ban configurations only/],
    ['<DNS>', 0, /Fail2ban configurations only/, /<ADDR>/],
    ['<SKIPLINES><HOST>', 0, /Fail2ban configurations only/, /MLFID/],
    ['<F-CONTENT>x</F-CONTENT> <HOST>', 0, /belongs into prefregex/],
    ['<F-ADDR>x</F-ADDR>', 0, /the address itself/],
    ['(?P<addr>x) <HOST>', 0, /the address is not a group/],
    ['(?P<constructor>x) <HOST>', 0, /cannot be named/],
    ['<HOST> <HOST>', 0, /leave the address unset, or find two/],
    ['<HOST>?', 0, /leave the address unset/],
    ['(?:a|<HOST>)', 5, /leave the address unset/],
    ['(?:<HOST>,)+', 3, /leave the address unset, or find two/],
    ['(?!<HOST>)x', 3, /leave the address unset/],
    ['(<HOST>', 0, /not closed/],
    ['<HOST>)', 6, /closes nothing/, /\\\)/],
    ['[ab<HOST>', 0, /no closing \]/],
    ['[z-a]<HOST>', 1, /upside down/],
    ['[\\d-z]<HOST>', 1, /no range/],
    ['*<HOST>', 0, /nothing to repeat/],
    ['^*<HOST>', 1, /nothing to repeat/],
    ['a**<HOST>', 2, /repeated already/],
    ['a{3,2}<HOST>', 1, /at least 3 and at most 2/],
    ['a{5000}<HOST>', 1, /beyond 1000/],
    ['\\q<HOST>', 0, /unknown escape \\q/, /\\d/],
    ['\\', 0, /backslash at the end/],
    ['\\1<HOST>', 0, /no group 1/],
    ['(a\\1)<HOST>', 2, /still open/],
    ['(?P=user)<HOST>', 0, /no group user/],
    ['(?<user>a)<HOST>', 0, /begins nothing/, /\(\?P<name>/],
    ['a(?i)<HOST>', 1, /belong to its start/, /\(\?i:/],
    ['(?y)<HOST>', 0, /unknown flag y/],
    ['(?i)(a)\\1<HOST>', 7, /ignores no case/],
    ['(?<=a+)<HOST>', 0, /fixed width/],
    ['(?:(a)|b)*\\1<HOST>', 3, /repetition that may leave it out/],
    ['(?:|a)*<HOST>', 14, /prefers to repeat nothing/],
    [`${'('.repeat(200)}`, 101, /nested/],
  ]
  for (const [pattern, position, message, hint] of cases) {
    const error = refusal({ failregex: ['^<HOST>$', pattern] })
    assert.ok(error, pattern)
    assert.is(error.list, 'failregex', pattern)
    assert.is(error.index, 1, pattern)
    assert.match(error.message, message, pattern)
    assert.match(error.message, /^failregex 2, character \d+: /)
    if (hint) assert.match(error.hint ?? '', hint, pattern)
    if (!/nested|prefers/.test(error.message)) assert.is(error.position, position, `${pattern}: ${error.message}`)
  }
})

test('an error names its list', () => {
  assert.is(refusal({ failregex: [], ignoreregex: ['a', '('] })?.index, 1)
  assert.is(refusal({ failregex: [], ignoreregex: ['a', '('] })?.list, 'ignoreregex')
  assert.is(refusal({ failregex: [], prefregex: '(' })?.list, 'prefregex')
  assert.is(refusal({ failregex: [], prefregex: '<HOST> <HOST>' })?.list, 'prefregex')
})

test('the address may come from prefregex', () => {
  assert.is(refusal({ prefregex: '^<HOST> <F-CONTENT>.*</F-CONTENT>$', failregex: ['bad'] }), null)
  assert.is(refusal({ prefregex: '^(?:<HOST> )?<F-CONTENT>.*</F-CONTENT>$', failregex: ['bad'] })?.list, 'failregex')
  assert.is(refusal({ prefregex: '^(?:<HOST> )?<F-CONTENT>.*</F-CONTENT>$', failregex: ['bad <HOST>'] }), null)
})

test('literals are required and rare, first characters complete', () => {
  const cases: [pattern: string, literals: readonly string[] | null, first: string | null][] = [
    ['^Failed password for .* from <HOST>', ['Failed password for '], 'F'],
    ['^(?:Bad|Worse) thing from <HOST>', ['Bad thing from ', 'Worse thing from '], 'BW'],
    ['.*<HOST>', null, null],
    ['^<HOST> -', [' -'], '0123456789:ABCDEF[abcdef'],
    ['(?i)^bed <HOST>', ['BED ', 'BEd ', 'BeD ', 'Bed ', 'bED ', 'bEd ', 'beD ', 'bed '], 'Bb'],
    ['(?i)^ski <HOST>', null, null],
    ['^\\d+ bad <HOST>', [' bad '], null],
    ['^a?b from <HOST>', ['b from '], 'ab'],
    ['^a*$|^c <HOST>', null, null],
    ['x{3}yes <HOST>', ['yes '], null],
    ['é bad <HOST>', [' bad '], null],
    ['^(?!x)bad <HOST>', ['bad '], 'b'],
  ]
  for (const [pattern, literals, first] of cases) {
    const compiled = compilePattern(pattern, { list: 'failregex', index: 0 })
    assert.equal(compiled.literals, literals, pattern)
    assert.is(compiled.firstCharacters, first, pattern)
  }
})

test('of literals at several places each set is enough', () => {
  const cases: [pattern: string, sets: readonly (readonly string[])[]][] = [
    ['^Failed password for .* from <HOST>', [['Failed password for '], [' from ']]],
    ['^(?:a|b)+yes .*(?:(?:none)+|(?:not .* here)) <HOST>', [['yes '], ['none', ' here']]],
    ['^one (?:two .* three)? four <HOST>', [[' four '], ['one ']]],
    ['.*<HOST>', []],
  ]
  for (const [pattern, sets] of cases) {
    const { literals, otherLiterals } = compilePattern(pattern, { list: 'failregex', index: 0 })
    assert.equal([...(literals === null ? [] : [literals]), ...otherLiterals], sets, pattern)
  }
})

test('an anchored pattern with plain neighbours has no look-around, so V8 may run it in linear time', () => {
  const compiled = compilePattern('^x from <HOST>(?: port \\d+)?$', { list: 'failregex', index: 0 })
  assert.not.match(compiled.ascii, /\(\?[<!=]/)
})

test('a compiled filter survives being sent to a thread', () => {
  const filter = compileFilter({
    name: 'x',
    programs: ['sshd'],
    prefregex: null,
    failregex: ['<F-USER>.*</F-USER> <HOST>'],
    ignoreregex: ['ok'],
  })
  assert.equal(structuredClone(filter), filter)
  assert.equal(filter.failregex[0]?.groups, ['user', 'addr'])
})

test.run()

function refusal(source: Partial<FilterSource>): PatternError | null {
  try {
    compileFilter({ name: 'test', programs: null, prefregex: null, failregex: [], ignoreregex: [], ...source })
    return null
  } catch (error) {
    if (error instanceof PatternError) return error
    throw error
  }
}
